# %% float16-size
megabytes = model.count_params() * 2 / 1e6  # 16 bits are 2 bytes


# %% run-tflite
def run_tflite(file, x):
    """Scores of one picture, an array with one logit for each class."""
    interpreter = tf.lite.Interpreter(model_path=file)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.array([x]))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]


# %% one-picture
converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.representative_dataset = lambda: [[prepare(expected["image"])]]
tflite_model = converter.convert()


# %% smallest-model
def smallest(variants, runtime, pictures):
    """The name of the smallest variant that loads in the runtime and gets all pictures right."""
    fit = [
        name
        for name, variant in variants.items()
        if variant["loads_in"][runtime] == "yes" and variant["same_answers"] == pictures
    ]
    return min(fit, key=lambda name: variants[name]["bytes"])
