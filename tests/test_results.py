"""Scores: how far apart they are, what they mean, how they are drawn."""

from functools import partial

import pytest
import walk
from conftest import REPOSITORY

JEANS = REPOSITORY / "notebooks/assets/jeans.png"
SCORES = {"hat": 0.25, "pants": 3.5, "shoes": -1.0}


def test_scores_that_differ_are_a_problem():
    said = walk.check_same(SCORES, {name: s + 1e-5 for name, s in SCORES.items()})
    assert said == "the largest difference is below 0.0001 of the scores' range"
    for other in {"hat": 0.25, "pants": 3.6, "shoes": -1.0}, {"hat": 0.25}:
        with pytest.raises(walk.Problem):
            walk.compare({"Keras": SCORES, "here": other})
    not_a_number = SCORES | {"hat": float("nan")}
    with pytest.raises(walk.Problem):
        walk.check_same(SCORES, not_a_number)


@pytest.mark.parametrize(
    ("scores", "difference", "same"),
    [
        ([455.0, -300.0], 0.0007, True),
        ([455.0, -300.0], 0.1, False),
        ([0.501, 0.499], 1e-6, True),  # what float32 cannot hold
        ([0.501, 0.499], 1e-5, False),
        ([0.9, 0.1], 1e-3, False),
    ],
)
def test_scores_are_compared_by_their_range(scores, difference, same):
    """A difference that is nothing to logits of hundreds is one to probabilities near one half."""
    expected = {"a.png": dict(zip("ab", scores, strict=True))}
    found = {"a.png": {"a": scores[0] + difference, "b": scores[1]}}
    if same:
        walk.check_same(expected, found)
    else:
        with pytest.raises(
            walk.Problem, match="the scores differ by up to .*, and they range from"
        ):
            walk.check_same(expected, found)


def test_of_a_thousand_classes_the_best_ten_are_shown():
    scores = {f"class {n}": n / 1000 for n in range(1000)}
    shown = walk.show(JEANS, scores, "sigmoid").metadata["alt"]
    assert shown.startswith(
        "jeans.png: class 999, 99.9%. Probabilities: class 999 99.9%, class 998"
    )
    assert shown.count("class") == 1 + 10
    rows = walk.compare({"Keras": scores, "here": scores}).data.splitlines()[2:]
    assert len(rows) == 10 and rows[-1].startswith("| class 999 |")


def test_an_answer_that_is_an_error_is_a_problem():
    answer = {"errorMessage": "cannot identify image file", "errorType": "Runtime.HandlerError"}
    for look in walk.best, partial(walk.show, JEANS, kind="logits"):
        with pytest.raises(walk.Problem, match="with an error: cannot identify image file"):
            look(scores=answer)


@pytest.mark.parametrize(
    ("kind", "scores", "expected"),
    [
        ("logits", [1000.0, 999.0, -1000.0], [0.731, 0.269, 0]),
        ("softmax", [0.7, 0.2, 0.1], [0.7, 0.2, 0.1]),
        ("sigmoid", [1.0, 0.9, 0.0], [1.0, 0.9, 0.0]),
        ("independent-logits", [1000.0, 0.0, -1000.0], [1, 0.5, 0]),
    ],
)
def test_scores_of_each_kind_become_probabilities(kind, scores, expected):
    assert walk.probabilities(scores, kind) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("kind", "given"), [("sigmoid", 0.2), ("logits", -1.386294)])
def test_a_single_output_is_two_classes(kind, given):
    row = walk.one_per_class([given], kind)
    assert walk.probabilities(row, kind) == pytest.approx([0.8, 0.2])


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("softmax", [7.5, -2.0, 1.0]),
        ("softmax", [1.0, 1.0, 1.0]),  # the softmax of one number, three times
        ("sigmoid", [0.2, 1.7, 0.1]),
        ("sigmoid", [-3.0]),
    ],
)
def test_numbers_that_are_no_probabilities_are_not_taken_for_them(kind, row):
    with pytest.raises(walk.Problem, match=f"not what SCORES={kind} says"):
        walk.one_per_class(row, kind)


def test_probabilities_of_8_bits_need_not_add_up_to_1():
    row = [1 / 256] * 1000
    assert walk.one_per_class(row, "softmax").tolist() == row


def test_drawings_say_in_words_what_they_show():
    shown = walk.show(JEANS, SCORES, "logits")
    assert shown.metadata["alt"].startswith(
        "jeans.png: pants, 95.2%. Probabilities: pants 95.2%, hat 3.7%, shoes"
    )
    assert shown.metadata["alt"].endswith(". Drawn: blue jeans")
    assert shown.data.startswith(b"\x89PNG")
    assert (
        "cap: hat; coat: outwear"
        in walk.gallery({"cap: hat": JEANS, "coat: outwear": JEANS}).metadata["alt"]
    )
    seen = walk.gallery({"jeans.png": JEANS}, seen="Blue jeans.").metadata["alt"]
    assert seen == "Pictures: jeans.png. Blue jeans."
    assert "both CPUs work for 10 ms" in walk.threads(1, 2).metadata["alt"]
    assert walk.bars({"float32": 13.49}, "file (MB)").metadata["alt"] == "file (MB): float32 13.5"
    assert (
        "caller: a browser; function" in walk.chain("caller: a browser", "function").metadata["alt"]
    )


def test_a_table_puts_numbers_to_the_right():
    rows = [{"variant": "a|b", "size": "1.5"}, {"variant": "c", "size": "20"}]
    expected = "| variant | size |\n| :-- | --: |\n| a\\|b | 1.5 |\n| c | 20 |"
    assert walk.table(rows).data == expected


def test_the_installed_runtimes_are_found_and_tried():
    assert walk.runtimes()[-1] == "ai-edge-litert"
    assert walk.installed_mb("pillow") > 1
    assert walk.loads("ai-edge-litert", str(JEANS)) == "no"
