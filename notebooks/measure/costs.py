"""What AWS Lambda charges: for each request, and for memory times duration."""

from measure.quota import WHOLE_CORE

# https://aws.amazon.com/lambda/pricing, us-east-1, x86_64, as of 2025: look there before you rely
# on them. What is free each month is not counted.
PRICES = {"date": "2025", "gb_second": 0.0000166667, "million_requests": 0.20}  # $
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
