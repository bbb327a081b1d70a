"""The soak: many mixed requests to one process of the function, under AWS's emulator.

    python tests/soak.py [REQUESTS]

Every answer must equal the one that the same event got before the soak, none may be lost, and after
the first 500 requests the process's memory must not grow by 5 % or more. `make soak` runs it.
"""

import json
import random
import sys
import tempfile
import time
from pathlib import Path

import corpus
import urllib3
from conftest import REPOSITORY, emulator
from tqdm import tqdm

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


def events():
    """The events of the corpus that need no other server, two thirds of them good pictures."""
    direct = corpus.pictures() | corpus.malformed() | corpus.urls()
    mixed = [event for name, (event, _) in direct.items() if "unknown" not in name]
    mixed += [event for name, (event, _) in corpus.http().items() if "unknown" not in name]
    good = [corpus.image_event(path.read_bytes()) for path in corpus.ASSETS.glob("*.png")]
    return mixed + good * (2 * len(mixed) // len(good))


def main():
    if not MODEL.exists():
        sys.exit(f"{MODEL.relative_to(REPOSITORY)} is missing: run `make`.")
    log = Path(tempfile.mkdtemp()) / "log.txt"
    with emulator(log, MODEL_PATH=str(MODEL), PICTURE_BYTES="2000000") as address:

        def answer(event):
            response = urllib3.request("POST", address, body=json.dumps(event), timeout=30)
            body = response.json()
            if isinstance(body, dict):
                body.pop("requestId", None)  # of errors: it is new each time
            return body

        mixed = events()
        before = [answer(event) for event in mixed]
        choose, wrong, started, settled = random.Random(SEED), 0, time.monotonic(), None
        for number in tqdm(range(REQUESTS), desc="soak", unit="request"):
            if number == SETTLED:
                settled = memory(function_process())
            chosen = choose.randrange(len(mixed))
            wrong += answer(mixed[chosen]) != before[chosen]
        seconds, after = time.monotonic() - started, memory(function_process())
    lines = [line for line in log.read_text().splitlines() if line.startswith('{"request_id"')]
    lost = len(mixed) + REQUESTS - len(lines)
    growth = after / (settled or after) - 1
    print(f"{REQUESTS} requests of {len(mixed)} events in {seconds:.0f} s")
    print(
        f"answers that differ from the first: {wrong}; requests without a line in the log: {lost}"
    )
    print(
        f"memory after {SETTLED} requests: {settled:.1f} MB, at the end: {after:.1f} MB ({growth:+.1%})"
    )
    if wrong or lost or growth >= GROWTH:
        sys.exit("the soak failed")


if __name__ == "__main__":
    main()
