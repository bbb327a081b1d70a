"""The file of a Keras model: found, checked, loaded with the Keras that wrote it, and kept."""

import importlib
import io
import json
import shutil
import sys
import tarfile
import zipfile
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from .content import NOT_TAKEN, kind_of
from .inputs import as_text, local_file, refuse
from .lesson import Problem, require, save
from .older import mended
from .plain import plain
from .saved_models import read_saved_model, reason_of
from .trust import (
    check_code,
    check_hdf5,
    not_known,
    offered,
    operations,
    own_objects,
    refuse_code,
    refuse_missing,
    trusted,
)

RELEASES = "https://github.com/DataTalksClub/machine-learning-zoomcamp/releases/download"
MODELS = {
    "embedded": "notebooks/assets/clothing-model.h5",
    "course-2021": f"{RELEASES}/chapter7-model/xception_v4_large_08_0.894.h5",
    "course-2025": f"{RELEASES}/dl-models/clothing-model-new.keras",
}
# What the course publishes of its model of 2021.
COURSE_2021_BYTES = 86_185_888

MOST_UNPACKED = 10_000_000_000  # bytes; a bomb of 10 MB makes as many
SUFFIXES = {"hdf5": ".h5", "keras": ".keras", "saved model": ".zip"}  # by which Keras knows them
TFLITE = (
    "is a TensorFlow Lite model already, so that lessons 1 and 2 have nothing to do. `make`, or `python "
    "notebooks/commands execute 01-keras-model MODEL=…`, leaves what lesson 3 needs."
)
NOT_IN_HDF5 = (
    "a calculation outside of any layer, which Keras 3 does not read from HDF5. Where it was made, save it "
    "with model.save('model.keras')."
)


def model_file(model: str) -> Path:
    """Return the file of a Keras model, as `found` finds it.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a whole Keras model.
    """
    file = found(model)
    if kind_of(file) == "tflite":
        raise Problem(f"MODEL={model} {TFLITE}")
    return file


def found(model: str) -> Path:
    """Return the file of a model, downloaded where it has a URL.

    A directory (a SavedModel) is packed into one file, and an archive unpacked.

    Parameters
    ----------
    model
        MODEL: a name in `MODELS`, or the path or URL of a model, whatever its name ends in.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a whole model.
    """
    address = MODELS.get(as_text("MODEL", model, "model.keras"), model)
    if Path(address).is_dir():
        file = _packed(Path(address))
    else:
        expected = f"{', '.join(MODELS)}, or the path or URL of a model"
        file = local_file("MODEL", address, expected)
    size = file.stat().st_size
    if model == "course-2021" and size != COURSE_2021_BYTES:
        refuse(file, f"MODEL={model} has {size:,} bytes, not {COURSE_2021_BYTES:,}: try again.")
    kind = kind_of(file)
    if kind == "packed":
        try:
            file = _unpacked(file)
            kind = kind_of(file)
        except Exception:  # who wrote such a file may have written anything
            kind = "broken archive"
    if kind in NOT_TAKEN:
        refuse(file, f"MODEL={model} {NOT_TAKEN[kind]}")
    return file


def _packed(folder: Path) -> Path:
    """Return one file with what is in the directory of a model; the directory, if none is in it."""
    kind = kind_of(folder)
    if kind in NOT_TAKEN:
        return folder
    suffix = ".keras" if kind == "keras folder" else ".zip"
    file = Path("generated", folder.resolve().name + suffix)
    with TemporaryDirectory() as work:
        save(file, Path(shutil.make_archive(f"{work}/model", "zip", folder)).read_bytes())
    return file


def _unpacked(archive: Path) -> Path:
    """Return the one model that lies in an archive; the archive, if there is not one alone."""
    folder = Path("generated/unpacked", sha256(archive.read_bytes()).hexdigest()[:8])
    shutil.rmtree(folder, ignore_errors=True)
    # Nothing is written outside of the folder, and no more than a model has. A tar comes first: one with a
    # zip in it looks like a zip.
    if tarfile.is_tarfile(archive):
        _extract_tar(archive, folder)
    else:
        with zipfile.ZipFile(archive) as opened:
            _check_size(each.file_size for each in opened.infolist())
            opened.extractall(folder)
    found = [folder, *(path for path in folder.rglob("*") if path.exists())]
    kinds = {path: kind_of(path) for path in found}
    models = [path for path, kind in kinds.items() if kind in {*SUFFIXES, "keras folder", "tflite"}]
    if len(models) != 1:
        return archive
    return _packed(models[0]) if models[0].is_dir() else models[0]


