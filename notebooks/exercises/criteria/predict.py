"""What makes an answer right: the exercises of lesson 3."""

import base64
import json
import os
import reprlib
import sys
from collections.abc import Callable
from pathlib import Path

import walk
from checks import Wrong, exercise, returned
from PIL import Image

COAT, DRESS = "notebooks/assets/coat.png", "notebooks/assets/dress.png"

walk.check_export("lambda/lambda_function.py")
os.environ["MODEL_PATH"] = str(Path("generated/clothing-model.tflite").absolute())
sys.path.insert(0, "lambda")
import lambda_function  # noqa: E402


def scores_of(picture) -> dict[str, float]:
    """Return the function's scores of a picture, a path or a Pillow image."""
    image = picture if isinstance(picture, Image.Image) else Image.open(picture)
    return lambda_function.score(lambda_function.preprocessor.convert_to_tensor(image))


def content_of(picture: str) -> str:
    """Return a picture's file in base64."""
    return base64.b64encode(Path(picture).read_bytes()).decode()


@exercise(
    "turned",
    str,
    hint="Open the picture, turn it, prepare what comes out, and score that. walk.best names the "
    "class.",
)
def turned(answer):
    coat = Image.open(COAT)
    truth = {walk.best(scores_of(coat.rotate(angle))) for angle in (90, -90)}
    if answer in truth:
        return (
            "Nobody trained it to read pictures on their side. Phones store photos like that, with a "
            "note on how they were held: lesson 6 reads the note."
        )
    if answer not in lambda_function.classes:
        known = ", ".join(lambda_function.classes)
        raise Wrong(f"{answer!r} is not one of the classes.", f"They are: {known}.")
    if answer == walk.best(scores_of(coat)):
        raise Wrong(
            "That is the upright coat.",
            "rotate leaves the picture as it is and returns a new one. Which of the two was scored?",
        )
    raise Wrong(
        "The turned coat is something else.",
        "Turn it by 90 degrees, and change nothing else: no cropping, no scaling of your own.",
    )


@exercise(
    "picture-event",
    Callable,
    hint="Read the file's bytes, write them in base64, and make text of that. It belongs under the "
    "key that the handler looks for.",
    errors={
        "bytes-like object is required": "base64 turns bytes into letters, not text. What does the "
        "file hold, and what did you give it?",
        "codec can't decode": "A picture is not a text: open the file for its bytes.",
    },
)
def picture_event(answer):
    event = returned(answer(COAT))
    if not isinstance(event, dict) or "image" not in event:
        raise Wrong(
            f"It returned {reprlib.repr(event)}.",
            "An event is a dict, and the handler looks for the key 'image' in it.",
        )
    image = event["image"]
    if image == Path(COAT).read_bytes():
        raise Wrong(
            "These are the raw bytes.", "JSON has only text: base64 writes bytes as letters."
        )
    if isinstance(image, bytes):
        raise Wrong(
            "The picture is in base64, but it is bytes.",
            "JSON has only text. Bytes that are letters become text with one more method.",
        )
    if str(image).startswith("b'"):
        raise Wrong(
            "The text begins with b'.",
            "str() writes bytes as Python shows them. Another method of the bytes gives the letters.",
        )
    if str(image) in (COAT, base64.b64encode(COAT.encode()).decode()):
        raise Wrong(
            "That is the name of the file.",
            "The function runs on another machine, where this file is not. What has to travel?",
        )
    if "".join(str(image).split()) == content_of(COAT):  # in lines is fine, too
        size = Path(COAT).stat().st_size
        if answer(DRESS) == event:
            raise Wrong("Another file gives the same event.", "Read the file that is given.")
        return (
            f"{size:,} bytes have become {len(image):,} letters: base64 takes four for each three "
            "bytes. Lambda takes events of up to 6 MB, so pictures of up to 4.5 MB."
        )
    raise Wrong(
        "That is not the content of the file in base64.",
        "All bytes of the file as it is, with b64encode, and nothing in front of it.",
    )


