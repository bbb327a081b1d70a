"""What makes an answer right: the exercises of lesson 9."""

from collections.abc import Callable
from numbers import Real

import walk
from checks import Wrong, exercise, returned

record = walk.load_measurements()


def request_ms(model: str, runtime: str, precision: str) -> float:
    """Return the median milliseconds of a request, without Lambda."""
    (each,) = (
        each
        for each in record["contenders"]
        if (each["model"], each["runtime"], each["precision"]) == (model, runtime, precision)
    )
    return each["request_ms"]["as documented"]["median"]


def curve_of(function: str) -> dict[int, float]:
    """Return the median milliseconds of a function's warm request by its memory in MB."""
    return {int(mb): ms["median"] for mb, ms in record["functions"][function]["request_ms"].items()}


@exercise(
    "int8-speed",
    dict,
    hint="The milliseconds of float32, divided by those of int8, for our model on the same runtime.",
)
def int8_speed(answer):
    def near(found, value):
        return abs(found / value - 1) < 0.05

    if set(answer) != {"tflite-runtime", "litert"}:
        raise Wrong(
            f"Its keys are {', '.join(answer)}.", "Two runtimes: tflite-runtime and litert."
        )
    for runtime, found in answer.items():
        if not isinstance(found, Real) or found <= 0:
            raise Wrong(f"{runtime}: {found!r} is no factor.", "A number above 0 is asked for.")
        truth, other = (
            request_ms(model, runtime, "float32") / request_ms(model, runtime, "int8")
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
        f"The same file is {answer['litert']:.1f} times as fast on LiteRT, and on tflite-runtime it takes "
        f"{1 / answer['tflite-runtime']:.0f} times as long. Never say that a model is fast; say where."
    )


@exercise(
    "gb-seconds",
    Callable,
    hint="Gigabytes times seconds: make gigabytes of the megabytes, and seconds of the milliseconds.",
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
    hint="For each memory, the gigabyte-seconds of a request. Which key has the fewest?",
)
def cheapest_memory(answer):
    made_up = {128: 900.0, 512: 200.0, 1024: 110.0, 1769: 70.0, 3538: 75.0}
    found = returned(answer(made_up))
    if not isinstance(found, Real) or found not in made_up:
        raise Wrong(f"It returned {found!r}.", "A memory in MB is asked for: a key of the dict.")
    if found == 1769:
        raise Wrong("It chose the fastest.", "Fast is not cheap: the memory is paid for, too.")
    if found == 128:
        raise Wrong(
            "It chose the smallest.", "The function becomes slow with it, and the time is paid for."
        )
    if found != 512 or answer({256: 119.0, 512: 58.0, 1024: 20.0, 1769: 15.0}) != 1024:
        raise Wrong(
            "It does not always choose the cheapest.",
            "Calculate the gigabyte-seconds of each, and compare.",
        )
    curve = curve_of("ours (image)")
    best = answer(curve)
    return (
        f"For our image it is {best:,} MB, with {curve[best]:.0f} ms. With less memory it gets less "
        "than its share of a CPU, and waits; with more it pays for a CPU that it cannot use."
    )
