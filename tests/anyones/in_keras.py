"""Make the models of the table, ask Keras, and run lessons 1 and 2 on each: one process for all.

Started in a copy of the repository with the lessons' cells on its standard input. It leaves, for each
model, `table/NAME/`: what the lessons left in generated/, and what Keras and the lessons said.
"""

import gc
import json
import os
import shutil
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402
from commands.execute import own_parameters  # noqa: E402
from keras.utils import img_to_array, load_img  # noqa: E402
from PIL import Image  # noqa: E402
from walk import load  # noqa: E402
from walk.tflite import in_place_of  # noqa: E402

from anyones import leave_out_what_takes_long, run_cells  # noqa: E402
from anyones.refused import REFUSED  # noqa: E402
from anyones.taken import PREPARATIONS, TAKEN  # noqa: E402

LESSON_1, LESSON_2 = "01-keras-model", "02-tflite-model"
LIBRARIES = {"keras": keras, "tf_keras": tf_keras}


def colours(file):
    """A picture that is no square, with every colour and fine grain: each preparation shows."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (4, 6, 3)).astype("uint8")
    x = np.array(Image.fromarray(coarse).resize((180, 120)), dtype="float32")
    x += random.normal(0, 40, x.shape)
    Image.fromarray(np.clip(x, 0, 255).astype("uint8")).save(file)


def layers_of(model):
    return [layer for layer in model._flatten_layers() if layer is not model]


def calibrate(library, model, X, deviation):
    """Choose the last layer's weights so that scores differ from picture to picture.

    With random weights alone they hardly do, and a wrong preparation would not be seen.
    """
    normal = [layer for layer in layers_of(model) if type(layer).__name__ == "BatchNormalization"]
    for layer in normal:
        layer.momentum, layer.kept = 0.0, layer.momentum
    if normal:
        model(X, training=True)  # the statistics of these pictures
    for layer in normal:
        layer.momentum = layer.kept
    last = [layer for layer in layers_of(model) if hasattr(layer, "kernel")][-1]
    if not hasattr(last, "activation") or last.bias is None:
        raise ValueError(f"{last.name} cannot be calibrated")
    activation, last.activation = last.activation, library.activations.linear
    seen = []
    call, last.call = last.call, lambda *a, **k: seen.append(call(*a, **k)) or seen[-1]
    for x in X:
        model(x[None], training=False)
    last.call, last.activation = call, activation
    rows = np.array(seen, dtype="float64").reshape(len(X), -1)
    share = deviation / rows.std(axis=0)
    kernel, bias = last.get_weights()
    last.set_weights([kernel * share, (bias - rows.mean(axis=0)) * share])


def save(library, model, file):
    """Save a model as its file's name says."""
    if file.suffix == ".tflite":
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if file.stem.startswith("quantised"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: [
                [np.random.default_rng(n).uniform(0, 1, (1, *shape_of(model))).astype("f")]
                for n in range(20)
            ]
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.uint8
        file.write_bytes(converter.convert())
    elif file.name.endswith(".weights.h5"):
        model.save_weights(file)
    elif file.suffix or library is tf_keras:
        model.save(file)
    else:
        model.export(file, verbose=False)


def by_interpreter(file, X):
    """What a .tflite file gives for a picture, its ends quantised or not."""
    interpreter = tf.lite.Interpreter(str(file))
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    (scale, zero), (scale_out, zero_out) = taken["quantization"], given["quantization"]
    interpreter.set_tensor(taken["index"], np.round(X / scale + zero).astype(taken["dtype"]))
    interpreter.invoke()
    return (interpreter.get_tensor(given["index"]).astype("float64") - zero_out) * scale_out


def ask(model, file, X):
    """What a model itself gives for one prepared picture, (height, width, channels)."""
    if file.stem.startswith("quantised"):
        return by_interpreter(file, X[None]).ravel()
    X = X.transpose(2, 0, 1) if channels_first(model) else X
    given = model(
        {"photo": X[None]} if model.inputs[0].name == "photo" else X[None], training=False
    )
    return np.array(given["scores"] if isinstance(given, dict) else given, "float64").ravel()


def channels_first(model):
    return shape_of(model)[0] == 3


def shape_of(model):
    """The shape of its picture, without the batch."""
    (picture,) = model.inputs
    return tuple(picture.shape)[1:]


def pixels(case, model, picture, **settings):
    """A picture as Keras's tools give it to this model, (height, width, channels), float32."""
    shape = (*shape_of(model)[1:], 3) if channels_first(model) else shape_of(model)
    mode, size = "grayscale" if shape[-1] == 1 else "rgb", case.size or shape[:2]
    way = settings.get("interpolation", case.parameters.get("RESIZE", "nearest"))
    if way == "bilinear":  # image_dataset_from_directory
        x = tf.image.resize(img_to_array(load_img(picture, color_mode=mode)), size, way).numpy()
    else:  # load_img, flow_from_directory
        x = img_to_array(load_img(picture, color_mode=mode, target_size=size))
    return x.reshape(*size, shape[-1])


def numbers_of(case, model, file, picture, prepare=None, **settings):
    """What the model gives for a picture that is prepared in this way, or as in its training."""
    x = pixels(case, model, picture, **settings)
    X = (prepare or case.prepare)(x)
    return ask(model, file, np.asarray(X, dtype="float32")).tolist()


def make_all(pictures):
    """Save every model; return what each gives for the pictures, and what wrong preparations do."""
    answers = {}
    for name, case in TAKEN.items():
        library = LIBRARIES[case.library]
        library.utils.set_random_seed(sum(name.encode()))
        model, file = case.build(library), Path(case.file)
        X = np.stack([case.prepare(pixels(case, model, each)) for each in pictures])
        X = X.transpose(0, 3, 1, 2) if channels_first(model) else X
        calibrate(library, model, X.astype("float32"), case.deviation)
        save(library, model, file)
        if case.afterwards:
            case.afterwards(file)
        ways = PREPARATIONS[:3] if shape_of(model)[-1] == 1 else PREPARATIONS  # grey has no colours
        others = [way for way in ways if way is not case.prepare]
        wrong = {way.__name__: {"prepare": way} for way in others}
        other = "bilinear" if case.parameters.get("RESIZE", "nearest") == "nearest" else "nearest"
        wrong[other] = {"interpolation": other}
        answers[name] = {
            "true": {str(p): numbers_of(case, model, file, p) for p in pictures},
            "wrong": {
                way: {str(p): numbers_of(case, model, file, p, **settings) for p in pictures[:2]}
                for way, settings in wrong.items()
            },
        }
    for case in REFUSED.values():
        made = case.build(LIBRARIES[case.library])
        if isinstance(made, bytes):
            Path(case.file).write_bytes(made)
        else:
            save(LIBRARIES[case.library], made, Path(case.file))
    Path("ran").unlink(
        missing_ok=True
    )  # building the Lambda layer ran its code; loading it must not
    # In the lessons' process nobody has imported the student's own layers.
    keras.saving.get_custom_objects().clear()
    sys.modules.pop("own_layers", None)
    return answers


def run_lessons(lessons, parameters):
    """Run lessons 1 and 2; return what they printed, and lesson 2's interpreter gave, or the error.

    Of a .tflite file, `execute` leaves them out.
    """
    try:
        given = own_parameters(LESSON_1) | parameters
        if in_place_of(LESSON_1, Path("generated/copy.ipynb"), given):
            in_place_of(LESSON_2, Path("generated/copy.ipynb"), {})
            return {"by_tflite": load("generated/expected-scores.json")["scores"], "printed": ""}
        one, two = run_cells(lessons[0], parameters), run_cells(lessons[1], {})
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"by_tflite": two["by_tflite"], "printed": one["printed"] + two["printed"]}


def main():
    lessons = json.load(sys.stdin)
    gc.freeze()  # what was imported stays: nothing is gained by looking through it again and again
    leave_out_what_takes_long()
    colours("colours.png")
    pictures = [Path("colours.png"), *sorted(Path("notebooks/assets").glob("*.png"))]
    answers = make_all(pictures)
    for name, case in {**TAKEN, **REFUSED}.items():
        shutil.rmtree("generated", ignore_errors=True)
        Path("generated").mkdir()
        given = {"MODEL": case.file, "IMAGE": "colours.png"} | case.parameters
        answers.setdefault(name, {}).update(run_lessons(lessons, given))
        keras.backend.clear_session(free_memory=False)  # collecting takes longer than it saves
        shutil.move("generated", f"table/{name}")
    Path("table/in_keras.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main()
