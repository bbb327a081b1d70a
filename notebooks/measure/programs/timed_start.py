"""A handler around ours that logs how long each part of its cold start takes, in seconds."""

# Where an import stands decides in which part its time is counted.
# ruff: noqa: E402, F401

import time

times = [time.monotonic()]  # the same clock for all processes

import numpy

times.append(time.monotonic())

import urllib.request

times.append(time.monotonic())

import keras_image_helper

times.append(time.monotonic())

import importlib

for runtime in "tflite_runtime.interpreter", "ai_edge_litert.interpreter", "onnxruntime":
    try:
        importlib.import_module(runtime)
    except ModuleNotFoundError:
        continue
    break

times.append(time.monotonic())

import lambda_function

times.append(time.monotonic())

import api

times.append(time.monotonic())

import json
import os
from itertools import pairwise

NAMES = [
    "Python, AWS's programs",
    "NumPy",
    "HTTP",
    "Pillow, the helper",
    "the runtime",
    "the model",
    "the guards",
    "first request",
]


def lambda_handler(event, context):
    """Answer an event as ours does, and log the parts."""
    began = time.monotonic()
    answer = api.lambda_handler(event, context)
    ended = time.monotonic()
    spans = [b - a for a, b in pairwise([float(os.environ["STARTED"]), *times])]
    print(json.dumps(dict(zip(NAMES, [*spans, ended - began], strict=True))), flush=True)
    return answer
