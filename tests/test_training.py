"""The training, on a few pictures made here: the real network and its real ImageNet weights."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import walk
from conftest import (
    REPOSITORY,
    code_cells,
    copy_of,
    copy_repository,
    environment,
    make,
    processes_in,
    run,
    wait_for,
)
from PIL import Image
from training_cells import CLASSES, run_until

pytestmark = pytest.mark.xdist_group("training")


@pytest.fixture(scope="module")
def folder(module_path):
    """A copy of the repository with pictures for a training in photos/."""
    folder = copy_repository(module_path / "copy")
    rng = np.random.default_rng(0)
    for split in "train", "validation":
        for name in CLASSES:
            photos = folder / "photos" / split / name
            photos.mkdir(parents=True)
            for number in range(7 if split == "train" else 2):  # 70: batches have an order
                noise = rng.integers(0, 256, (4, 3, 3), "uint8")
                picture = Image.fromarray(noise).resize((120, 160))
                picture.save(photos / f"{number}.jpg")
    (folder / "images.csv").write_text("image,sender_id\nanother,1\n")  # of these, nobody knows it
    return folder


@pytest.fixture(scope="module")
def trained(folder, module_path):
    """A copy of it in which a training of two epochs has run on the downloaded pictures."""
    trained = copy_of(folder, module_path / "trained")
    with zipfile.ZipFile(trained / "photos.zip", "w") as archive:
        for photo in sorted(trained.glob("photos/*/*/*")):
            archive.write(photo, f"clothes-main/{photo.relative_to(trained / 'photos')}")
    shutil.rmtree(trained / "photos")
    with walk.web_server(trained) as address:
        given = f"DATASET={address}/photos.zip", f"PEOPLE={address}/images.csv"
        process = make(trained, "train", *given, "EPOCHS=2")
    (trained / "output.txt").write_text(process.stdout)
    return trained


def history(folder):
    """The figures of each epoch, without the time that it took."""
    record = json.loads((folder / "generated/training-2-epochs/training.json").read_text())
    return [{key: row[key] for key in row if key != "minutes"} for row in record["history"]]


def weights(folder):
    """All weights of the model that the training left, by their names."""
    found = {}
    with h5py.File(folder / "generated/training-2-epochs/clothing-model.h5") as file:
        file["model_weights"].visititems(
            lambda name, item: found.update({name: item[:]} if hasattr(item, "dtype") else {})
        )
    return found


def test_the_texts_say_what_the_committed_training_measured():
    assets = REPOSITORY / "notebooks/assets"
    record = json.loads((assets / "training.json").read_text())
    model, head = f"{record['accuracy']:.3f}", f"{record['accuracy_head_alone']:.3f}"
    assert record["right"] / 341 == record["accuracy"] >= 0.925
    eight_bits = record["accuracy_tflite"]
    by_photos = eight_bits["full int8, 200 photos"], eight_bits["full int8, 200 others"]
    assert max(by_photos) >= record["accuracy"] - 0.01
    lost = [record["right"] - round(341 * each) for each in (eight_bits["full int8"], *by_photos)]
    int8 = f"{eight_bits['full int8']:.3f}"  # calibrated as in lesson 2
    assert re.search(rf"int8 \|.*\| {int8} \|", (REPOSITORY / "README.md").read_text())
    assert f"and {int8} as the full int8 of lesson 2" in (assets / "README.md").read_text()
    readme = (REPOSITORY / "notebooks/README.md").read_text()
    assert re.search(rf"\| embedded: .*\| {model} \|", readme)
    assert re.search(rf"only the head trained \|.*\| {head} \|", readme)
    assert re.search(rf"\| accuracy \| {model} ", (assets / "README.md").read_text())
    printed = (REPOSITORY / "generated/published/train-the-model.ipynb").read_text()
    assert f"accuracy {model}: {record['right']} of 341 validation photos" in printed
    cost = "8 bits cost this model {} of the 341 photos, with photos {} and {}:".format(*lost)
    assert cost in printed
    measured = json.loads((REPOSITORY / "generated/published/measurements.json").read_text())
    multiply_adds = measured["models"]["xception"]["multiply_adds"]
    assert f"does this {multiply_adds / 1e9:.1f} billion times" in printed


def test_what_is_said_of_strangers_is_what_the_folds_gave():
    assets = REPOSITORY / "notebooks/assets"
    rows = json.loads((assets / "folds.json").read_text())
    published = REPOSITORY / "generated/published/train-the-model.ipynb"
    printed = {
        cell.id: "".join(o.get("text", "") for o in cell.outputs) for cell in code_cells(published)
    }
    text = published.read_text()
    assert [row["fold"] for row in rows] == [0, 1, 2, 3, 4]
    for row in rows:
        assert "fold {fold}: {photos} photos of {people} people, ".format(**row) in printed["folds"]
        right = "{head_alone} with the head alone, {all_layers} with all layers\n".format(**row)
        judged = "fold {fold}: {people} people, {photos} photos, right: ".format(**row)
        assert judged + right in printed["strangers"]
        assert row["head_alone"] < row["all_layers"] < row["photos"]

    right, photos = (sum(row[key] for row in rows) for key in ("all_layers", "photos"))
    total = f"{right} of {photos} photos of strangers, {right / photos:.3f}"
    assert f"all layers: {total}" in printed["strangers-drawn"]
    assert total in (assets / "README.md").read_text()
    said = f"{right:,} of {photos:,} photos, {right / photos:.3f}, with the weights of its last"
    assert said in (REPOSITORY / "notebooks/README.md").read_text()
    said = f"five models were right on [{right / photos:.3f} of {photos:,} photos]"
    assert said in (REPOSITORY / "README.md").read_text()

    heads, all_layers = (
        [r[key] / r["photos"] for r in rows] for key in ("head_alone", "all_layers")
    )
    spread = f"{min(all_layers):.3f} to {max(all_layers):.3f}"
    assert f"from {spread}. A fold is" in text
    assert f"(the five folds: {spread};" in (assets / "README.md").read_text()
    assert "| the head alone | {:.3f} | {:.3f} |".format(*heads[:2]) in text
    said = "| **all layers: this notebook** | **{:.3f}** | **{:.3f}** |".format(*all_layers[:2])
    assert said in text


def test_what_is_said_of_8_bits_before_strangers_is_what_the_folds_gave():
    rows = json.loads((REPOSITORY / "notebooks/assets/folds.json").read_text())
    asked = [row for row in rows if "lost_by_8_bits" in row]
    photos = sum(row["photos"] for row in asked)
    drawings, one, other = map(sum, zip(*(row["lost_by_8_bits"] for row in asked), strict=True))
    said = f"with the drawings they lost {drawings} of {photos:,} photos of strangers, "
    said += f"with two draws of photos {one} and {other}."
    assert said in (REPOSITORY / "generated/published/train-the-model.ipynb").read_text()


def test_a_training_on_downloaded_pictures_leaves_its_figures(trained):
    assert "of 20 validation photos, after epoch" in (trained / "output.txt").read_text()
    record = json.loads((trained / "generated/training-2-epochs/training.json").read_text())
    assert record["photos"] == record["people"] == [70, 20]  # nobody is known to have sent two
    assert record["epochs"] == len(record["history"]) == 2
    assert record["accuracy"] == record["right"] / 20
    assert list(record["per_class"]) == CLASSES
    assert list(record["accuracy_head_both_ways"]) == [
        "split by photo",
        "split by person",
        "by person, learned from undisputed labels",
    ]
    assert sum(row["photos"] for row in record["per_class"].values()) == 20
    assert (trained / "generated/training-2-epochs/mistakes.png").stat().st_size > 10_000


def test_what_is_published_of_it_holds_no_photos_and_no_progress_bars(trained):
    process = run([sys.executable, "notebooks/commands", "publish"], trained)
    assert "published: train-the-model\n" in process.stdout, process.stderr
    copy = trained / "generated/published/train-the-model.ipynb"
    assert "photos.zip" not in copy.read_text()  # nor where they were
    cells = code_cells(copy)
    private = [cell for cell in cells if "unpublished" in cell.metadata.get("tags", [])]
    assert len(private) > 3 and not any(cell.outputs for cell in private)
    # A photo is shown by imshow: only the confusion matrix uses it in a cell that is published.
    shown = [cell for cell in cells if "imshow" in cell.source and cell not in private]
    assert ["axis.imshow(shares_of_row" in cell.source for cell in shown] == [True]
    drawn = [
        cell.id for cell in cells if any("image/png" in o.get("data", {}) for o in cell.outputs)
    ]
    assert drawn == ["ways-drawn", "cell-45", "cell-49", "strangers-drawn"]


def test_its_model_is_loadable_small_and_goes_through_notebook_1(trained):
    model = "generated/training-2-epochs/clothing-model.h5"
    assert (trained / model).stat().st_size < 15e6
    with h5py.File(trained / model) as file:  # as tests/test_older_keras.py explains
        assert "input_axes" not in file.attrs["model_config"]
    make(trained, f"MODEL={model}", "generated/01-keras-model.ipynb")
    scores = json.loads((trained / "generated/expected-scores.json").read_text())["scores"]
    assert [list(row) for row in scores.values()] == [CLASSES] * len(scores)


def test_a_killed_training_goes_on_and_ends_with_the_same_model(trained, folder, tmp_path):
    again = copy_of(folder, tmp_path / "copy")
    process = subprocess.Popen(
        ["make", "VENV=", "train", "DATASET=photos", "PEOPLE=images.csv", "EPOCHS=2"],
        cwd=again,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    checkpoint = again / "generated/training-2-epochs/checkpoint.weights.h5"
    wait_for(lambda: checkpoint.exists() or process.poll() is not None, seconds=600)
    time.sleep(1)  # into the second epoch
    for number in processes_in(again):  # make, the notebook's runner, its kernel
        os.kill(number, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_in(again))
    assert (
        checkpoint.exists() and not (again / "generated/training-2-epochs/training.json").exists()
    )
    with h5py.File(checkpoint) as file:
        assert len(json.loads(file.attrs["training"])["history"]) == 1

    make(again, "train", "DATASET=photos", "PEOPLE=images.csv", "EPOCHS=2")
    assert history(again) == history(trained)
    resumed, straight = weights(again), weights(trained)
    assert list(resumed) == list(straight)
    assert all(np.array_equal(resumed[name], straight[name]) for name in straight)


def remove(path):
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def look_through(folder, monkeypatch, **parameters):
    """Run the notebook's cells up to the one that opens each photo, in this process."""
    monkeypatch.chdir(folder)
    Path("generated").mkdir(exist_ok=True)
    return run_until("cell-10", **parameters)


