"""worker.py SETTINGS (JSON): load a model, then do what each line of standard input says.

It notes when Python was up, when the runtime was imported, when the model was loaded and when the
first picture was answered. All contenders run this program; what differs between the runtimes is
in load_keras.py, load_tflite.py and load_onnx.py.
"""

# Where an import stands decides in which phase of the start its time is counted.
# ruff: noqa: E402

import importlib
import json
import sys
import time
from itertools import pairwise

began = time.monotonic()  # the same clock for all processes
settings = json.loads(sys.argv[1])
load = importlib.import_module(settings["program"]).load
imported = time.monotonic()

from io import BytesIO
from pathlib import Path

from keras_image_helper import create_preprocessor
from PIL import Image

ready = time.monotonic()
(height, width), score = load(settings)
preprocessor = create_preprocessor(settings["preprocessing"], target_size=(width, height))
loaded = time.monotonic()


def answer(content: bytes) -> tuple[list[float], list[float]]:
    """Return the scores of a picture; the milliseconds for decoding, preparing and scoring it."""
    times = [time.perf_counter()]
    image = Image.open(BytesIO(content)).convert("RGB")
    times.append(time.perf_counter())
    X = preprocessor.convert_to_tensor(image)
    times.append(time.perf_counter())
    scores = score(X)
    times.append(time.perf_counter())
    return scores[0].tolist(), [1000 * (b - a) for a, b in pairwise(times)]


def say(**what) -> None:
    """Print a line of JSON, with the most memory that this process ever had, in MB."""
    memory = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])  # KiB
    print(json.dumps(what | {"peak_memory_mb": memory * 1024 / 1e6}), flush=True)


content = Path(settings["picture"]).read_bytes()
answer(content)
times = [settings["started"], began, imported, ready, loaded, time.monotonic()]
say(phases=[b - a for a, b in pairwise(times)])

for line in sys.stdin:
    order = json.loads(line)
    if "requests" in order:
        answer(content)  # does not count: the others have emptied the caches
        say(times=[answer(content)[1] for _ in range(order["requests"])])
    else:
        say(scores=[answer(Path(file).read_bytes())[0] for file in order["pictures"]])
