"""time_variants.py SETTINGS (JSON): how long a package's interpreter takes for each file, with one thread.

Says "answered" as soon as the first file has answered, for the start; then, for each line of standard
input, the milliseconds of some calls of `invoke` with each variant, in JSON. A variant that the package
cannot load is missing.
"""

# The runtime is imported first, as in our function.
# ruff: noqa: E402

import importlib
import json
import sys
import time
from itertools import pairwise

settings = json.loads(sys.argv[1])
if settings["package"] == "tensorflow":
    import tensorflow as tf

    Interpreter = tf.lite.Interpreter
else:
    module = f"{settings['package'].replace('-', '_')}.interpreter"
    Interpreter = importlib.import_module(module).Interpreter

from keras_image_helper import create_preprocessor

CALLS = 2


def load(file):
    """Return the interpreter of a file, which has seen the picture once."""
    interpreter = Interpreter(model_path=file, num_threads=1)
    interpreter.allocate_tensors()
    (details,) = interpreter.get_input_details()
    _, height, width, channels = details["shape"]
    # Times depend on the picture's size, not on its scaling: any model's does.
    preprocessor = create_preprocessor("xception", target_size=(width, height))
    X = preprocessor.from_path(settings["picture"])[..., :channels]
    interpreter.set_tensor(details["index"], X)
    interpreter.invoke()
    return interpreter


(first, *others), files = settings["files"], settings["files"]
interpreters = {first: load(files[first])}
print("answered", flush=True)

for variant in others:
    try:
        interpreters[variant] = load(files[variant])
    except (RuntimeError, ValueError):  # an operation in a version that it does not know
        pass

for _ in sys.stdin:
    durations = {}
    for variant, interpreter in interpreters.items():
        interpreter.invoke()  # does not count: the others have emptied the processor's caches
        times = [time.perf_counter()]
        for _ in range(CALLS):
            interpreter.invoke()
            times.append(time.perf_counter())
        durations[variant] = [1000 * (end - begin) for begin, end in pairwise(times)]
    print(json.dumps(durations), flush=True)
