"""invoke_options.py MODEL ROUNDS: what else the runtime could do, and how long `invoke` takes then.

Prints the median milliseconds of each option, in JSON; all take turns. An option that the installed
runtime lacks is missing.
"""

import json
import statistics
import sys
import time

import numpy as np

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType
except ModuleNotFoundError:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

REQUESTS = 5
WITHOUT_XNNPACK = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
HALF_PRECISION = 4  # TFLITE_XNNPACK_DELEGATE_FLAG_FORCE_FP16, in XNNPACK's xnnpack_delegate.h
file, rounds = sys.argv[1], int(sys.argv[2])


def interpreter(in_place=False, **settings):
    """Return how the interpreter answers, with these settings."""
    made = Interpreter(model_path=file, **settings)
    made.allocate_tensors()
    (input_details,), (output_details,) = made.get_input_details(), made.get_output_details()

    def answer():
        if in_place:
            made.tensor(input_details["index"])()[:] = X
        else:
            made.set_tensor(input_details["index"], X)
        made.invoke()
        return made.get_tensor(output_details["index"])

    return answer


def compiled_model(**settings):
    """Return how LiteRT's newer interface answers; ImportError where there is none."""
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.cpu_options import CpuOptions
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import Options

    cpu = CpuOptions(num_threads=1, **settings)
    options = Options(hardware_accelerators=HardwareAccelerator.CPU, cpu_options=cpu)
    model = CompiledModel.from_file(file, options=options)
    (given,), (got,) = model.create_input_buffers(0), model.create_output_buffers(0)

    def answer():
        given.write(X)
        model.run_by_index(0, [given], [got])
        return got.read(10, np.float32)

    return answer


(details,) = Interpreter(model_path=file).get_input_details()
X = np.random.default_rng(0).uniform(-1, 1, details["shape"]).astype("float32")
options = {
    "as in our function": interpreter(num_threads=1),
    "number of threads not set": interpreter(),
    "picture written in place": interpreter(in_place=True, num_threads=1),
    "without XNNPACK": interpreter(num_threads=1, experimental_op_resolver_type=WITHOUT_XNNPACK),
}
try:
    options["CompiledModel"] = compiled_model()
    options["CompiledModel, half precision"] = compiled_model(xnnpack_flags=HALF_PRECISION)
except ImportError:
    pass
durations = {name: [] for name in options}
for _ in range(rounds):
    for name, answer in options.items():
        answer()  # does not count: the others have emptied the caches
        for _ in range(REQUESTS):
            began = time.perf_counter()
            answer()
            durations[name].append(1000 * (time.perf_counter() - began))
print(json.dumps({name: statistics.median(each) for name, each in durations.items()}))
