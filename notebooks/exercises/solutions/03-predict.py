# %% turned
coat = Image.open(COAT).rotate(90)
seen = walk.best(score(preprocessor.convert_to_tensor(coat)))


# %% picture-event
import base64
from pathlib import Path


def picture_event(file):
    """The event that brings the picture in this file."""
    content = Path(file).read_bytes()
    return {"image": base64.b64encode(content).decode()}


# %% short-handler
import base64
from io import BytesIO


def lambda_handler(event, context):
    """Answer {"image": "a picture in base64"} with a dict from class to score."""
    picture = Image.open(BytesIO(base64.b64decode(event["image"])))
    interpreter.set_tensor(input_index, preprocessor.convert_to_tensor(picture))
    interpreter.invoke()
    preds = interpreter.get_tensor(output_index)
    return dict(zip(classes, preds[0].tolist()))


# %% top
def top(scores, k):
    """A list of the k best (class, score) pairs of a dict from class to score."""
    return sorted(scores.items(), key=lambda pair: pair[1], reverse=True)[:k]
