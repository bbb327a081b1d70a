"""Mutated pictures: whatever is wrong in a file, the function scores it or says so, soon.

    python tests/mutations.py [FILES] [SEED]

Files of the corpus are changed at random places, in ways that get past the checks of their format:
every second PNG has its checksums put right again. Each must become a tensor, or end in an error with a
name, within SECONDS, and the process must stay below MEMORY. `make soak` runs it.
"""

import base64
import os
import random
import struct
import sys
import time
import warnings
import zlib
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "notebooks"))  # where walk is
sys.path.append(str(Path(__file__).parent.parent / "lambda"))

import corpus
from conftest import REPOSITORY
from tqdm import tqdm

FILES, SEED = (int(given) for given in (*sys.argv[1:], *("20000", "0")[len(sys.argv) - 1 :]))
SECONDS = 5
MEMORY = 600  # MB; the function should have 1,024


def changed(content, chance):
    """A file with one to eight changes: bytes, or runs of them that are cut, repeated or moved."""
    wrong = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        # Half of all changes are in the first bytes, where most formats say what follows.
        end = len(wrong) if chance.random() < 0.5 else min(len(wrong), 400)
        at, length = chance.randrange(end + 1), chance.choice([1, 1, 1, 2, 4, 16, 200])
        piece = wrong[at : at + length]
        match chance.randrange(6):
            case 0:
                wrong[at : at + length] = chance.randbytes(length)
            case 1:
                wrong[at : at + length] = bytes([chance.choice([0, 1, 0x7F, 0x80, 0xFF])]) * length
            case 2:
                del wrong[at : at + length]
            case 3:
                wrong[at:at] = piece * chance.choice([1, 2, 100])
            case 4:
                place = chance.randrange(len(wrong) + 1)
                wrong[place : place + length] = piece
            case 5 if len(wrong) > at:
                wrong[at] ^= 1 << chance.randrange(8)
    return bytes(wrong)


def with_checksums(png):
    """The same PNG with the right checksum behind each chunk."""
    mended, at = bytearray(png[:8]), 8
    while at + 8 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        part = png[at + 4 : at + 8 + length]
        mended += png[at : at + 4] + part + struct.pack(">I", zlib.crc32(part))
        at += 12 + length
    return bytes(mended)


def main():
    model = REPOSITORY / "generated" / "clothing-model.tflite"
    if not model.exists():
        sys.exit(f"{model.relative_to(REPOSITORY)} is missing: run `make`.")
    os.environ["MODEL_PATH"] = str(model)
    import guards

    warnings.simplefilter("ignore")  # Pillow's, of files that are cut off
    plain = {
        k: e
        for k, (e, _) in corpus.pictures().items()
        if k.removeprefix("picture, ") not in corpus.dialects()
    }
    files = {name: base64.b64decode(event["image"]) for name, event in plain.items()}
    sources = {name: content for name, content in files.items() if 8 < len(content) < 300_000}
    names, chance = sorted(sources), random.Random(SEED)
    ends, wrong, slowest = Counter(), [], 0
    for number in tqdm(range(FILES), desc="mutated pictures", unit="file"):
        name = chance.choice(names)
        content = changed(sources[name], chance)
        if content.startswith(b"\x89PNG") and number % 2:
            content = with_checksums(content)
        began = time.monotonic()
        try:
            guards.prepare(content)
            end = "scored"
        except guards.RequestError as error:
            end = type(error).__name__
        except Exception as error:
            end = f"{type(error).__name__}: {error}"
            wrong.append(f"{number}, made of {name}: {end}")
        seconds = time.monotonic() - began
        slowest = max(slowest, seconds)
        if seconds > SECONDS:
            wrong.append(f"{number}, made of {name}: {seconds:.1f} s")
        ends[end] += 1
    status = Path("/proc/self/status").read_text()
    memory = int(status.split("VmHWM:")[1].split()[0]) / 1024  # the most it ever had
    print(", ".join(f"{count:,} {end}" for end, count in ends.most_common()))
    print(f"the slowest took {slowest:.2f} s; the process, {memory:.0f} MB at most")
    if wrong or memory > MEMORY:
        sys.exit("\n".join([*wrong, "the mutated run failed"]))


if __name__ == "__main__":
    main()
