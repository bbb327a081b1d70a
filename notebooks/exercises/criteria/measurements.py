"""What makes an answer right: the exercises of lesson 9."""

from collections.abc import Callable
from numbers import Real

import walk
from checks import Wrong, exercise, returned
from measure import reading
from measure.quota import WHOLE_CORE
from measure.ratios import times

record = walk.load_measurements()


@exercise(
    "int8-speed",
    dict,
    hint="The milliseconds of float32, divided by those of int8, for our model on the same runtime.",
)
def int8_speed(answer):
    def near(found, value):
        return abs(found / value - 1) < 0.05

    if set(answer) != {"tflite-runtime", "litert"}:
        keys = ", ".join(map(str, answer))
        raise Wrong(f"Its keys are {keys}.", "Two runtimes: tflite-runtime and litert.")
    for runtime, found in answer.items():
        if not isinstance(found, Real) or found <= 0:
            raise Wrong(f"{runtime}: {found!r} is not a factor.", "A number above 0 is asked for.")
        truth, other = (
            reading.request_ms(record, model, runtime, "float32")
            / reading.request_ms(record, model, runtime, "int8")
            for model in ("ours", "xception")
        )
        if near(found, truth):
            continue
        if near(found, 1 / truth):
            raise Wrong(
                f"{runtime}: {found:.2f} is the other way round.",
                "Twice as fast is a factor of 2: which of the two times is the larger, then?",
            )
        if near(found, other):
            raise Wrong(f"{runtime}: that is Xception's.", "Take the rows of our own model.")
        raise Wrong(
            f"{runtime}: {found:.3f} is not what the record says.",
            "From the column ms take the rows of this runtime, float32 and int8, and divide. Do not "
            "round before you have divided.",
        )
    return (
        f"The same file makes LiteRT {times(answer['litert'], 'faster')}, and tflite-runtime "
        f"{times(answer['tflite-runtime'], 'faster')}. Never say that a model is fast; say where."
    )


@exercise(
    "gb-seconds",
    Callable,
    hint="Gigabytes times seconds: make gigabytes of the megabytes, and seconds of the milliseconds.",
    errors={"positional argument": "It is given two numbers: the milliseconds, and the megabytes."},
)
def gb_seconds(answer):
    found = returned(answer(1000, 1024))
    if not isinstance(found, Real):
        raise Wrong(f"It returned {found!r}.", "A number is asked for.")
    for value, what, hint in (
        (1000, "A second came out as 1,000.", "The function is given milliseconds."),
        (1024, "A gigabyte came out as 1,024.", "The function is given megabytes."),
        (
            1_024_000,
            "A second of a gigabyte came out as 1,024,000.",
            "The function is given milliseconds and megabytes: make seconds and gigabytes of both.",
        ),
        (1.024, "1,024 MB came out as 1.024 GB.", "Lambda counts 1,024 MB as one GB."),
    ):
        if abs(found / value - 1) < 1e-6:
            raise Wrong(what, hint)
    for milliseconds, memory_mb, truth, hint in (
        (1000, 1024, 1, "That is one gigabyte for a second."),
        (500, 1024, 0.5, "That is one gigabyte for half a second."),
        (500, 512, 0.25, "That is half a gigabyte for half a second: both halves count."),
    ):
        found = answer(milliseconds, memory_mb)
        if abs(found - truth) > 1e-6:
            raise Wrong(f"For {milliseconds} ms with {memory_mb} MB it returned {found}.", hint)
    return (
        "Half the memory for twice the time costs the same. So less memory is only cheaper where the "
        "function does not become that much slower."
    )


@exercise(
    "cheapest-memory",
    Callable,
    hint="Of the settings that are fast enough, which key has the fewest gigabyte-seconds?",
    errors={
        "positional argument": "It is given two things: the dict, and the limit in milliseconds.",
        "arg is an empty": "Nothing was left to choose from, although a setting takes at most the limit.",
    },
)
def cheapest_memory(answer):
    made_up = {128: 900.0, 512: 200.0, 1024: 110.0, 1769: 70.0, 3538: 75.0}

    def chosen(limit, milliseconds=made_up):
        found = returned(answer(dict(milliseconds), limit))
        if not isinstance(found, Real) or found not in milliseconds:
            raise Wrong(
                f"It returned {found!r}.", "A memory in MB is asked for: a key of the dict."
            )
        return found

    found = chosen(1000)
    if found == 1769:
        raise Wrong("It chose the fastest.", "Fast is not cheap: the memory is paid for, too.")
    if found == 128:
        raise Wrong(
            "It chose the smallest.", "The function becomes slow with it, and the time is paid for."
        )
    if found != 512 or chosen(1000, {256: 119.0, 512: 58.0, 1024: 20.0, 1769: 15.0}) != 1024:
        raise Wrong(
            "It does not always choose the cheapest.",
            "Calculate the gigabyte-seconds of each setting in the dict that it is given, and compare.",
        )
    for limit, truth in (150, 1024), (100, 1769), (200, 512):
        found = chosen(limit)
        if made_up[found] > limit:
            raise Wrong(
                f"For at most {limit} ms it chose {found:,} MB, which takes {made_up[found]:.0f} ms.",
                "First leave out what is too slow, then choose.",
            )
        if found != truth:
            raise Wrong(
                f"For at most {limit} ms it chose {found:,} MB, but {truth:,} MB is fast enough and "
                "cheaper.",
                "At most means that the limit itself is still fast enough; then the cheapest counts.",
            )
    return about_our_image(answer)


def about_our_image(answer) -> str:
    """Say what is cheapest for our image, and why the lessons order 1,769 MB."""
    curve = reading.curve(record, "ours (image)")
    best = answer(curve, max(curve.values()))
    said = f"For our image it is {best:,} MB if {curve[best]:.0f} ms are soon enough."
    limit = curve[WHOLE_CORE]
    if best == WHOLE_CORE or answer(curve, limit) != WHOLE_CORE:
        return said
    more = limit * WHOLE_CORE / (curve[best] * best) - 1
    return (
        f"{said} If an answer may take {limit:.0f} ms at most, it is {WHOLE_CORE:,} MB, for "
        f"{more:.0%} more. That is what the lessons order: a whole CPU for the one thread."
    )
