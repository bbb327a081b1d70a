"""Files of every kind, and the models of a course's homework."""

import json
import zipfile

from .table import by_255, eyes, model, small, to_one


@model(to_one, "softmax", library="tf_keras")
def keras_file_of_keras_2(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


def as_keras_3_3(file):
    """Write a model's configuration as Keras 3.3 did; by hand, after files of that version."""

    def older(part):
        settings = part.get("config", part)
        if part.get("class_name") == "Functional":
            for ends in "input_layers", "output_layers":
                settings[ends] = [settings[ends]]
        if str(part.get("class_name")).startswith("Random"):
            settings["value_range"] = [0, 255]
        return part

    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["config.json"] = json.dumps(json.loads(content["config.json"], object_hook=older))
    content["metadata.json"] = json.dumps({"keras_version": "3.3.3"})
    with zipfile.ZipFile(file, "w") as archive:
        for name, value in content.items():
            archive.writestr(name, value)


@model(to_one, "softmax", afterwards=as_keras_3_3)
def file_of_keras_3_3(keras):
    layers = keras.layers
    picture, inner = keras.Input((48, 64, 3)), keras.Input((48, 64, 3))
    x = inner
    for layer in eyes(keras):
        x = layer(x)
    x = keras.Model(inner, x)(layers.RandomRotation(0.1)(picture))
    return keras.Model(picture, layers.Dense(3, "softmax")(x))


@model(to_one, "softmax", library="tf_keras", file="{}", TRUST_MODEL="true")
def saved_model_of_keras_2(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


AS_EXPORTED = {"file": "{}", "TRUST_MODEL": "true", "SCORES": "softmax"}


@model(by_255, "softmax", PREPROCESSING="rescale", **AS_EXPORTED)
def exported_saved_model(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(by_255, "softmax", file="{}.tflite", PREPROCESSING="rescale")
def tflite(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(by_255, "softmax", file="{}.tflite", within=0.006, PREPROCESSING="rescale")
def quantised_tflite(keras):
    """Its numbers have 256 steps, and two runtimes may differ by one."""
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(to_one, "softmax", MODEL_CODE="own_layers.py")
def layers_of_ones_own(keras):
    import own_layers

    first = [own_layers.Twice(), own_layers.Shifted(0.25)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


@model(to_one, "softmax", TRUST_MODEL="true")
def a_lambda_layer(keras):
    first = [keras.layers.Lambda(lambda x: x * 0.5 + 0.25)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


# --- the homework of the ML Zoomcamp's module 9, by cohort, from memory --------------------------


def homework(keras, size):
    """The network that the cohorts of 2021 to 2024 trained, and got as a file."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, "sigmoid"),
        ]
    )


@model(by_255, "sigmoid", "bees wasps", "{}.h5", "tf_keras", 0.7, PREPROCESSING="rescale")
def cohorts_2021_to_2023(keras):
    """Cats and dogs, dinosaurs and dragons, bees and wasps."""
    return homework(keras, 150)


@model(by_255, "sigmoid", "curly straight", deviation=0.7, PREPROCESSING="rescale")
def cohort_2024(keras):
    return homework(keras, 200)
