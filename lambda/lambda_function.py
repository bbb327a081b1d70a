# Made from notebooks/03-predict.ipynb: edit that and run `make`, do not edit this.

import base64
import os
import time
from io import BytesIO
from pathlib import Path

import urllib3
from keras_image_helper import create_preprocessor
from PIL import Image

try:
    from tflite_runtime.interpreter import Interpreter
except ModuleNotFoundError:
    from ai_edge_litert.interpreter import Interpreter


# the classes, in the order of the model's outputs, separated by spaces (so none within a name)
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt"
# what was done to the pixels in training, by the name that keras-image-helper has for it
PREPROCESSING = "xception"


# beside this file, unless the environment says otherwise
MODEL_PATH = os.environ.get("MODEL_PATH") or str(Path(__file__).with_name("clothing-model.tflite"))

interpreter = Interpreter(model_path=MODEL_PATH, num_threads=os.cpu_count())
interpreter.allocate_tensors()
(input_details,) = interpreter.get_input_details()
(output_details,) = interpreter.get_output_details()


classes = CLASSES.split()
if output_details["shape"].tolist() != [1, len(classes)]:
    raise ValueError(f"{len(classes)} CLASSES for an output of shape {output_details['shape']}")

_, height, width, _ = input_details["shape"].tolist()
preprocessor = create_preprocessor(PREPROCESSING, target_size=(width, height))


def predict(picture: bytes) -> dict[str, float]:
    """Score a picture.

    Parameters
    ----------
    picture
        A JPEG, PNG or other file that Pillow reads, as bytes.

    Returns
    -------
    dict
        A score (logit) for each class, in the order of CLASSES.

    Raises
    ------
    ValueError
        The bytes are no picture, or a broken one.
    """
    try:
        X = preprocessor.from_path(BytesIO(picture))  # shape (1, height, width, 3), float32
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("the picture is broken, or of a kind that Pillow does not read") from None
    interpreter.set_tensor(input_details["index"], X)
    interpreter.invoke()
    scores = interpreter.get_tensor(output_details["index"])  # shape (1, number of classes)
    return dict(zip(classes, scores[0].tolist(), strict=True))


PICTURE_BYTES = 10_000_000  # a large photo; more than API Gateway lets through
FETCH_SECONDS = 10  # for the whole picture

http = urllib3.PoolManager(
    timeout=urllib3.Timeout(connect=3, read=3),  # seconds without an answer
    retries=urllib3.Retry(connect=0, read=0, redirect=3),
)


def fetch(url: str) -> bytes:
    """Return the content of an http or https URL.

    Raises
    ------
    ValueError
        It is not there, is larger than PICTURE_BYTES, or takes longer than FETCH_SECONDS.
    """
    deadline = time.monotonic() + FETCH_SECONDS
    content = b""
    try:
        with http.request("GET", url, preload_content=False) as response:
            if response.status != 200:
                raise ValueError(f"the picture's server answered with status {response.status}")
            while chunk := response.read1(65536):
                content += chunk
                if len(content) > PICTURE_BYTES:
                    raise ValueError(f"the picture has more than {PICTURE_BYTES} bytes")
                if time.monotonic() > deadline:
                    raise ValueError(f"the picture took more than {FETCH_SECONDS} seconds")
    except urllib3.exceptions.HTTPError as error:
        raise ValueError(f"the picture could not be fetched: {type(error).__name__}") from None
    return content


def lambda_handler(event, context):
    """Answer a request: AWS Lambda calls this.

    Parameters
    ----------
    event : dict
        {"url": "https://…"}, the address of a picture, or {"image": "…"}, a picture in base64.
    context : object
        Lambda's information on this call; not used.

    Returns
    -------
    dict
        A score (logit, float) for each class, in the order of CLASSES.

    Raises
    ------
    ValueError
        The event has another form, or its picture cannot be had or read.
    """
    match event:
        case {"url": str(url)}:
            picture = fetch(url)
        case {"image": str(image)}:
            try:
                picture = base64.b64decode(image)
            except ValueError:
                raise ValueError("the image is not base64") from None
        case _:
            raise ValueError('expected {"url": "https://…"} or {"image": "a picture in base64"}')
    return predict(picture)
