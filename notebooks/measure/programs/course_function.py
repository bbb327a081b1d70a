"""The course's function, and its successor's: one with predict_tflite.py, one with predict_onnx.py.

They do what keras-image-helper's `from_url` does in two steps, so that each can be timed.
"""

import json
from itertools import pairwise
from time import perf_counter

from keras_image_helper import create_preprocessor
from keras_image_helper.base import download_image
from predict import predict

preprocessor = create_preprocessor("xception", target_size=(299, 299))
classes = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt".split()


def lambda_handler(event, context):
    """Answer an event {"url": …}, and log how long each part took."""
    times = [perf_counter()]
    picture = download_image(event["url"])
    times.append(perf_counter())
    X = preprocessor.convert_to_tensor(picture)
    times.append(perf_counter())
    scores = predict(X)
    times.append(perf_counter())
    names = ["fetch_ms", "decode_ms", "invoke_ms"]
    durations = [1000 * (b - a) for a, b in pairwise(times)]
    print(json.dumps(dict(zip(names, durations, strict=True))), flush=True)
    return dict(zip(classes, scores[0].tolist(), strict=True))
