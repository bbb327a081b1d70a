"""What AWS Lambda charges: for each request, and for memory times duration."""

import numpy as np

# https://aws.amazon.com/lambda/pricing, us-east-1, x86_64, as of 2025: look there before you rely
# on them. What is free each month is not counted.
PRICES = {"date": "2025", "gb_second": 0.0000166667, "million_requests": 0.20}  # $
# MB that come with one whole core; with less a function gets less than a core, in proportion:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
WHOLE_CORE = 1769
SMALLEST = 128  # MB
COLD_STARTS = 0.01  # the share of requests that start a new copy of the function: an assumption


def million(milliseconds, memory):
    """Return what a million times so much work costs ($), without the price of the request itself.

    Parameters
    ----------
    milliseconds
        How long the function works, a number or an array. Lambda counts whole milliseconds: on
        average, half a millisecond is added.
    memory
        The function's memory setting, in MB.
    """
    return 1e6 * (milliseconds + 0.5) / 1000 * memory / 1024 * PRICES["gb_second"]


def bill(request_ms: float, cold_start_ms: float) -> dict[str, float]:
    """Return what a million requests cost ($), in parts, with one whole core."""
    return {
        "requests": PRICES["million_requests"],
        "duration": million(request_ms, WHOLE_CORE),
        "cold starts": COLD_STARTS * million(cold_start_ms, WHOLE_CORE),
    }


def cheapest_memory(one_core_ms: float, all_cores_ms: float, cores: int) -> dict[str, dict]:
    """Return the cheapest memory setting for a function, from the smallest to as many cores.

    Parameters
    ----------
    one_core_ms, all_cores_ms
        The duration of its work on one core, and on all.
    """
    memories = np.arange(SMALLEST, max(cores, 1.5) * WHOLE_CORE + 1)
    shares = (memories / WHOLE_CORE - 1).clip(0) / max(1, cores - 1)  # of the way to all cores
    work_ms = one_core_ms / (memories / WHOLE_CORE).clip(max=1)
    work_ms += shares * (all_cores_ms - one_core_ms)
    cheapest = {}
    for label, wait_ms in ("the picture in the event", 0), ("100 ms of waiting for it", 100):
        dollars = PRICES["million_requests"] + million(work_ms + wait_ms, memories)
        cheapest[label] = {
            "memory_mb": int(memories[dollars.argmin()]),
            "dollars": dollars.min(),
            "within_10_percent_mb": int(memories[dollars < 1.1 * dollars.min()].max()),
        }
    return cheapest
