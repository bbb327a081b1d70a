# Made from notebooks/onnx.ipynb: change that and export it again, do not edit this.

import base64
import os
from io import BytesIO

import numpy as np
import onnxruntime
from keras_image_helper import create_preprocessor
from PIL import Image


# One thread for each CPU: Lambda gives one for each 1,769 MB of the function's memory.
memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 1769 * os.cpu_count()))  # MB
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = max(1, memory // 1769)
model = os.environ.get("MODEL_PATH", "clothing-model.onnx")
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


(given,), (made,) = session.get_inputs(), session.get_outputs()
sides = given.shape[1:]  # without that of the batch
channels_first = sides[0] in (1, 3)
height, width, channels = (*sides[1:], sides[0]) if channels_first else sides


notes = session.get_modelmeta().custom_metadata_map
PREPROCESSING, RESIZE, SCORES = notes["PREPROCESSING"], notes["RESIZE"], notes["SCORES"]
separator = "," if "," in notes["CLASSES"] else None  # else spaces
classes = [name.strip() for name in notes["CLASSES"].split(separator)]


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


def score(X):
    """Score a prepared picture, X of shape (1, height, width, channels): a dict from class to score."""
    picture = X.transpose(0, 3, 1, 2) if channels_first else X
    preds = session.run([made.name], {given.name: picture})[0][0].tolist()
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
