# Made from notebooks/03-predict.ipynb: change that and export it again, do not edit this.

import base64
import os
from io import BytesIO

from keras_image_helper import create_preprocessor
from PIL import Image

try:
    from tflite_runtime.interpreter import Interpreter
except ModuleNotFoundError:
    from ai_edge_litert.interpreter import Interpreter


# the classes, in the order of the model's outputs, separated by spaces (so none within a name)
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt"
# how pictures were prepared in training: xception, resnet50, vgg16 or inception_v3
PREPROCESSING = "xception"


# One thread for each CPU: Lambda gives one for each 1,769 MB of the function's memory.
memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 1769 * os.cpu_count()))  # MB
interpreter = Interpreter(
    model_path=os.environ.get("MODEL_PATH", "clothing-model.tflite"),
    num_threads=max(1, memory // 1769),
)
interpreter.allocate_tensors()
input_index = interpreter.get_input_details()[0]["index"]
output_index = interpreter.get_output_details()[0]["index"]


classes = CLASSES.split()
_, height, width, _ = interpreter.get_input_details()[0]["shape"]
preprocessor = create_preprocessor(PREPROCESSING, target_size=(width, height))


def score(X):
    """Score a prepared picture, X of shape (1, height, width, 3): a dict from class to logit."""
    interpreter.set_tensor(input_index, X)
    interpreter.invoke()
    preds = interpreter.get_tensor(output_index)  # shape (1, number of classes)
    return dict(zip(classes, preds[0].tolist(), strict=True))


def predict(url):
    """Score the picture at this address."""
    X = preprocessor.from_url(url)
    return score(X)


def lambda_handler(event, context):
    """Answer {"url": "https://…"} or {"image": "a picture in base64"} with one score per class."""
    if "image" in event:
        content = base64.b64decode(event["image"])
        picture = Image.open(BytesIO(content))
        return score(preprocessor.convert_to_tensor(picture))
    return predict(event["url"])
