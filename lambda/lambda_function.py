# Made from notebooks/03-predict.ipynb: change that and export it again, do not edit this.

import base64
import os
from io import BytesIO

import numpy as np
from keras_image_helper import create_preprocessor
from PIL import Image

try:
    from tflite_runtime.interpreter import Interpreter
except ModuleNotFoundError:
    from ai_edge_litert.interpreter import Interpreter


# the classes, in the order of the model's outputs, separated by spaces, or by commas
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt"
PREPROCESSING = "xception"  # or inception_v3, resnet50, vgg16, torch, rescale (x / 255), none
RESIZE = "nearest"  # or bilinear: how they were resized
SCORES = "logits"  # or softmax, sigmoid, independent-logits: what the model's numbers are


# One thread for each CPU: Lambda gives one for each 1,769 MB of the function's memory.
memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 1769 * os.cpu_count()))  # MB
model = os.environ.get("MODEL_PATH", "clothing-model.tflite")
interpreter = Interpreter(model, num_threads=max(1, memory // 1769))
interpreter.allocate_tensors()
input_index = interpreter.get_input_details()[0]["index"]
output_index = interpreter.get_output_details()[0]["index"]


_, height, width, channels = interpreter.get_input_details()[0]["shape"]


def resize_image(img):
    """Resize a picture as Keras does: an array of shape (height, width, channels)."""
    mode = "L" if channels == 1 else "RGB"
    if RESIZE == "nearest":
        return np.atleast_3d(img.resize((width, height), Image.Resampling.NEAREST).convert(mode))
    how = (width, height), Image.Transform.EXTENT, (0, 0, *img.size), Image.Resampling.BILINEAR
    return np.dstack([band.convert("F").transform(*how) for band in img.convert(mode).split()])


MEAN, DEVIATION = np.float32([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])  # of ImageNet
SCALINGS = {"none": lambda X: X, "rescale": lambda X: X / 255}
SCALINGS["torch"] = lambda X: (X / 255 - MEAN) / DEVIATION


known = "xception" if PREPROCESSING in SCALINGS else PREPROCESSING
preprocessor = create_preprocessor(known, target_size=(width, height))
preprocessor.preprocess = SCALINGS.get(PREPROCESSING, preprocessor.preprocess)
preprocessor.resize_image = resize_image


classes = [name.strip() for name in CLASSES.split("," if "," in CLASSES else None)]


def score(X):
    """Score a prepared picture, X of shape (1, height, width, channels): a dict from class to score."""
    interpreter.set_tensor(input_index, X)
    interpreter.invoke()
    preds = interpreter.get_tensor(output_index)[0].tolist()
    if len(preds) == 1:  # it stands for the second of two classes
        preds.insert(0, 0.0 if SCORES == "logits" else 1 - preds[0])
    return dict(zip(classes, preds, strict=True))


def predict(url):
    """Score the picture at this address."""
    return score(preprocessor.from_url(url))


def lambda_handler(event, context):
    """Answer {"url": "https://…"} or {"image": "a picture in base64"} with one score per class."""
    if "image" in event:
        picture = Image.open(BytesIO(base64.b64decode(event["image"])))
        return score(preprocessor.convert_to_tensor(picture))
    return predict(event["url"])
