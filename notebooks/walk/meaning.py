"""What a model's numbers mean: probabilities, or what becomes probabilities."""

import numpy as np

from .lesson import Problem

KINDS = {  # of SCORES, in words
    "logits": "logits: softmax makes probabilities of them",
    "softmax": "probabilities that add up to 1",
    "sigmoid": "probabilities, each for itself",
    "independent-logits": "logits, each for itself: sigmoid makes a probability of each",
}


def probabilities(scores, kind: str) -> np.ndarray:
    """Return the probabilities that scores of this kind (one of `KINDS`) stand for.

    Parameters
    ----------
    scores
        The scores of one picture, one for each class.
    """
    scores = np.asarray(scores, dtype=float)
    if kind == "independent-logits":
        return 0.5 * (1 + np.tanh(0.5 * scores))  # sigmoid, of which no exp() can overflow
    if kind != "logits":
        return scores
    exponentials = np.exp(scores - scores.max())  # the maximum keeps exp() from overflowing
    return exponentials / exponentials.sum()


def one_per_class(row, kind: str) -> np.ndarray:
    """Return a model's row of scores, with two where it has a single output for two classes.

    The output stands for the second class: of a probability p this makes [1 - p, p], of a logit z
    [0, z], whose softmax is the same.

    Raises
    ------
    Problem
        A score is not a number, or infinite, or no probability where it should be one.
    """
    row = np.asarray(row)
    if not np.isfinite(row).all():
        raise Problem(
            f"MODEL answers with {row[~np.isfinite(row)][0]}, which is no score. Its weights may be "
            "broken: did its loss become nan in training? Or the picture was prepared wrongly."
        )
    if not _fits(row, kind):
        raise Problem(
            f"MODEL answers with {', '.join(f'{score:.3g}' for score in row[:5])}, and these are not what "
            f"SCORES={kind} says: {KINDS[kind]}. Does MODEL end in another way, or is SCORES wrong?"
        )
    if len(row) > 1:
        return row
    first = 0 * row if kind == "logits" else 1 - row
    return np.concatenate([first, row])


def _fits(row: np.ndarray, kind: str) -> bool:
    """Whether numbers can be of a kind; those of 8 bits are rounded to 1 / 256 each."""
    if kind not in ("softmax", "sigmoid"):
        return True
    is_one = kind == "sigmoid" or abs(row.sum(dtype=float) - 1) < 0.01 + len(row) / 256
    return is_one and -0.01 < row.min() and row.max() < 1.01


def kind_of_scores(kind: str, outputs: int) -> str:
    """Return the kind of scores, one of `KINDS`, of a model with so many outputs.

    Raises
    ------
    Problem
        SCORES is none of them, or cannot be what one output is.
    """
    if kind not in KINDS:
        raise Problem(f"SCORES={kind} is not one of: {', '.join(KINDS)}.")
    if outputs == 1 and kind == "softmax":
        raise Problem(
            "MODEL has a single output, and the softmax of one number is always 1: such a model has "
            "learned nothing. Train it anew with a sigmoid at its end, or with two outputs. (If its "
            "number is something else, SCORES=sigmoid or SCORES=logits says so.)"
        )
    return "logits" if outputs == 1 and kind == "independent-logits" else kind


def say_kind(last: str):
    """Raise a Problem about a model whose last layer, or operation, does not say what its numbers are."""
    raise Problem(
        f"MODEL ends in {last}, which does not say what its numbers are. Say it: SCORES=logits, "
        "softmax, sigmoid or independent-logits."
    )
