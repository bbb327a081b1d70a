"""Ratios in words, for lesson 9 and README's table."""

OPPOSITE = {"faster": "slower", "smaller": "larger"}
WORDS = {  # what is better, of each measure of a function
    "warm request": "faster",
    "cold start": "faster",
    "peak memory": "smaller",
    "unpacked size": "smaller",
}


def times(ratio: float, word: str) -> str:
    """Return how much better something is, in words.

    Parameters
    ----------
    ratio
        How many times as much the other takes.
    word
        "faster" or "smaller".

    Examples
    --------
    >>> times(11.3, "faster"), times(0.5, "smaller"), times(1.02, "faster")
    ('11 times faster', '2.0 times larger', 'the same')
    """
    if 0.95 < ratio < 1.05:
        return "the same"
    if ratio < 1:
        ratio, word = 1 / ratio, OPPOSITE[word]
    return f"{ratio:.0f} times {word}" if ratio > 9.9 else f"{ratio:.1f} times {word}"


def by_name(record: dict) -> dict[tuple[str, str, str], float]:
    """Return the record's ratios; a key is ours, the other function, and the measure."""
    return {
        (each["ours"], each["other"], each["measure"]): each["ratio"] for each in record["ratios"]
    }


def by_chance(found: dict, photos: int) -> str:
    """Say in words what `record.mcnemar` found between float32 (the first) and int8."""
    first, second, p = found["only_first"], found["only_second"], found["p"]
    verdict = "too rare for chance: int8 is worse" if p < 0.05 else "no proof that int8 is worse"
    return (
        f"Of {photos} photos, {first} are right with float32 alone and {second} with int8 alone. "
        "If both were equally good, a coin could decide which of the two it is; it would fall at "
        f"least as unevenly {100 * p:.0f} times in a hundred: {verdict}."
    )
