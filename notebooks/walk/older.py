"""Files of Keras models that another version wrote: what its notes lack or have too much is mended."""

import inspect
import io
import json
import re
import shutil
import zipfile
from pathlib import Path

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


def mended(file: Path, copy: Path, keras) -> Path:
    """Return a model's file that this Keras reads: the file, or a copy where an older one wrote it.

    Parameters
    ----------
    copy
        Where to; its name ends in .h5 or .keras, as that of such a file should.
    keras
        The Keras that is to read it, 2 or 3.
    """
    import h5py

    def known(part):
        return _known(part, keras)

    if copy.suffix == ".h5":
        with h5py.File(file) as opened:
            before = json.loads(opened.attrs["model_config"])
        config = json.loads(json.dumps(before), object_hook=known)
        if config != before:
            shutil.copy(file, copy)
            with h5py.File(copy, "r+") as opened:
                opened.attrs["model_config"] = json.dumps(config)
        return copy if config != before else file
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    changed = {}
    config = json.loads(content["config.json"], object_hook=known)
    if config != json.loads(content["config.json"]):
        changed["config.json"] = json.dumps(config)
    weights = content.get("model.weights.h5", b"")
    if keras.__name__ == "tf_keras" and b"_layer_checkpoint_dependencies" in weights:
        changed["model.weights.h5"] = _weights_of_2_13(weights)
    if changed:
        with zipfile.ZipFile(copy, "w") as archive:
            for name, value in (content | changed).items():
                archive.writestr(name, value)
    return copy if changed else file


def _known(part: dict, keras):
    """Return a part of a model's notes as this Keras understands it."""
    name, settings = part.get("class_name"), part.get("config")
    if keras.__name__ == "tf_keras":
        # Keras 2.12 did not have its modules in keras.src yet, and wrapped numbers.
        if isinstance(part.get("module"), str):
            part["module"] = re.sub(r"^keras\.(engine|layers)\.", r"keras.src.\1.", part["module"])
        if name == "__numpy__" and isinstance(settings["value"], float | int):
            return settings["value"]
        # A function of the reader's own, which HDF5 has by its name alone.
        return settings if name == "function" and isinstance(settings, str) else part
    if not isinstance(settings, dict):
        return part
    # Keras 3.0 to 3.5 noted it for every layer that changes pictures.
    layer = getattr(keras.layers, str(name), None)
    if layer and "value_range" in settings:
        if "value_range" not in inspect.signature(layer.__init__).parameters:
            del settings["value_range"]
    # Until Keras 3.7 a single input or output stood in a list; in a nested model it makes one today.
    for ends in "input_layers", "output_layers":
        match settings.get(ends):
            case [list(only)] if name == "Functional":  # neither a dict of them nor one by itself
                settings[ends] = only
    return part


def _weights_of_2_13(content: bytes) -> bytes:
    """Return the weights of Keras 2.12 to 2.14 under the names of 2.15.

    Layers with weights were listed there twice, and counted twice: conv2d, conv2d_2, conv2d_4.
    """
    import h5py

    def rename(group):
        if "_layer_checkpoint_dependencies" in group:
            group.move("_layer_checkpoint_dependencies", "layers")
            layers = group["layers"]
            counted = [re.fullmatch(r"(.*?)(?:_(\d+))?", name).groups("0") for name in layers]
            following = {}
            for kind, number in sorted(counted, key=lambda each: (each[0], int(each[1]))):
                place = following[kind] = following.get(kind, -1) + 1
                old, new = (f"{kind}_{n}" if int(n) else kind for n in (number, place))
                if old != new:
                    layers.move(old, new)
        for child in group.values():
            if isinstance(child, h5py.Group):
                rename(child)

    file = io.BytesIO(content)
    with h5py.File(file, "r+") as opened:
        rename(opened)
    return file.getvalue()