def test_a_zip_of_photos_may_lie_on_this_machine(folder, tmp_path, monkeypatch):
    shutil.make_archive(tmp_path / "photos", "zip", folder, "photos")
    values = look_through(tmp_path, monkeypatch, DATASET="photos.zip")
    assert len(values["train_files"]) == 70 and len(values["validation_files"]) == 20
    assert values["train_files"][0].is_relative_to("generated/downloads")


@pytest.mark.parametrize(
    ("spoil", "parameters", "message"),
    [
        ("photos/train/skirt", {}, "no photos in train/skirt. Expected: "),
        ("photos/validation/hat/*", {}, "no photos in validation/hat. Expected: "),
        (None, {"EPOCHS": "0"}, "EPOCHS=0. Expected: a whole number, at least 1."),
        (None, {"EPOCHS": "many"}, "EPOCHS=many. Expected: a whole number"),
        (None, {"LIMIT": "-1"}, "LIMIT=-1. Expected: a whole number, at least 0."),
        (None, {"DATASET": "http://127.0.0.1:9/x.zip"}, "x.zip could not be downloaded"),
        (None, {"DATASET": "photos.txt"}, "DATASET=photos.txt is not a zip archive, or it did not"),
    ],
)
def test_a_mistake_gets_one_clear_message(
    folder, tmp_path, monkeypatch, spoil, parameters, message
):
    shutil.copytree(folder / "photos", tmp_path / "photos")
    (tmp_path / "photos.txt").write_text("none")
    for path in sorted(tmp_path.glob(spoil)) if spoil else []:
        remove(path)
    with pytest.raises(walk.Problem, match=re.escape(message)):
        look_through(tmp_path, monkeypatch, **{"DATASET": "photos"} | parameters)
    assert not list(tmp_path.glob("generated/training-*/checkpoint*"))


def test_make_passes_such_a_message_on(folder, tmp_path):
    said = complaint(copy_of(folder, tmp_path / "copy"), "DATASET=nowhere")
    assert "DATASET=nowhere: no photos in train/dress, train/hat" in said


def test_a_broken_photo_is_named(folder, tmp_path):
    copy = copy_of(folder, tmp_path / "copy")
    photo = copy / "photos/train/shoes/1.jpg"
    photo.write_bytes(photo.read_bytes()[:-400])
    (copy / "photos/validation/dress/0.jpg").write_text("<html>")
    said = complaint(copy, "")
    assert (
        "broken, or not pictures: train/shoes/1.jpg, validation/dress/0.jpg. Remove them." in said
    )


def complaint(folder, arguments):
    """What a training that must not start says, after its progress bars."""
    command = ["make", "VENV=", "train", "DATASET=photos", *arguments.split()]
    process = run(command, folder)
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    assert not list(folder.glob("generated/training-*/checkpoint*"))
    return process.stderr
