"""What the record says, by name: for lesson 9, its appendix and its exercises."""

import numpy as np

from measure.quota import WHOLE_CORE


def contenders(record: dict) -> dict[tuple[str, str, str], dict]:
    """Return each model on each runtime that loads it, by model, runtime and precision."""
    return {
        (each["model"], each["runtime"], each["precision"]): each
        for each in record["contenders"]
        if each["loads"]
    }


def compared(record: dict) -> list[str]:
    """Return the functions that are compared: the course's, its successor, and ours."""
    names = [name for name in record["functions"] if name.startswith("ours")]
    return ["the course's", "its successor", *names]


def request_ms(record: dict, *key: str, threads: str = "as documented") -> float:
    """Return the median milliseconds of a contender's request, without Lambda."""
    return contenders(record)[key]["request_ms"][threads]["median"]


def phases(record: dict, model: str, runtime: str) -> dict[str, float]:
    """Return the median seconds of each phase of a start, without Lambda, in float32."""
    starts = contenders(record)[model, runtime, "float32"]["start_s"]
    return dict(zip(record["phases"], np.median(starts, axis=0), strict=True))


def start_s(record: dict, model: str, runtime: str, precision: str = "float32") -> float:
    """Return the median seconds from nothing to the first answer, without Lambda."""
    starts = contenders(record)[model, runtime, precision]["start_s"]
    return float(np.median(np.sum(starts, axis=1)))


def warm_ms(record: dict, function: str) -> float:
    """Return the median milliseconds of a function's warm request, with 1,769 MB."""
    return curve(record, function)[WHOLE_CORE]


def curve(record: dict, function: str) -> dict[int, float]:
    """Return the median milliseconds of a function's warm request, by its memory in MB."""
    settings = record["functions"][function]["request_ms"]
    return {int(memory): ms["median"] for memory, ms in settings.items()}


def cold_s(record: dict, function: str) -> float:
    """Return the median seconds of a function's cold start, with 1,769 MB."""
    return float(np.median(record["functions"][function]["cold_start_s"]))
