"""What the file of a model is, asked of what is in it: names mislead, and are often missing."""

import json
import tarfile
import zipfile
from pathlib import Path

# What the walk cannot take, and what to do about it.
NOT_TAKEN = {
    "empty": "is an empty file. Copy or download it again.",
    "folder": "is a directory, and no model is in it. Expected: the path of a file, or of a SavedModel, "
    "a directory that holds saved_model.pb.",
    "packed": "is an archive that does not hold exactly one model. Unpack it, and give the path of the "
    "model in it.",
    "broken archive": "is an archive that cannot be unpacked: it is broken, has a password, is far too large, "
    "or leads out of its own directory. Unpack it yourself, and give the path of the model in it.",
    "web page": "is a web page and not a model: what a site shows in place of the file, often to sign in. "
    "Download the file in a browser, and give its path.",
    "git-lfs": "is a pointer of git-lfs, which only names the file. Run `git lfs pull` where it was "
    "cloned, or download the file itself.",
    "weights": "holds weights alone, without the layers. Expected: a whole model; make it with the code "
    "that made it before, model.load_weights(…), then model.save('model.keras').",
    "architecture": "holds the layers alone, without their weights. Expected: a whole model; "
    "keras.models.model_from_json(…), model.load_weights(…), then model.save('model.keras').",
    "PyTorch": "is a file of PyTorch, which Keras does not read. Where it was made, torch.onnx.export makes "
    "an ONNX file of it, for which there is an appendix: `make MODEL=model.onnx CLASSES=…`.",
    "safetensors": "is a file of safetensors: weights alone, mostly of PyTorch. Load it where it was made; "
    "torch.onnx.export makes an ONNX file, for which there is an appendix: `make MODEL=model.onnx CLASSES=…`.",
    "ONNX": "is an ONNX file, which Keras does not read. The appendix onnx.ipynb makes a function of it: "
    "give it a name that ends in .onnx, and `make MODEL=….onnx CLASSES=…` runs that.",
    "pickle": "is a pickle (of pickle, joblib or PyTorch): code, which is not run here. Expected: a whole "
    "model; load it where it was made, then model.save('model.keras').",
    "frozen graph": "is a graph of TensorFlow without its SavedModel. Expected: the directory that holds "
    "saved_model.pb and variables.",
    "broken": "is not a Keras model, or it is broken: perhaps a download stopped half-way. Expected: a "
    "whole model as model.save('model.keras') writes it.",
}
KERAS_FILES = {"metadata.json", "config.json"}  # in the zip that a .keras file is


def kind_of(path: Path) -> str:
    """Return what a path holds.

    Returns
    -------
    str
        "keras" or "hdf5", a file of Keras; "saved model", a directory or the zip of one; "keras folder",
        what a .keras file holds, unpacked; "tflite"; or a key of `NOT_TAKEN`, of which "packed", another zip or tar, may hold one of these.
    """
    if path.is_dir():
        return _folder(path)
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        return "empty"
    if start.startswith(b"\x89HDF\r\n"):
        return _hdf5(path)
    if start.startswith(b"PK"):
        return _zip(path)
    if start[4:8] == b"TFL3":
        return "tflite"
    if start.startswith(b"version https://git-lfs"):
        return "git-lfs"
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t")
    if text.startswith(b"<"):
        return "web page"
    if text.startswith(b"model_checkpoint_path") or ".data-0000" in path.name:
        return "weights"
    if path.suffix == ".index" or start.startswith(b"\x93NUMPY"):
        return "weights"
    if text.startswith(b"{"):
        return _json(path)
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1e8:
        return "safetensors"
    if start[:1] == b"\x80" and 2 <= start[1] <= 5:
        return "pickle"
    if path.suffix.lower() == ".onnx" or (start[0] == 8 and start[2:3] == b"\x12"):
        return "ONNX"
    if path.suffix == ".pb":
        return "frozen graph"
    return "packed" if tarfile.is_tarfile(path) else "broken"


def _folder(path: Path) -> str:
    if (path / "saved_model.pb").exists():
        return "saved model"
    if any(path.glob("*.index")) or (path / "checkpoint").is_file():
        return "weights"
    return "keras folder" if all((path / name).exists() for name in KERAS_FILES) else "folder"


def _hdf5(path: Path) -> str:
    import h5py

    try:
        with h5py.File(path) as opened:
            if "model_config" in opened.attrs:
                return "hdf5"
            # Those of model.save_weights, in Keras 2 and in Keras 3.
            weights = {"layer_names", "layers", "vars", "_layer_checkpoint_dependencies"}
            return "weights" if weights & {*opened.attrs, *opened} else "broken"
    except (OSError, RuntimeError):
        return "broken"


def _zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return "broken"
    if KERAS_FILES <= {*names}:
        return "keras"
    if "saved_model.pb" in names:
        return "saved model"
    if any(name.endswith("/data.pkl") for name in names):
        return "PyTorch"
    if names and all(name.endswith(".npy") for name in names):
        return "weights"
    return "packed"


def _json(path: Path) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        return "broken"
    return "architecture" if {"class_name", "modelTopology"} & {*found} else "broken"
