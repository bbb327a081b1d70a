"""Families of keras.applications, each up to a layer near its beginning."""

from .table import centred_bgr, model, raw, standardised, to_one


def begun(keras, name, layer, *settings, **more):
    """A family of keras.applications up to this layer, which is quicker than all of it."""
    family = getattr(keras.applications, name)
    settings = {"weights": None, "include_top": False, "input_shape": (64, 48, 3)} | more
    whole = family(**settings)
    return keras.Model(whole.input, whole.layers[layer].output)


def with_head(keras, base, *head):
    """A model that goes on with one number for each channel, and these layers."""
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    for layer in head:
        x = layer(x)
    return keras.Model(base.input, x)


@model(to_one, "softmax", PREPROCESSING="mobilenet")
def mobilenet(keras):
    base = begun(keras, "MobileNet", 14, alpha=0.25)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(to_one, "logits", PREPROCESSING="mobilenet_v2", RESIZE="bilinear")
def mobilenet_v2(keras):
    base = begun(keras, "MobileNetV2", 24, alpha=0.35)
    return with_head(keras, base, keras.layers.Dense(3))


@model(raw, "softmax", PREPROCESSING="mobilenet_v3")
def mobilenet_v3(keras):
    base = begun(keras, "MobileNetV3Small", 18, minimalistic=True)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(raw, "softmax", PREPROCESSING="efficientnet", RESIZE="bilinear")
def efficientnet(keras):
    base = begun(keras, "EfficientNetB0", 20)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(raw, "logits", PREPROCESSING="none")
def efficientnet_v2(keras):
    base = begun(keras, "EfficientNetV2B0", 14)
    return with_head(keras, base, keras.layers.Dense(3))


@model(raw, "softmax", PREPROCESSING="convnext")
def convnext(keras):
    base = begun(keras, "ConvNeXtTiny", 8)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(standardised, "softmax", PREPROCESSING="densenet")
def densenet(keras):
    base = begun(keras, "DenseNet121", 21)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(centred_bgr, "softmax", PREPROCESSING="resnet50")
def resnet50(keras):
    base = begun(keras, "ResNet50", 18)
    return with_head(keras, base, keras.layers.Dense(3, "softmax"))


@model(centred_bgr, "logits", PREPROCESSING="vgg16", RESIZE="nearest")
def vgg16(keras):
    base = begun(keras, "VGG16", 5)
    return with_head(keras, base, keras.layers.Dense(3))


@model(raw, "logits", PREPROCESSING="none", RESIZE="bilinear")
def transfer_learning(keras):
    """As TensorFlow's tutorial has it: augmented, prepared in the graph, a nested family."""
    picture = keras.Input((64, 48, 3))
    augmented = keras.Sequential([keras.layers.RandomFlip(), keras.layers.RandomRotation(0.2)])
    x = keras.applications.mobilenet_v2.preprocess_input(augmented(picture))
    x = begun(keras, "MobileNetV2", 24, alpha=0.35)(x, training=False)
    x = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(picture, keras.layers.Dense(3)(x))


@model(to_one, "logits", library="tf_keras", file="{}.h5")
def mobilenet_v2_of_keras_2(keras):
    """With scores so large that float32's own rounding is seen in the fourth decimal."""
    base = begun(keras, "MobileNetV2", 24, alpha=0.35)
    return with_head(keras, base, keras.layers.Dense(3))
