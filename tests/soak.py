"""The soak: many mixed requests to one process of the function, under AWS's emulator.

    python tests/soak.py [REQUESTS]

Every answer must equal the one that the same event got before the soak, none may be lost, and after
the first 500 requests the process's memory must not grow by 5 % or more: the median of its last ten
readings against that of the first ten, one every 50 requests. `make soak` runs it.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).parent.parent / "notebooks"))  # where walk is

import corpus
import urllib3
from conftest import REPOSITORY, environment
from picture_files import ASSETS
from picture_server import FETCHED, picture_server
from tqdm import tqdm
from walk import lambda_runtime

REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
SETTLED = 500  # requests until all code and buffers are in use
GROWTH = 0.05
MODEL = REPOSITORY / "generated" / "clothing-model.tflite"
SEED = 0


def memory(pid):
    """Resident memory of a process, in MB."""
    (line,) = [x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in x]
    return int(line.split()[1]) / 1024


def function_process():
    """The process that holds the function: the runtime client's."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").readlink() == REPOSITORY / "lambda"
        except OSError:  # it ended, or is not ours
            continue
        if here and words[1:3] == [b"-m", b"awslambdaric"]:
            return process.name
    sys.exit("the function's process was not found")


def events(server):
    """The events of the corpus and fetched pictures, two thirds of them good."""
    direct = corpus.pictures() | corpus.malformed() | corpus.urls()
    mixed = [event for event, _ in direct.values()]
    mixed += [event for event, _ in corpus.http().values()]
    slow = ("/silent", "/slow-header", "/slow-body", "/endless")
    mixed += [{"url": f"http://{server}{path}"} for path in FETCHED if path not in slow]
    good = [corpus.image_event(path.read_bytes()) for path in ASSETS.glob("*.png")]
    good += [{"url": f"http://{server}/jeans.png"}] * len(good)
    return mixed + good * (2 * len(mixed) // len(good))


def main():
    if not MODEL.exists():
        sys.exit(f"{MODEL.relative_to(REPOSITORY)} is missing: run `make`.")
    if REQUESTS < 2 * SETTLED:
        sys.exit(f"{REQUESTS} requests are too few: memory is compared from number {SETTLED} on.")
    log = Path(tempfile.mkdtemp()) / "log.txt"
    settings = {"MODEL_PATH": str(MODEL), "PICTURE_BYTES": "2000000"}
    # glibc may keep up to 64 MB of what was freed, now more, now less. With a fixed threshold it
    # gives large blocks back at once, and what is measured is the memory in use.
    settings |= {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    settings |= {"folder": REPOSITORY / "lambda", "environment": environment(), "log_file": log}
    with (
        picture_server() as server,
        lambda_runtime("api.lambda_handler", ALLOWED_HOSTS=server, **settings) as runtime,
    ):

        def answer(event):
            response = urllib3.request("POST", runtime.url, body=json.dumps(event), timeout=30)
            body = response.json()
            if isinstance(body, dict):
                body.pop("requestId", None)  # of errors: it is new each time
            return body

        mixed = events(server)
        first_answers = [answer(event) for event in mixed]
        picture = first_answers[-1]  # of a good event: it must be right from the start
        if max(picture, key=picture.get) != "pants":
            sys.exit(f"the function gives wrong answers: {picture}")
        choose, wrong, started, readings = random.Random(SEED), 0, time.monotonic(), []
        for number in tqdm(range(REQUESTS), desc="soak", unit="request"):
            if number >= SETTLED and number % 50 == 0:
                readings.append(memory(function_process()))
            chosen = choose.randrange(len(mixed))
            wrong += answer(mixed[chosen]) != first_answers[chosen]
        seconds = time.monotonic() - started
    lines = [line for line in log.read_text().splitlines() if line.startswith('{"request_id"')]
    lost = len(mixed) + REQUESTS - len(lines)
    before, after = median(readings[:10]), median(readings[-10:])
    growth = after / before - 1
    print(f"{REQUESTS} requests of {len(mixed)} events in {seconds:.0f} s")
    print(
        f"answers that differ from the first: {wrong}; requests without a line in the log: {lost}"
    )
    print(
        f"memory after {SETTLED} requests: {before:.1f} MB, at the end: {after:.1f} MB ({growth:+.1%})"
    )
    if wrong or lost or growth >= GROWTH:
        sys.exit("the soak failed")


if __name__ == "__main__":
    main()
