"""What makes an answer right: the exercises of lesson 2."""

from collections.abc import Callable
from functools import cache
from numbers import Real
from pathlib import Path

import numpy as np
import walk
from checks import Wrong, exercise, returned

expected = walk.load("generated/expected-scores.json")
COAT = "notebooks/assets/coat.png"


@cache
def kept_model():
    """Return lesson 1's Keras model."""
    return walk.load_kept_model(expected)


def prepared(picture) -> np.ndarray:
    """Return a picture as the model expects it: shape (1, height, width, 3), float32."""
    chosen = expected["parameters"]
    x = walk.pixels(picture, kept_model().input_shape, chosen["RESIZE"])
    preprocess_input = walk.preprocess_input(chosen["PREPROCESSING"])
    return preprocess_input(np.array([x], dtype="float32"))


def scores_by(interpreter, picture) -> np.ndarray:
    """Return the scores that an interpreter, which has its memory, gives a picture."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], prepared(picture))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


@exercise(
    "float16-size",
    Real,
    hint="How many bits has a float16, how many bytes are that, and how many weights are there?",
)
def float16_size(answer):
    weights = kept_model().count_params()
    truth = weights * 2 / 1e6

    def near(value):
        return abs(answer / value - 1) < 0.03

    if near(truth):
        found = walk.size_mb("generated/clothing-model-float16.tflite")
        return (
            f"The file has {found:.2f} MB. What is left out (the folded batch normalisations) and "
            "what comes on top (names, shapes) hardly count: a model is its weights."
        )
    for value, what, hint in (
        (
            weights * 4 / 1e6,
            "That is the size in float32.",
            "float16 has half the bits of float32.",
        ),
        (weights * 16 / 1e6, "That is sixteen for each weight.", "16 are the bits. Bytes have 8."),
        (weights * 2, "These are bytes.", "A megabyte (MB) has 1,000,000 of them."),
        (weights * 2 / 2**20, "These are mebibytes.", "Here a megabyte (MB) is 1,000,000 bytes."),
        (weights / 1e6, "That is one byte for each weight.", "A float16 has 16 bits."),
    ):
        if near(value):
            raise Wrong(what, hint)
    raise Wrong(
        f"{answer:,.2f} MB is not what the weights take.",
        f"There are {weights:,} weights. How many bytes has each?",
    )


@exercise(
    "run-tflite",
    Callable,
    hint="Lesson 2 has it step by step: load, reserve memory, put the picture in, run, read. The "
    "picture has to become a batch, and the result is the row of the only picture in it.",
    errors={
        "Got 3 but expected 4": "The model takes a batch of pictures. x is one picture, of three "
        "dimensions: the batch is one more, in front.",
        "unallocated": "The interpreter has loaded the model, but has no memory for its tensors "
        "yet. Which step is missing?",
        "not ready": "The interpreter has loaded the model, but has no memory for its tensors yet. "
        "Which step is missing?",
        "Got value of type": "The input has to be of the type that the model says: float32.",
        "object is not callable": "One of the interpreter's names is written without its (), or "
        "with them where there is nothing to call.",
    },
)
def run_tflite(answer):
    import tensorflow as tf

    row = answer("generated/clothing-model.tflite", prepared(COAT)[0])
    found = np.asarray(returned(row, np.ndarray, list))
    truth = np.array(list(expected["scores"][COAT].values()))
    if found.dtype.kind != "f" or found.shape == ():
        raise Wrong(
            "It did not return an array of scores.",
            "Return the row as it comes from the interpreter.",
        )
    if found.shape == (1, *truth.shape):
        raise Wrong(
            f"It returned shape {found.shape}, a batch of one row.",
            "One picture, one row: take the first row of the result.",
        )
    if found.shape != truth.shape:
        raise Wrong(
            f"It returned shape {found.shape}, not {truth.shape}.",
            "Input and output are two tensors, each with an index of its own. Which one do you read?",
        )
    if not found.any():
        raise Wrong(
            "All scores are zero.",
            "The output has its memory, but nothing has been computed. Which step runs the model?",
        )
    if not np.allclose(found, truth, atol=1e-3):
        raise Wrong(
            "These are not the scores of the coat.",
            "x is prepared already. Has it got into the input tensor unchanged?",
        )
    other = "generated/clothing-model-float16.tflite"
    interpreter = tf.lite.Interpreter(model_path=other)
    interpreter.allocate_tensors()
    found = answer(other, prepared(expected["image"])[0])
    if not np.allclose(found, scores_by(interpreter, expected["image"]), atol=1e-4):
        raise Wrong(
            "Another file with another picture does not get the scores of that file.",
            "The function is given both: file and x. Does it use them, and nothing else?",
        )
    return "These are Keras's scores. The same five steps run a model on a phone, or on Lambda."


@exercise(
    "one-picture",
    (bytes, bytearray),
    hint="Lesson 2 converts to full int8 in five lines. Only the representative dataset becomes "
    "another: a function that yields a single picture.",
)
def one_picture(answer):
    import tensorflow as tf

    try:
        interpreter = tf.lite.Interpreter(model_content=bytes(answer))
    except ValueError:
        raise Wrong("These bytes are not a TFLite model.", "convert() returns it.") from None
    types = [details["dtype"] for details in interpreter.get_tensor_details()]
    if np.int8 not in types:
        raise Wrong(
            "This model has no number of 8 bits.",
            "Without optimizations, the converter keeps every number as it is.",
        )
    if types.count(np.float32) > len(types) / 2:
        raise Wrong(
            "Only the weights have 8 bits; between the layers it computes with floats.",
            "That is dynamic range. For full int8 the converter needs a representative dataset.",
        )
    if answer == Path("generated/clothing-model-int8.tflite").read_bytes():
        raise Wrong("That is lesson 2's own file.", "Calibrate with one picture instead of many.")
    interpreter.allocate_tensors()
    scores = {}
    for picture, by_keras in expected["scores"].items():
        row = scores_by(interpreter, picture)
        scores[picture] = dict(zip(by_keras, row.tolist(), strict=True))
    same = walk.same_answers(expected["scores"], scores)
    difference = walk.largest_difference(expected["scores"], scores)
    lesson = walk.load("generated/tflite-models.json")["full int8"]
    return (
        f"With one picture, {same} of {len(scores)} answers are Keras's, and a score is off by up to "
        f"{difference:.1f}. With lesson 2's variations: {lesson['same_answers']}, and "
        f"{lesson['largest_difference']:.1f}. What the converter has not seen, it cuts off."
    )


@exercise(
    "smallest-model",
    Callable,
    hint="First keep the variants that the runtime loads and that get every answer right; then take "
    "the one with the fewest bytes.",
    errors={
        "empty": "No variant was left to choose from. What exactly does loads_in hold?",
        "int' object is not subscriptable": "A variant is a dict: what are its keys?",
    },
)
def smallest_model(answer):
    def variant(size, same, loads):
        loads_in = {"tflite-runtime": "yes", "another": loads}
        return {"bytes": size, "same_answers": same, "loads_in": loads_in}

    made_up = {
        "large": variant(9000, 4, "yes"),
        "right": variant(5000, 4, "yes"),
        "wrong": variant(3000, 3, "yes"),
        "foreign": variant(2000, 4, "no"),
    }
    found = returned(answer(made_up, "another", 4))
    if not isinstance(found, str) or found not in made_up:
        raise Wrong(f"It returned {found!r}.", "The name of a variant is asked for, a key.")
    if found == "foreign":
        raise Wrong(
            "It chose a variant that the runtime does not load.",
            "loads_in says so for each runtime, with the words yes and no. Both are true to Python.",
        )
    if found == "wrong":
        raise Wrong("It chose a variant with a wrong answer.", "Every picture has to be right.")
    if found == "large":
        raise Wrong("It chose a larger one than it had to.", "The fewest bytes are asked for.")
    variants, pictures = walk.load("generated/tflite-models.json"), len(expected["scores"])
    chosen = {runtime: answer(variants, runtime, pictures) for runtime in walk.runtimes()}
    choices = [f"{name} for {runtime}" for runtime, name in chosen.items()]
    return f"Here it is {' and '.join(choices)}. The best file depends on what has to run it."
