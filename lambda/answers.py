"""What the function answers beside scores: their meaning, a page for people, a text for machines.

Written by hand, unlike its neighbours.
"""

import base64
import hashlib
import math
from pathlib import Path

PAGE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "permissions-policy": "camera=(self)",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",  # no other page may show this one inside of itself
}


def verdict(scores: dict[str, float]) -> dict:
    """Return the class with the highest score, its probability (by softmax), and all scores."""
    best = max(scores, key=scores.get)
    # lesson 1's softmax, for the best class; its score is subtracted so that exp() cannot overflow
    share = 1 / sum(math.exp(score - scores[best]) for score in scores.values())
    if min(scores.values()) >= 0 and abs(sum(scores.values()) - 1) < 1e-3:
        share = scores[best]  # the model ends in softmax: its scores are probabilities
    return {"prediction": best, "probability": share, "scores": scores}


def page() -> tuple[str, dict[str, str]]:
    """Return the page on which people can try the function, and its headers."""
    text = _file("page.html")
    return text, PAGE_HEADERS | {"content-security-policy": security_policy(text)}


def description() -> tuple[str, dict[str, str]]:
    """Return the API's description for machines (https://www.openapis.org), and its headers."""
    return _file("openapi.yaml"), {"content-type": "application/yaml"}


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
