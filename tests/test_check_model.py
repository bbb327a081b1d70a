"""make check-model: how often Keras and the function are right about photos whose class is known."""

import json
import re
import shutil
import sys
import zipfile

import pytest
import walk
from commands import check_model
from conftest import CLASS_OF, REPOSITORY, copy_of, run
from picture_files import JEANS
from test_photos import HEIC
from walk import accuracy


def fill(folder, count=16):
    """Photos of each drawing, two if they are 16, and what else lies in people's folders."""
    for number, (name, content) in enumerate(walk.variations(count).items()):
        label = CLASS_OF[name.split("/")[0]]
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{number}.jpg").write_bytes(content)
    for place, content in {
        "mug/1.png": JEANS,
        "pants/broken.jpg": b"\xff\xd8\xff\xe0" + bytes(100),
        "pants/IMG_1.HEIC": HEIC,
        "skirt/.DS_Store": b"",
    }.items():
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes(content)


def check(folder, **values):
    given = [f"{name}={value}" for name, value in values.items()]
    return run([sys.executable, "notebooks/commands", "check_model", *given], folder)


def change(folder, **values):
    """What the walk would have left in a copy, had it been run with other parameters."""
    for file in "generated/expected-scores.json", "generated/prediction.json":
        left = json.loads((folder / file).read_text())
        left["parameters"] |= values
        (folder / file).write_text(json.dumps(left))
    function = (folder / "lambda/lambda_function.py").read_text()
    for name, value in values.items():
        function = re.sub(f'(?m)^{name} = "[^"]*"', f'{name} = "{value}"', function)
    (folder / "lambda/lambda_function.py").write_text(function)


def test_both_are_right_as_often_and_a_report_shows_by_class(own_walk):
    fill(own_walk / "photos")
    process = check(own_walk, PHOTOS="photos")
    assert process.returncode == 0, process.stderr
    said = process.stdout
    shares = re.findall(r"is right about (\d+) of 16 ", said)
    assert len(shares) == 2 and shares[0] == shares[1] and int(shares[0]) > 12
    assert "the same class for 16 of 16 photos" in said
    assert "Left out: 1 HEIC: the function does not take these" in said
    assert "Left out, as CLASSES does not name their folders: mug (1)." in said
    assert "There are no photos of: longsleeve, shirt, shorts, skirt." in said
    assert "The function refused 1 of the photos (1 BrokenPicture): broken.jpg." in said
    assert "Of 9 other ways to prepare pictures, none is much better." in said
    report = (own_walk / "generated/check-model/report.md").read_text()
    assert "| skirt | no photos |" in report and "![Confusions: " in report
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", report):
        assert (own_walk / "generated/check-model" / picture).stat().st_size > 1000


def test_where_pictures_are_prepared_otherwise_than_in_training_it_names_the_right_way(
    own_walk, tmp_path
):
    folder = copy_of(own_walk, tmp_path / "another")
    change(folder, PREPROCESSING="none")
    fill(tmp_path / "my photos", 8)
    process = check(folder, PHOTOS=tmp_path / "my photos")
    assert process.returncode == 1 and "the same class for 8 of 8" in process.stdout
    assert "Pictures are not prepared as they were in training: of 8 photos" in process.stderr
    command = (
        f"make check-model PREPROCESSING=xception RESIZE=nearest PHOTOS='{tmp_path}/my photos'"
    )
    assert process.stderr.strip().endswith(command)


def test_what_the_photos_cannot_tell_apart_is_named():
    photos = {"1.png": "bee", "2.png": "wasp"}
    both = {"1.png": {"bee": 0.7, "wasp": 0.3}, "2.png": {"bee": 0.2, "wasp": 0.8}}
    one = {"1.png": {"bee": 0.7, "wasp": 0.3}, "2.png": {"bee": 0.6, "wasp": 0.4}}
    tried = {("xception", "nearest"): both, ("xception", "bilinear"): both}
    tried |= {("rescale", "nearest"): both, ("rescale", "bilinear"): one, ("none", "nearest"): one}
    assert check_model.as_good(photos, tried) == ["rescale"]


def test_the_function_is_judged_in_a_process_without_tensorflow(own_walk):
    code = (
        "import sys; from walk import judging; list(judging.by_function([])); print(*sys.modules)"
    )
    process = run([sys.executable, "-c", code], own_walk, PYTHONPATH="notebooks")
    loaded = set(process.stdout.split())
    assert "guards" in loaded and not {"tensorflow", "keras", "tf_keras"} & loaded


def test_several_classes_at_once_are_not_what_folders_can_say(own_walk, tmp_path):
    folder = copy_of(own_walk, tmp_path / "another")
    change(folder, SCORES="sigmoid")
    fill(tmp_path / "photos")
    process = check(folder, PHOTOS=tmp_path / "photos")
    assert process.returncode == 1 and process.stderr.strip().endswith(
        "There is no such check for this model."
    )


@pytest.mark.parametrize(
    ("place", "others"),
    [
        ("", []),
        ("validation", ["train"]),
        ("my data/test", ["my data/train"]),
        ("train", []),
    ],
)
def test_the_photos_of_the_validation_count_where_there_are_several_parts(tmp_path, place, others):
    fill(tmp_path / "photos" / place)
    for other in others:
        shutil.copytree(tmp_path / "photos" / place, tmp_path / "photos" / other)
    found, said = accuracy.labelled_photos(str(tmp_path / "photos"), ["Pants", "hat", "T-shirt"])
    assert {file.relative_to(tmp_path / "photos" / place).parts[0] for file in found} == {
        "hat",
        "pants",
        "t-shirt",
    }
    assert set(found.values()) == {"Pants", "hat", "T-shirt"}
    assert "dress (2)" in said[1] and "shoes (4)" in said[1] and len(said) == 2


def test_a_class_may_be_called_train(tmp_path):
    for name in "bus", "train":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(JEANS)
    assert set(accuracy.labelled_photos(str(tmp_path), ["bus", "train"])[0].values()) == {
        "bus",
        "train",
    }


def test_a_zip_archive_will_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "generated/downloads").mkdir(parents=True)
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.writestr("photos/pants/1.png", JEANS)
        archive.writestr("__MACOSX/photos/pants/._1.png", b"")
    found, _ = accuracy.labelled_photos("photos.zip", ["pants", "hat"])
    assert list(found.values()) == ["pants"]


@pytest.mark.parametrize(
    ("photos", "said"),
    [
        ("nowhere", "PHOTOS=nowhere does not exist. Expected: a folder of photos for each class."),
        ("empty", r"no photo in a folder of one of the classes \(pants, hat\). Expected: "),
        ("others", r"of one of the classes \(pants, hat\); there are: mug. Expected: a folder of"),
    ],
)
def test_without_a_photo_of_a_class_it_says_what_was_expected(tmp_path, monkeypatch, photos, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty/pants").mkdir(parents=True)
    (tmp_path / "others/mug").mkdir(parents=True)
    (tmp_path / "others/mug/1.png").write_bytes(JEANS)
    with pytest.raises(walk.Problem, match=said):
        accuracy.labelled_photos(photos, ["pants", "hat"])


def test_what_guessing_gives_is_told_from_what_was_learnt():
    assert accuracy.near_chance(34, 341, 10) and not accuracy.near_chance(60, 341, 10)
    assert accuracy.near_chance(28, 50, 2) and not accuracy.near_chance(40, 50, 2)


def test_without_photos_it_says_how_to_name_them():
    assert "make check-model PHOTOS=folder" in check(REPOSITORY).stderr
