"""What a model's numbers mean, what scales inside of it, which shapes it takes and gives."""

from .table import by_255, eyes, model, raw, small, standardised, to_one

# --- what the numbers mean -----------------------------------------------------------------------


@model(by_255, "sigmoid", "cats dogs", library="tf_keras", file="{}.h5", PREPROCESSING="rescale")
def one_sigmoid(keras):
    return small(keras, keras.layers.Dense(1, "sigmoid"))


@model(to_one, "logits", "cats dogs")
def one_logit(keras):
    made = small(keras, keras.layers.Dense(1))
    made.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return made


@model(by_255, "sigmoid", "red, blue, made of wool", PREPROCESSING="rescale")
def several_sigmoids(keras):
    return small(keras, keras.layers.Dense(3), keras.layers.Activation("sigmoid"))


@model(by_255, "independent-logits", PREPROCESSING="rescale", SCORES="independent-logits")
def several_logits(keras):
    return small(keras, keras.layers.Dense(3))


FROM_A_FILE = {"PREPROCESSING": "torch", "CLASSES": "names.txt"}


@model(standardised, "softmax", "flat shoe, top hat, t-shirt", **FROM_A_FILE)
def names_with_spaces(keras):
    return small(keras, keras.layers.Dense(3), keras.layers.Softmax())


@model(to_one, "softmax", PREPROCESSING="inception_v3")
def softmax_in_the_graph(keras):
    picture = keras.Input((48, 64, 3))
    x = picture
    for layer in [*eyes(keras), keras.layers.Dense(3)]:
        x = layer(x)
    return keras.Model(picture, keras.ops.softmax(x))


@model(to_one, "softmax")
def softmax_in_a_nested_model(keras):
    return keras.Sequential(
        [
            keras.Input((48, 64, 3)),
            keras.Sequential(eyes(keras)),
            keras.Sequential([keras.layers.Dense(3), keras.layers.Activation("softmax")]),
        ]
    )


@model(to_one, "softmax", deviation=6)
def nearly_one_hot(keras):
    return small(keras, keras.layers.Dense(3, "softmax"))


@model(to_one, "logits", deviation=250)
def logits_of_hundreds(keras):
    return small(keras, keras.layers.Dense(3))


@model(to_one, "softmax", " ".join(f"n{number:04}" for number in range(1000)))
def a_thousand_classes(keras):
    return small(keras, keras.layers.Dense(1000, "softmax"))


# --- scaling inside ------------------------------------------------------------------------------


@model(raw, "softmax", PREPROCESSING="none")
def rescaling_inside(keras):
    layers = keras.layers
    first = [layers.RandomFlip("horizontal"), layers.RandomZoom(0.1), layers.Rescaling(1 / 255)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


@model(raw, "logits", PREPROCESSING="none", file="{}.h5")
def normalization_inside(keras):
    first = [keras.layers.Normalization(mean=[120, 110, 100], variance=[4000, 4100, 4200])]
    return small(keras, keras.layers.Dense(3), first=first)


@model(raw, "softmax", PREPROCESSING="none")
def batch_normalization_first(keras):
    first = [keras.layers.BatchNormalization()]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first)


# --- shapes --------------------------------------------------------------------------------------


@model(by_255, "softmax", " ".join("0123456789"), PREPROCESSING="rescale", RESIZE="bilinear")
def grey(keras):
    """As everybody's first model, for MNIST's digits."""
    return small(keras, keras.layers.Dense(10, "softmax"), shape=(28, 28, 1))


@model(to_one, "softmax", SIZE="64x40", size=(40, 64))
def no_fixed_size(keras):
    return small(keras, keras.layers.Dense(3, "softmax"), shape=(None, None, 3))


@model(to_one, "softmax")
def a_batch_of_one(keras):
    return small(keras, keras.layers.Dense(3, "softmax"), batch_size=1)


@model(to_one, "softmax")
def a_batch_of_four(keras):
    return small(keras, keras.layers.Dense(3, "softmax"), batch_size=4)


@model(to_one, "softmax")
def built_when_it_was_called(keras):
    """A Sequential model whose code names no input."""
    made = keras.Sequential([*eyes(keras), keras.layers.Dense(3, "softmax")])
    made.build((None, 48, 64, 3))
    return made


@model(to_one, "softmax")
def channels_first(keras):
    layers = keras.layers
    settings = {"data_format": "channels_first", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input((3, 48, 64)),
            layers.Conv2D(8, 3, strides=2, **settings),
            layers.Conv2D(16, 3, **settings),
            layers.GlobalAveragePooling2D(data_format="channels_first"),
            layers.Dense(3, "softmax"),
        ]
    )


@model(raw, "softmax", PREPROCESSING="none")
def whole_numbers_in(keras):
    first = [keras.layers.Rescaling(1 / 255)]
    return small(keras, keras.layers.Dense(3, "softmax"), first=first, dtype="uint8")


@model(to_one, "softmax")
def dicts_in_and_out(keras):
    picture = keras.Input((48, 64, 3), name="photo")
    x = picture
    for layer in [*eyes(keras), keras.layers.Dense(3, "softmax")]:
        x = layer(x)
    return keras.Model({"photo": picture}, {"scores": x})


@model(to_one, "softmax")
def fully_convolutional(keras):
    layers = keras.layers
    head = layers.Conv2D(3, (4, 6)), layers.Activation("softmax")  # (None, 1, 1, 3)
    first = [*eyes(keras)[:3], layers.AveragePooling2D(2)]
    return keras.Sequential([keras.Input((48, 64, 3)), *first, *head])


@model(to_one, "logits", within=4e-3)
def mixed_precision(keras):
    """Keras computes with 16 bits, eleven of them for the digits; the walk with 32."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return small(keras, keras.layers.Dense(3))
    finally:
        keras.mixed_precision.set_global_policy("float32")