@exercise(
    "short-handler",
    Callable,
    hint="Take the picture out of the event, decode it, open it, prepare it, run it, and give each "
    "class its score. Lesson 3 has a cell for each step.",
    errors={
        "cannot identify image file": "Pillow got the letters, not the picture: base64 has to be "
        "undone first.",
        "embedded null byte": "Pillow took the bytes for the name of a file. Lesson 3 wraps them in "
        "something that can be read like a file.",
        "a bytes-like object is required": "Something got text where it wants bytes. Which step of "
        "lesson 3 makes bytes of an event's text?",
        "must be str, bytes": "Pillow wants a file or something like it, not a dict: the picture is "
        "inside of the event.",
        "Got value of type": "The interpreter wants float32. The preprocessor makes that of a "
        "picture.",
        "not subscriptable": "The event is a dict, the scores are an array: which of them did you "
        "index, and with what?",
    },
)
def short_handler(answer):
    before = scores_of(DRESS)  # so that the interpreter does not hold the coat's scores already
    found = returned(answer({"image": content_of(COAT)}, None))
    if "score" in answer.__code__.co_names:
        raise Wrong("It calls score.", "Its three steps are what is to be written from memory.")
    try:
        json.dumps(found)
    except TypeError as error:
        raise Wrong(
            f"The answer cannot travel: {error}.",
            "JSON knows Python's numbers, not NumPy's. One method of an array makes plain ones.",
        ) from None
    if not isinstance(returned(found, dict, list, tuple), dict):
        raise Wrong(
            f"It returned a {type(found).__name__}, not a dict.",
            "A caller does not know the order of your classes: give each score its name. (JSON of it "
            "is what Lambda makes.)",
        )
    if any(isinstance(value, list) for value in found.values()):
        raise Wrong(
            "A class has a list of scores.",
            "The model's output is a batch. One picture went in: which row is its own?",
        )
    if set(found) != set(lambda_function.classes):
        raise Wrong(
            "Its keys are not the classes.",
            "They are in the variable called classes. (A model with a single output has two: see "
            "lesson 3's score.)",
        )
    if not all(isinstance(value, float) for value in found.values()):
        raise Wrong("A score is not a float.", "tolist() makes floats, which JSON knows.")
    found = {name: found[name] for name in lambda_function.classes}
    if walk.largest_difference(before, found) < 1e-3:
        raise Wrong(
            "These are the scores of the picture before.",
            "The coat is in the input, but nothing has been computed. Which step runs the model?",
        )
    if walk.largest_difference(scores_of(COAT), found) > 1e-3:
        raise Wrong(
            "These are not the scores of the coat.",
            "Is the picture prepared as in training, and is the output read after the run?",
        )
    if answer({"image": content_of(DRESS)}, None) == found:
        raise Wrong("Another picture gets the same answer.", "Score the picture of the event.")
    return "That is a complete Lambda function. All that the next lessons add stands around it."


@exercise(
    "top",
    Callable,
    hint="sorted takes a key to sort by, and can be told to begin with the largest. Then take the "
    "first few.",
)
def top(answer):
    made_up = {"cup": 1.0, "fork": 3.0, "plate": 2.0, "glass": -5.0}
    given = dict(made_up)
    found = answer(given, 2)
    if found is None:
        raise Wrong("It returned nothing.", "`sort` sorts a list and returns None; see `sorted`.")
    if isinstance(found, dict | set):
        raise Wrong(
            f"It returned a {type(found).__name__}.", "A list keeps the order that you gave it."
        )
    returned(found, list, tuple)
    if given != made_up:
        raise Wrong("It changed the dict of the caller.", "Make a new list, and leave the dict.")
    if found and not isinstance(found[0], tuple | list):
        raise Wrong("It returned no pairs.", "The items of a dict are pairs of name and score.")
    names = [pair[0] for pair in found]
    if any(isinstance(each, float) for each in names):
        raise Wrong("The pairs are the wrong way round.", "(class, score): the name comes first.")
    if names in (["glass", "cup"], ["cup", "plate"]):
        raise Wrong("It begins with the lowest.", "Which way round does sorted sort?")
    if names == ["cup", "fork"]:
        raise Wrong(
            "It is sorted by name.", "Pairs sort by their first part, if not told otherwise."
        )
    if names[:2] == ["fork", "plate"] and len(found) > 2:
        raise Wrong(f"It returned {len(found)} pairs for k = 2.", "A list can be sliced.")
    if names == ["fork"]:
        raise Wrong("It returned one pair for k = 2.", "A slice [:n] has n items.")
    if [tuple(pair) for pair in found] != [("fork", 3.0), ("plate", 2.0)]:
        raise Wrong(f"For {made_up} and k = 2 it returned {found}.", "(fork, 3.0) comes first.")
    first, second = (name for name, _ in answer(scores_of(COAT), 2))
    return f"For the coat it is {first} before {second}: what the model wavers between."
