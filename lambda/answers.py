"""What the function answers beside scores: their meaning, a page for people, a text for machines.

Written by hand, unlike its neighbours.
"""

import base64
import hashlib
import math
from pathlib import Path

from guards import RequestError
from lambda_function import SCORES

PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "permissions-policy": "camera=(self)",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",  # no other page may show this one inside of itself
}


class NoScores(RequestError):
    """The model makes no numbers of it."""


def checked(scores: dict[str, float]) -> dict[str, float]:
    """Return the scores if each is a number; JSON knows neither infinity nor NaN, "not a number"."""
    if not all(map(math.isfinite, scores.values())):
        raise NoScores("the model's scores for this picture are not numbers")
    return scores


def verdict(scores: dict[str, float]) -> dict:
    """Return the class with the highest score, its probability, and all scores."""
    best = max(scores, key=scores.get)
    probability = scores[best]  # what SCORES calls softmax or sigmoid are probabilities already
    if SCORES == "logits":
        # lesson 1's softmax, for the best class; its score is subtracted so that exp() cannot overflow
        probability = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
    if SCORES == "independent-logits":
        # sigmoid, as tanh has it, which cannot overflow either
        probability = (1 + math.tanh(scores[best] / 2)) / 2
    return {"prediction": best, "probability": probability, "scores": scores}


def page() -> tuple[str, dict[str, str]]:
    """Return the page on which people can try the function, and its headers."""
    text = _file("page.html")
    return text, PAGE_HEADERS | {"content-security-policy": security_policy(text)}


def description() -> tuple[str, dict[str, str]]:
    """Return the API's description for machines (https://www.openapis.org), and its headers."""
    text = _file("openapi.yaml").replace("const: logits", f"const: {SCORES}")
    return text, {"content-type": "application/yaml"}


def security_policy(page: str) -> str:
    """Return the content security policy of a page with one script and one style.

    Whatever a stranger manages to put into the page, the browser runs only the script, and applies
    only the style, with the right checksum; and it loads nothing from elsewhere.
    """
    sources = {"default-src": "'none'", "img-src": "blob: data:", "connect-src": "'self'"}
    sources |= dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), "'none'")
    for tag in "script", "style":
        content = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        checksum = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        sources[f"{tag}-src"] = f"'sha256-{checksum}'"
    return "; ".join(f"{name} {value}" for name, value in sources.items())


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
