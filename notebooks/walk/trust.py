"""Code that the file of a model holds or asks for, and layers of the reader's own.

To load a model is to build it from its configuration, and that may hold Python code, or name any
function that is installed here. So it is read before Keras sees it.
"""

import builtins
import importlib.util
import re
import sys
from pathlib import Path
from unittest import mock

from .lesson import Problem

# What is in these is a program: Python code, or what another file holds.
PROGRAMS = {"Lambda", "__lambda__", "TFSMLayer", "TensorFlowOpLayer", "ClassMethod"}
PROGRAMS |= {"InstanceMethod", "InstanceProperty"}
PROGRAMS |= {"TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
# Of Keras, what models are made of: it also has functions that download, load and write.
PARTS = "activations|constraints|dtype_policies|engine|initializers|layers|losses|metrics|mixed_precision"
PARTS += "|models|ops|optimizers|quantizers|random|regularizers"
MADE_OF = re.compile(rf"(tf_)?keras(\.src|\._tf_keras|\.keras)*(\.({PARTS})(\..+)?)?")
# Of families, what is defined beside ConvNeXt (the rest there downloads weights), and the initializers
# that Keras 2 took from TensorFlow for EfficientNetV2.
OF_FAMILIES = re.compile(
    r"(tf_)?keras(\.src)?\.applications\.convnext\.LayerScale|"
    r"tensorflow\.python\.ops\.init_ops(_v2)?\.[A-Z]\w+"
)
# Functions of TensorFlow that a Keras 2 model may call: they calculate and do nothing else.
CALCULATES = re.compile(
    r"(compat\.v1\.)?(__operators__|image|linalg|math|nn|quantization|signal)\.\w+|abs|add|arg\w+|"
    r"broadcast_to|cast|clip_by_\w+|concat|constant|convert_to_tensor|divide|einsum|exp|expand_dims|eye|"
    r"fill|gather\w*|identity|matmul|maximum|minimum|multiply|norm|one_hot|ones\w*|pad|pow|range|rank|"
    r"reduce_\w+|repeat|reshape|reverse|round|shape|sigmoid|sign|size|slice|sort|split|sqrt|square|squeeze|"
    r"stack|stop_gradient|strided_slice|subtract|tanh|tensordot|tile|transpose|unstack|where|zeros\w*"
)


def trusted(trust: str) -> bool:
    """Return whether TRUST_MODEL says so; raise a Problem if it is neither true nor false."""
    if str(trust).lower() not in ("", "true", "false"):
        raise Problem(f"TRUST_MODEL={trust} is not one of: true, false.")
    return str(trust).lower() == "true"


def parts(config):
    """Yield each description of an object in a model's configuration, as deep as it may lie."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from parts(value)


def check_code(model: str, config: dict, own: dict) -> None:
    """Raise a Problem if a model's configuration holds code, or names what is no part of a model.

    Parameters
    ----------
    own
        The reader's own layers and functions, by the names that the configuration has for them.
    """
    for part in parts(config):
        name, settings = str(part["class_name"]), part.get("config")
        settings = settings if isinstance(settings, dict) else {}
        if name in PROGRAMS or ("OpLambda" in name and not _calculates(settings)):
            label = settings.get("name") or part.get("name")
            refuse_code(model, f"in its layer {label} ({name})" if label else f"in its {name}")
        if isinstance(settings.get("vocabulary"), str):
            refuse_others(model, settings["vocabulary"])
        module = part.get("module")
        if module and _own_name(part) not in own and not _part_of_keras(module, part):
            if str(module).partition(".")[0] in ("keras", "tf_keras", "builtins"):
                refuse_code(model, f"in its part {module}.{_called(part)}")
            refuse_missing(model, _called(part))


def refuse_code(model: str, where: str):
    """Raise a Problem about code in a model's file."""
    raise Problem(
        f"MODEL={model} holds code, {where[:100]}: whoever made the file decides what that does on this "
        "machine. If you trust them, add TRUST_MODEL=true."
    )


def check_hdf5(model: str, file) -> None:
    """Raise a Problem if an HDF5 file, a path or an open file, has numbers in other files.

    Keras 2 would read these, wherever they are on this machine.
    """
    import h5py

    def elsewhere(name, link):
        return link.filename if isinstance(link, h5py.ExternalLink) else None

    def is_elsewhere(name, found):
        is_numbers = isinstance(found, h5py.Dataset)
        return name if is_numbers and (found.external or found.is_virtual) else None

    with h5py.File(file) as opened:  # either visit ends at the first that is found
        name = opened.visititems_links(elsewhere) or opened.visititems(is_elsewhere)
    if name:
        refuse_others(model, name)


def refuse_others(model: str, name: str):
    """Raise a Problem about another file of this machine that a model's file would have read."""
    raise Problem(
        f"MODEL={model} reads another file of this machine ({name[:100]}), as no model has to. If you trust "
        "whoever made it, add TRUST_MODEL=true."
    )


def refuse_missing(model: str, name: str):
    """Raise a Problem about a layer, or another part, whose code is not in the model's file."""
    raise Problem(
        f"MODEL={model} needs the code of its own {name}, which is not in the file. Put the class or "
        "function into a .py file, and give its path: MODEL_CODE=layers.py."
    )


def _called(part: dict) -> str:
    """Return the name of the class or function that a part is of."""
    return str(part.get("config") if part["class_name"] == "function" else part["class_name"])


def _own_name(part: dict) -> str:
    """Return the name by which Keras looks for a part among those that are not its own."""
    is_function = part["class_name"] == "function"
    return _called(part) if is_function else str(part.get("registered_name", part["class_name"]))


def _calculates(settings: dict) -> bool:
    return bool(CALCULATES.fullmatch(str(settings.get("function"))))


def _part_of_keras(module, part: dict) -> bool:
    """Whether a module, in the description of a part, and the part are what models are made of."""
    if part["class_name"] == "__typespec__":
        return str(module).startswith("tensorflow.") and str(part.get("spec_name")).endswith("Spec")
    if part["class_name"] == "function":  # by its name alone, as in "relu"
        function = part.get("config")
        known = isinstance(function, str) and not hasattr(builtins, function)
        return known and (module == "builtins" or bool(MADE_OF.fullmatch(module)))
    if OF_FAMILIES.fullmatch(f"{module}.{part['class_name']}"):
        return True
    is_class = str(part["class_name"])[:1].isupper()
    return is_class and isinstance(module, str) and bool(MADE_OF.fullmatch(module))


# --- MODEL_CODE ----------------------------------------------------------------------------------


def own_objects(code: str, keras) -> dict:
    """Run the reader's own code; return its classes and functions, by name.

    Parameters
    ----------
    code
        MODEL_CODE: the path of a .py file; nothing if it is empty.
    keras
        The Keras of the model, 2 or 3: what this code takes from `keras` and `tensorflow.keras`.

    Raises
    ------
    Problem
        There is no such file, or its code fails.
    """
    if not code:
        return {}
    path = Path(code)
    if path.suffix != ".py" or not path.is_file():
        raise Problem(f"MODEL_CODE={code} does not exist, or is no .py file on this machine.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        with mock.patch.dict(sys.modules, _named_keras(keras) | {path.stem: module}):
            spec.loader.exec_module(module)
    except Exception as error:
        raise Problem(f"MODEL_CODE={code} fails: {type(error).__name__}: {error}") from None
    return {
        name: value
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
    }


def _named_keras(keras) -> dict:
    """Return the modules of a Keras under the names by which code imports them."""
    import tensorflow

    own = keras.__name__
    modules = {
        f"{name}{path.removeprefix(own)}": module
        for path, module in sys.modules.items()
        if path == own or path.startswith(f"{own}.")
        for name in ("keras", "tensorflow.keras")
    }
    # `from tensorflow import keras` asks TensorFlow, and not the modules.
    facade = type(tensorflow)("tensorflow")
    facade.__dict__.update(vars(tensorflow) | {"keras": keras})
    return modules | {"tensorflow": facade}


def offered(config: dict, own: dict) -> dict:
    """Return the reader's own objects under the names that a configuration has for them, too.

    Registered ones are called "package>Name" there.
    """
    names = {_own_name(part) for part in parts(config)} | {
        str(p["class_name"]) for p in parts(config)
    }
    return own | {name: own[name.split(">")[-1]] for name in names if name.split(">")[-1] in own}


def not_known(config: dict, keras, own: dict) -> list[str]:
    """Return the classes in a configuration that are neither the reader's own nor layers of Keras."""
    places = [keras.layers, keras.models, keras.initializers, keras.regularizers, keras.constraints]
    known = {name for place in places for name in dir(place)} | {"Functional", "function", *own}
    known |= {"DTypePolicy", "Policy", "TFOpLambda", "SlicingOpLambda"}
    names = dict.fromkeys(str(part["class_name"]) for part in parts(config))
    return [name for name in names if name not in known and not name.startswith("__")]


def operations(keras) -> set[str]:
    """Return the names of what calculates in a model of Keras 3 without being a layer."""
    found, new = set(), {getattr(keras, "Operation", None)} - {None}
    while new:
        found |= new
        new = {sub for each in new for sub in each.__subclasses__()} - found
    return {each.__name__ for each in found if not issubclass(each, keras.layers.Layer)}
