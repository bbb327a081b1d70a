"""Models that do not take the walk, each with words of the sentence that it has to get.

A function builds a model with Keras 3 or tf_keras, or returns the content of a file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .families import begun, with_head
from .table import THREE, small


@dataclass
class Other:
    """A model, or another file, that is refused."""

    build: Callable
    words: tuple[str, ...]  # of the sentence
    parameters: dict[str, str]  # beside MODEL and IMAGE
    file: str
    library: str


REFUSED: dict[str, Other] = {}


def refused(*words, classes=THREE, file="{}.keras", library="keras", **parameters):
    """Put what the function below builds into the table, with words of the sentence it gets."""

    def put(build):
        REFUSED[build.__name__] = Other(
            build, words, {"CLASSES": classes} | parameters, file.format(build.__name__), library
        )
        return build

    return put


def flat(keras, *inputs, outputs=(3,), activation=None):
    """A model with nothing but Dense layers."""
    layers = keras.layers
    x = [layers.Flatten()(each) for each in inputs]
    x = layers.Concatenate()(x) if len(x) > 1 else x[0]
    made = [layers.Dense(number, activation)(x) for number in outputs]
    return keras.Model(inputs, made)


# --- would be answered wrongly without a word ----------------------------------------------------


@refused("PREPROCESSING=none")
def scaled_twice(keras):
    first = [keras.layers.Rescaling(1 / 255)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


@refused("PREPROCESSING=none", PREPROCESSING="rescale")
def normalized_twice(keras):
    first = [
        keras.layers.RandomFlip(),
        keras.layers.Normalization(mean=[1, 2, 3], variance=[4, 4, 4]),
    ]
    return small(keras, keras.layers.Dense(3), first=first)


@refused("PREPROCESSING=none")
def efficientnet_by_default(keras):
    base = begun(keras, "EfficientNetB0", 8)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@refused("PREPROCESSING=none")
def a_tutorials_transfer_learning(keras):
    picture = keras.Input((64, 48, 3))
    x = keras.applications.mobilenet_v2.preprocess_input(picture)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(8, 3)(x))
    return keras.Model(picture, keras.layers.Dense(3)(x))


@refused("softmax", "1", classes="cats dogs")
def one_softmax(keras):
    return small(keras, keras.layers.Dense(1, "softmax"))


@refused("SCORES", "logit", SCORES="logit")
def a_kind_that_is_none(keras):
    return small(keras, keras.layers.Dense(3))


@refused("SCORES=")
def numbers_without_a_meaning(keras):
    return small(keras, keras.layers.Dense(3, "relu"))


@refused("names 3 classes", "single output", classes="cats dogs birds")
def three_classes_for_one_sigmoid(keras):
    return small(keras, keras.layers.Dense(1, "sigmoid"))


@refused("names 2 classes", classes="cup fork")
def two_names_for_three_outputs(keras):
    return small(keras, keras.layers.Dense(3))


@refused("dropout_that_stays", library="tf_keras")
def dropout_active_in_prediction(keras):
    """Keras 3 sets it aside in `predict`, even so."""
    picture = keras.Input((48, 64, 3))
    x = small(keras, keras.layers.Dense(20, "relu"))(picture)
    x = keras.layers.Dropout(0.5, name="dropout_that_stays")(x, training=True)
    return keras.Model(picture, keras.layers.Dense(3)(x))


@refused("nan")
def nan_in_the_weights(keras):
    made = small(keras, keras.layers.Dense(3, bias_initializer="zeros"))
    made.layers[-1].bias.assign([0, float("nan"), 0])
    return made


# --- shapes --------------------------------------------------------------------------------------


@refused("2 inputs")
def two_inputs(keras):
    return flat(keras, keras.Input((32, 32, 3)), keras.Input((5,)))


@refused("2 outputs")
def two_outputs(keras):
    return flat(keras, keras.Input((32, 32, 3)), outputs=(3, 3))


@refused("SIZE=")
def no_size_given(keras):
    return small(keras, keras.layers.Dense(3), shape=(None, None, 3))


@refused("SIZE", SIZE="big")
def a_size_that_is_none(keras):
    return small(keras, keras.layers.Dense(3), shape=(None, None, 3))


@refused("5")
def five_channels(keras):
    return small(keras, keras.layers.Dense(3), shape=(48, 64, 5))


@refused("(None, 20)")
def no_picture_at_all(keras):
    return keras.Sequential([keras.Input((20,)), keras.layers.Dense(3)])


@refused("PREPROCESSING=vgg16", PREPROCESSING="vgg16")
def grey_without_its_colours(keras):
    return small(keras, keras.layers.Dense(3), shape=(48, 64, 1))


@refused("(None, 48, 64, 3)")
def a_picture_out(keras):
    """A network for segmentation."""
    convolution = keras.layers.Conv2D(3, 3, padding="same")
    return keras.Sequential([keras.Input((48, 64, 3)), convolution])


# --- files ---------------------------------------------------------------------------------------


@refused("TRUST_MODEL=true", file="{}.h5", library="tf_keras")
def a_lambda_layer_in_hdf5(keras):
    """Keras 2 runs its code without asking."""
    code = keras.layers.Lambda(lambda x: (__import__("pathlib").Path("ran").touch(), x)[1])
    return small(keras, keras.layers.Dense(3), first=[code])


@refused("TRUST_MODEL=true")
def a_lambda_layer_of_keras_3(keras):
    code = keras.layers.Lambda(lambda x: x * 2)
    return small(keras, keras.layers.Dense(3), first=[code])


@refused("TRUST_MODEL=true", file="{}", library="tf_keras")
def a_saved_model(keras):
    """A program of TensorFlow's, which could do anything."""
    return small(keras, keras.layers.Dense(3))


@refused("SCORES=", file="{}", TRUST_MODEL="true")
def an_exported_model(keras):
    """It has no layers that could be asked what its numbers are."""
    return small(keras, keras.layers.Dense(3))


@refused("Shifted", "MODEL_CODE")
def a_layer_without_its_code(keras):
    import own_layers

    return small(keras, keras.layers.Dense(3), first=[own_layers.Shifted(0.25)])


@refused("weights", file="only.weights.h5")
def weights_alone(keras):
    return small(keras, keras.layers.Dense(3))


@refused("ONNX", file="{}.onnx", classes="curly straight", PREPROCESSING="torch")
def cohort_2025(keras):
    """The homework of 2025: a file as `torch.onnx.export` begins it, its weights in another file.

    These are the fields of ONNX's ModelProto: ir_version, producer_name, producer_version, graph
    (with a name alone) and opset_import.
    """
    Path("cohort_2025.onnx.data").write_bytes(bytes(1000))
    begin = b"\x08\x0a\x12\x07pytorch\x1a\x052.9.0"
    return begin + b"\x3a\x0c\x12\x0amain_graph" + b"\x42\x04\x0a\x00\x10\x12"


@refused("PyTorch", file="{}.pth")
def pytorch(keras):
    """The zip that `torch.save` writes: a folder with a pickle in it."""
    import io
    import zipfile

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("model/version", "3\n")
    return content.getvalue()


@refused("git lfs", file="{}.h5")
def a_pointer_of_git_lfs(keras):
    return (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
    )


@refused("web page", file="{}.keras")
def a_page_in_its_place(keras):
    return b"<!DOCTYPE html><html><body>Sign in</body></html>"