def _extract_tar(archive: Path, folder: Path) -> None:
    """Write the files of a tar, and no links or devices. (Python 3.11.2 knows no safe extractall.)"""
    with tarfile.open(archive) as opened:
        files = [each for each in opened if each.isfile()]
        _check_size(each.size for each in files)
        for each in files:
            path = folder / each.name
            if not path.resolve().is_relative_to(folder.resolve()):
                raise ValueError("outside")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                shutil.copyfileobj(opened.extractfile(each), file)


def _check_size(sizes) -> None:
    total = 0
    for size in sizes:
        total += size
        if total > MOST_UNPACKED:
            raise ValueError("too large")


def keras_version(file: Path) -> str:
    """Return the version of the Keras that wrote a model file, as in "3.15.1"; "2" if it says none."""
    import h5py

    if kind_of(file) == "keras":
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read("metadata.json")).get("keras_version", "2")
    with h5py.File(file) as opened:
        return str(opened.attrs.get("keras_version", "2"))


def _config(file: Path) -> dict:
    """Return the configuration of the model in a file: its layers, and how they are connected."""
    import h5py

    if kind_of(file) == "keras":
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read("config.json")) | {"compile_config": None}
    with h5py.File(file) as opened:
        return json.loads(opened.attrs["model_config"])


def _numbers(file: Path):
    """Yield the HDF5 files with a model's weights: the file itself, or those in it, opened."""
    if kind_of(file) == "hdf5":
        yield file
        return
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith(".h5"):
                yield io.BytesIO(archive.read(name))


def read_model(model: str, file: Path, code: str = "", trust: str = ""):
    """Load a model with the Keras that wrote it.

    Parameters
    ----------
    model
        MODEL, for messages.
    file
        What `model_file` returned.
    code, trust
        MODEL_CODE and TRUST_MODEL.

    Returns
    -------
    keras.Model or tf_keras.Model

    Raises
    ------
    Problem
        It holds code and is not trusted, needs code that is not there, or cannot be loaded.
    """
    trust = trusted(trust)
    if kind_of(file) == "saved model":
        if not trust:
            refuse_code(model, "as every SavedModel does (it is a program of TensorFlow's)")
        return read_saved_model(model, file)
    try:
        version, config = keras_version(file), _config(file)
        keras = importlib.import_module("tf_keras" if version.startswith(("1.", "2")) else "keras")
        own = offered(config, own_objects(code, keras))
        if not trust:
            check_code(model, config, own)
            for numbers in _numbers(file):
                check_hdf5(model, numbers)
    except Problem:
        raise
    except Exception:  # who wrote such a file may have written anything
        refuse(file, f"MODEL={model} {NOT_TAKEN['broken']}")
    try:
        return _read(file, keras, own, trust)
    except Exception as error:
        for name in not_known(config, keras, own):
            if name in operations(keras):  # a file of Keras 3, which reads no such file of its own
                refuse(file, f"MODEL={model} holds {name}, {NOT_IN_HDF5}")
            refuse_missing(model, name)
        loaded = [sys.modules[name] for name in ("keras", "tf_keras") if name in sys.modules]
        here = " and ".join(each.__version__ for each in loaded)
        refuse(
            file,
            f"MODEL={model} cannot be loaded. It was written by Keras {version}; here is Keras {here}. "
            f"The reason given: {reason_of(error)}",
        )


def _read(file: Path, keras, own: dict, trust: bool):
    with TemporaryDirectory() as work:
        copy = Path(work, f"model{SUFFIXES[kind_of(file)]}")
        file = mended(file, copy, keras)
        if file.suffix != copy.suffix:
            file = shutil.copy(file, copy)
        # Not that of keras.models: see `loading`.
        load = keras.saving.load_model
        return load(file, custom_objects=own, compile=False, safe_mode=not trust)


@contextmanager
def loading(model: str, file: Path, code: str = "", trust: str = ""):
    """Let `keras.models.load_model` in the `with` block do what `read_model` does."""
    import keras

    def load_model(path, **options):
        return read_model(model, Path(path), code, trust)

    with mock.patch.object(keras.models, "load_model", load_model):
        yield


def keep_model(file: Path) -> str:
    """Copy the model's file to where the next lessons look for it; return its path."""
    kept = f"generated/clothing-model{SUFFIXES[kind_of(file)]}"
    save(kept, file.read_bytes())
    return kept


def load_kept_model(expected: dict):
    """Load the Keras model that lesson 1 kept, as it was loaded there."""
    file = require(expected["model"])
    if kind_of(file) == "tflite":
        raise Problem(f"MODEL {TFLITE} Go on with lesson 3.")
    loaded = read_model(str(file), file, expected["model_code"], expected["trust_model"])
    return plain(loaded, expected["size"])
