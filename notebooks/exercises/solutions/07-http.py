# %% named-errors
errors = {
    "no base64": "MalformedRequest",
    "a text in base64": "UnsupportedPicture",
    "half of a picture": "BrokenPicture",
    "both keys": "MalformedRequest",
}


# %% own-event
import base64
import json


def event_of(picture):
    """The event of a request that brings this picture, bytes, as JSON."""
    content = {"image": base64.b64encode(picture).decode()}
    return {
        "requestContext": {"http": {"method": "POST"}},
        "rawPath": "/",
        "headers": {"content-type": "application/json"},
        "body": json.dumps(content),
        "isBase64Encoded": False,
    }


# %% try-again
def try_again(status):
    """Whether to send the same request again after this HTTP status, a number."""
    return status in (429, 502, 503, 504)
