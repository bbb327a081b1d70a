"""From durations to the record: medians, shares and ratios.

What a number is measured in stands at the end of its name (_ms, _s, _mb, _gb).
"""

import math
from datetime import date
from pathlib import Path

import numpy as np
from walk import costs

from measure import environments
from measure.functions import LOG_PARTS, Function
from measure.models import DEPLOYED, DOCUMENTED, ONE_THREAD, Contender
from measure.plan import Plan
from measure.quota import WHOLE_CORE

SCHEMA = 2  # another number when the names in the record change
PHASES = ["Python", "the runtime, with NumPy", "Pillow, the helper", "the model", "first picture"]
INSTALLED = "tensorflow", "onnxruntime", "litert", "tflite-runtime"
COLD_STARTS = 0.01  # the share of requests that start a new copy of the function: an assumption
MEASURES = {  # of a function, in each round
    "warm request": lambda function: np.median(function.request_ms[WHOLE_CORE], axis=1),
    "cold start": lambda function: np.array(function.cold_start_s),
    "peak memory": lambda function: np.array([function.peak_memory_mb]),
    "unpacked size": lambda function: np.array([function.unpacked_mb]),
}


def summary(turns) -> dict:
    """Return what is kept of the durations of requests, shape (rounds, requests), in ms."""
    turns = np.array(turns)
    middle, late, rounds = np.median(turns), np.percentile(turns, 95), np.median(turns, axis=1)
    return {"median": middle, "p95": late, "rounds": rounds, "requests": turns.size}


def one_thread(contender: Contender) -> list:
    """Return the parts of the requests with one thread, or else (in a quick run) as documented."""
    return contender.parts_ms.get(ONE_THREAD) or contender.parts_ms[DOCUMENTED]


def contender_results(contender: Contender, reference: Contender, operations: int, peak: float):
    """Return what the record says of a contender.

    Parameters
    ----------
    reference
        The same model in Keras.
    operations
        The multiply-adds of the model.
    peak
        The multiply-adds that one core can do in a second.
    """
    results = {key: getattr(contender, key) for key in ("model", "runtime", "precision")}
    results |= {"bytes": Path(contender.file).stat().st_size, "loads": contender.loads}
    if not contender.loads:
        return results
    results |= {"start_s": contender.start_s, "peak_memory_mb": contender.peak_memory_mb}
    if contender.right is not None:
        results["right"] = int(contender.right.sum())
    scores, expected = np.array(contender.scores), np.array(reference.scores)
    same = scores.argmax(axis=1) == expected.argmax(axis=1)
    decode, prepare, invoke = np.median(np.concatenate(one_thread(contender)), axis=0)
    return results | {
        "largest_difference": np.abs(scores - expected).max(),
        "same_answers": int(same.sum()),
        "share_of_peak": operations / (invoke / 1000) / peak,
        "request_ms": {n: summary(contender.request_ms(n)) for n in contender.parts_ms},
        "parts_ms": {"decode": decode, "prepare": prepare, "invoke": invoke},
    }


def anatomy(function: Function, contender: Contender | None) -> dict[str, float]:
    """Return the median milliseconds of each part of a request, with 1,769 MB.

    The function's log has preparing within decode; the contender's worker timed it apart.
    """
    parts = np.median(np.concatenate(function.parts_ms[WHOLE_CORE]), axis=0)
    fetch, decode, invoke = (float(each) for each in parts)
    prepare = 0
    if contender:
        prepare = min(decode, np.median(np.concatenate(one_thread(contender)), axis=0)[1])
    rest = np.median(function.request_ms[WHOLE_CORE]) - fetch - decode - invoke
    found = {"fetch": fetch, "decode": decode - prepare, "prepare": prepare, "invoke": invoke}
    return found | {"rest": rest}


def function_results(function: Function, contender: Contender | None) -> dict:
    """Return what the record says of a function; the contender is the same without Lambda."""
    right = contender.right if contender else None
    parts = function.start_parts_s
    return {
        "unpacked_mb": function.unpacked_mb,
        "cold_start_s": function.cold_start_s,
        "start_parts_s": {name: np.median([each[name] for each in parts]) for name in parts[0]}
        if parts
        else {},
        "request_ms": {memory: summary(turns) for memory, turns in function.request_ms.items()},
        "threads_ms": {
            threads: {name: summary([each]) for name, each in found.items()}
            for threads, found in function.threads_ms.items()
        },
        "work_ms": {memory: work_ms(turns) for memory, turns in function.parts_ms.items()},
        "peak_memory_mb": function.peak_memory_mb,
        "anatomy_ms": anatomy(function, contender),
        "accuracy": None if right is None else right.mean(),
    }


