"""The file of a Keras model: found, checked, loaded with the Keras that wrote it, and kept."""

import importlib
import json
import sys
import zipfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock

from .inputs import local_file, refuse
from .lesson import require, save
from .plain import plain

RELEASES = "https://github.com/DataTalksClub/machine-learning-zoomcamp/releases/download"
MODELS = {
    "embedded": "notebooks/assets/clothing-model.h5",
    "course-2021": f"{RELEASES}/chapter7-model/xception_v4_large_08_0.894.h5",
    "course-2025": f"{RELEASES}/dl-models/clothing-model-new.keras",
}
# What the course publishes of its model of 2021.
COURSE_2021_BYTES = 86_185_888


def model_file(model: str) -> Path:
    """Return the file of a Keras model, downloaded where it has a URL.

    Parameters
    ----------
    model
        MODEL: a name in `MODELS`, or the path or URL of a .h5 or .keras file.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a whole Keras model.
    """
    expected = f"{', '.join(MODELS)}, or the path or URL of a .h5 or .keras file"
    file = local_file("MODEL", MODELS.get(model, model), expected)
    size = file.stat().st_size
    if model == "course-2021" and size != COURSE_2021_BYTES:
        refuse(file, f"MODEL={model} has {size:,} bytes, not {COURSE_2021_BYTES:,}: try again.")
    try:
        keras_version(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        refuse(
            file,
            f"MODEL={model} is not a Keras model, or it is broken. Expected: a whole model as "
            "model.save('model.keras') or model.save('model.h5') writes it, not weights alone.",
        )
    return file


def keras_version(file: Path) -> str:
    """Return the version of the Keras that wrote a model file, as in "3.15.1"."""
    import h5py

    if not h5py.is_hdf5(file):
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read("metadata.json"))["keras_version"]
    with h5py.File(file) as opened:
        opened.attrs["model_config"]  # a file of weights alone has none
        return opened.attrs["keras_version"]


# Settings that Keras before 3.15 does not know, with the values at which they change nothing.
NEWER_SETTINGS = {
    "input_axes": None,
    "output_axes": None,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}


def open_to_older_keras(file: Path) -> None:
    """Let Keras 3.4 and later read an HDF5 model of Keras 3.15; the weights stay untouched.

    Keras notes every setting of every layer, and an older Keras refuses those that it does not
    know. The ones that say nothing new are left out of the notes.
    """
    import h5py

    def known(settings):
        return {k: value for k, value in settings.items() if (k, value) not in newer}

    newer = NEWER_SETTINGS.items()
    with h5py.File(file, "r+") as opened:
        config = json.loads(opened.attrs["model_config"], object_hook=known)
        # Assigned instead of modified, the attribute would leave its old text's place empty.
        opened.attrs.modify("model_config", json.dumps(config))


@contextmanager
def loading(model: str, file: Path):
    """Turn an error of `load_model` in the `with` block into a message that says what to do.

    Within the block, `keras.models.load_model` reads a file of Keras 2 with that.
    """
    try:
        with _keras_2() if keras_version(file).startswith(("1.", "2.")) else nullcontext():
            yield
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        loaded = [name for name in ("keras", "tf_keras") if name in sys.modules]
        here = " and ".join(sys.modules[name].__version__ for name in loaded)
        refuse(
            file,
            f"MODEL={model} cannot be loaded. It was written by Keras {keras_version(file)}; here "
            f"is Keras {here}. The reason given: {reason}",
        )


def _keras_2():
    """Let Keras 2 do the work of `keras.models.load_model`, as long as the context lasts."""
    import keras
    import tf_keras

    return mock.patch.object(keras.models, "load_model", tf_keras.models.load_model)


def keep_model(file: Path) -> str:
    """Copy the model's file to where the next lessons look for it; return its path."""
    import h5py

    suffix = ".h5" if h5py.is_hdf5(file) else ".keras"
    kept = f"generated/clothing-model{suffix}"
    save(kept, file.read_bytes())
    return kept


def load_kept_model(expected: dict):
    """Load the Keras model that lesson 1 kept, with the Keras that loaded it there."""
    library = importlib.import_module(expected["library"])
    model = library.models.load_model(require(expected["model"]), compile=False)
    return plain(model, expected["size"])
