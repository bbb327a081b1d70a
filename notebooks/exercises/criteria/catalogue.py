"""What makes an answer right: the exercises of lesson 10."""

import re
from numbers import Integral, Real
from pathlib import Path

from checks import Wrong, exercise
from walk import costs

# A museum's scans: large pictures, so that each takes long.
SCANS, SECONDS, PER_BATCH = 300_000, 1.5, 0.15  # for a scan, and for a batch of any size
LIMIT, ON_TOP = 30, 0.1  # seconds for a batch; what batches may cost on top

# Batches as they came, with what was in the bucket by then.
KEYS = ["coat.png", "hat.png", "jeans.png"]
LATER = {"coat.png", "jeans.png"}
DELIVERED = [(KEYS, set(KEYS)), (KEYS, LATER), (KEYS[:2], LATER), (KEYS[2:], LATER)]

MACHINE = Path("lambda/template-catalogue.yaml").read_text(encoding="utf-8")
THROTTLED, OTHER = (int(found) for found in re.findall(r'"MaxAttempts": (\d+)', MACHINE))
TROUBLES = {
    "a picture is empty": 0,
    "a picture may not be read": 0,
    "no copy of the function is free": THROTTLED,
    "S3 answers SlowDown": OTHER,
    "the function's Timeout is over": OTHER,
}


def batch_seconds(in_a_batch: float) -> float:
    """Return how long the function works for a batch."""
    return PER_BATCH + in_a_batch * SECONDS


def dollars(in_a_batch: float) -> float:
    """Return what it costs to score all scans, with so many in a batch."""
    seconds = SCANS / in_a_batch * batch_seconds(in_a_batch)
    return sum(costs.catalogue(SCANS, in_a_batch, seconds, 1769).values())


def counts(answer: dict, names) -> None:
    """Raise Wrong unless a dict has these keys, and a whole number for each."""
    if set(answer) != set(names):
        raise Wrong(
            f"Its keys are {', '.join(map(str, answer))}.", f"It needs: {', '.join(names)}."
        )
    for name, found in answer.items():
        if not isinstance(found, Integral) or found < 0:
            raise Wrong(f"{name}: {found!r} is not a count.", "Whole numbers are asked for.")


@exercise(
    "batch-size",
    Real,
    hint="Two limits: `batch_seconds` grows with the batch, `dollars` falls. Ask both for some sizes; "
    "one batch for all scans shows what they cost without batches.",
)
def batch_size(answer):
    if answer != int(answer) or answer < 1:
        raise Wrong(f"{answer} scans in a batch?", "Whole scans are asked for, at least one.")
    seconds, more = batch_seconds(answer), dollars(answer) / dollars(SCANS) - 1
    if seconds > LIMIT:
        raise Wrong(
            f"Such a batch takes {seconds:.0f} seconds.",
            f"At most {LIMIT} are allowed. These pictures are much slower than those of the lesson.",
        )
    if more > ON_TOP:
        raise Wrong(
            f"Batches cost {more:.0%} on top.",
            f"At most {ON_TOP:.0%} are allowed: let more scans share what a batch costs.",
        )
    return (
        f"{seconds:.0f} seconds a batch, and {more:.0%} on top: ${dollars(answer):.2f} for all. The "
        "slower a picture, the smaller the batch: what a batch costs is little beside it."
    )


@exercise(
    "comes-twice",
    dict,
    hint="Write down each delivery: its keys, and the rows that it writes. Which of the objects have "
    "the same name?",
)
def comes_twice(answer):
    written = {tuple(keys): [key in there for key in keys] for keys, there in DELIVERED}
    rows = [found for object_ in written.values() for found in object_]
    truth = {
        "objects": len(written),
        "rows": len(rows),
        "errors": rows.count(False),
        "pictures": len(KEYS),
    }
    counts(answer, truth)
    hints = {
        "objects": "An object's name is made from the keys of its batch. The same keys: the same name; "
        "other keys: another name.",
        "rows": "Add up the rows of the objects that exist in the end.",
        "errors": "hat.png is in two objects. What does each say of it in the end?",
        "pictures": "result_rows has one row for each picture: the newest.",
    }
    for name, value in truth.items():
        if answer[name] > value:
            raise Wrong(f"{name}: not so many as {answer[name]}.", hints[name])
        if answer[name] < value:
            raise Wrong(f"{name}: more than {answer[name]}.", hints[name])
    return (
        "The delivery that came twice left one object, with what was true at the end. Another size of "
        "batches leaves other objects beside it, and whoever reads them lets the newest row count."
    )


@exercise(
    "tried-again",
    dict,
    hint="Is it a row or an error, as `row` of the lesson decides? If it is an error: the first rule in "
    "Retry whose ErrorEquals fits counts, and States.ALL fits all.",
)
def tried_again(answer):
    counts(answer, TROUBLES)
    for trouble, truth in TROUBLES.items():
        found = answer[trouble]
        if found == truth:
            continue
        what = f"{trouble}: not {found}."
        if truth == 0:
            raise Wrong(
                what, "Asking again would not help: the function makes a row of it, not an error."
            )
        if found == truth + 1:
            raise Wrong(what, "MaxAttempts does not count the first try.")
        if truth == THROTTLED:
            raise Wrong(what, "That is Lambda's TooManyRequestsException: which rule names it?")
        raise Wrong(what, "It is an error. Which rule fits any error?")
    return (
        "Patience where others use the same quota, a few tries where something may be broken, none "
        "where asking again cannot help. Each try of a batch is paid for."
    )