def work_ms(parts: list) -> float:
    """Return the mean duration of decoding, preparing and invoking, without the fetch."""
    parts = np.concatenate(parts)
    return np.mean(np.sum(parts[:, LOG_PARTS.index("decode") :], axis=1))


def mcnemar(first: np.ndarray, second: np.ndarray) -> dict:
    """Compare two models by which photos each gets right: McNemar's exact test.

    Only photos that one gets right and the other wrong tell them apart. If both were equally good,
    a coin could decide which of the two it is; p is the probability that it would decide at least
    as unevenly. Source: https://en.wikipedia.org/wiki/McNemar%27s_test.

    Parameters
    ----------
    first, second
        Of each photo whether the model is right, shape (photos,), bool.

    Examples
    --------
    >>> mcnemar(np.array([1, 1, 1, 0], bool), np.array([0, 0, 1, 0], bool))
    {'only_first': 2, 'only_second': 0, 'p': 0.5}
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    tail = sum(math.comb(differ, k) for k in range(min(only_first, only_second) + 1))
    return {
        "only_first": only_first,
        "only_second": only_second,
        "p": min(1.0, 2 * tail / 2**differ),
    }


def ratios(functions: dict[str, Function]) -> list[dict]:
    """Return how many times as much as ours others take: the median of the rounds, the extremes."""
    found = []
    for mine in [name for name in functions if name.startswith("ours")]:
        others = [name for name in functions if name.startswith(("the course's", "its successor"))]
        others += ["our zip before", "… compiled"] if mine == "ours (zip)" else []
        for other in others:
            for measure, values in MEASURES.items():
                each = values(functions[other]) / values(functions[mine])
                found.append(
                    {
                        "measure": measure,
                        "ours": mine,
                        "other": other,
                        "ratio": np.median(each),
                        "lowest": each.min(),
                        "highest": each.max(),
                    }
                )
    return found


def dollars(found: list[Contender]) -> dict[str, dict]:
    """Return what a million requests cost with each contender in float32, and the deployed one."""
    bills = {}
    for each in found:
        if each.loads and (each.precision == "float32" or each.key == DEPLOYED):
            start_ms = 1000 * np.median(np.sum(each.start_s, axis=1))
            request = costs.request(np.mean(each.request_ms(DOCUMENTED)), WHOLE_CORE)
            start = costs.request(start_ms, WHOLE_CORE)
            bills[", ".join(each.key)] = {
                "requests": 1e6 * request["the call"],
                "duration": 1e6 * request["the function's time"],
                "cold starts": 1e6 * COLD_STARTS * start["the function's time"],
            }
    return bills


def make_record(
    plan: Plan,
    machine: dict,
    facts: dict,
    found: list[Contender],
    functions: dict[str, Function],
    invoke_options: dict[str, dict[str, float]],
) -> dict:
    """Return the record of a run, ready for JSON."""
    by_key = {each.key: each for each in found}
    peak = machine["multiply_adds_per_second"]
    float32, int8 = by_key["ours", "litert", "float32"].right, by_key[DEPLOYED].right
    record = {
        "schema": SCHEMA,
        "date": date.today().isoformat(),
        "quick": plan.quick,
        "left_out": plan.left_out,
        "machine": machine,
        "requirements": environments.requirements(),
        "photos": len(plan.photos),
        "pictures": len(plan.expected["scores"]),
        "course_weights": "the course's" if plan.course_model else "random",
        "environments_mb": {name: environments.sizes(name) for name in INSTALLED},
        "models": facts,
        "phases": PHASES,
        "contenders": [
            contender_results(
                each,
                by_key[each.model, "keras", "float32"],
                facts[each.model]["multiply_adds"],
                peak,
            )
            for each in found
        ],
        "functions": {
            name: function_results(function, by_key.get(function.contender))
            for name, function in functions.items()
        },
        "ratios": ratios(functions),
        "invoke_options_ms": invoke_options,
        "float32_against_int8": mcnemar(float32, int8) if plan.photos else None,
        "prices": {
            "date": costs.DATE,
            "gb_second": costs.GB_SECOND["x86_64"],
            "million_requests": 1e6 * costs.CALL,
        },
        "million_requests_dollars": dollars(found),
    }
    return _plain(record)


def _plain(value):
    """Return the same in types that JSON knows, with four digits."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}")
    return value
