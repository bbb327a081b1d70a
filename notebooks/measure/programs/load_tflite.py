"""How tflite-runtime, LiteRT or the interpreter inside TensorFlow does: which is installed here."""

try:
    from tflite_runtime.interpreter import Interpreter
except ModuleNotFoundError:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ModuleNotFoundError:
        import tensorflow as tf

        Interpreter = tf.lite.Interpreter


def load(settings: dict) -> tuple:
    """Return the height and width of the pictures, and the function that scores one."""
    interpreter = Interpreter(model_path=settings["file"], num_threads=settings["threads"])
    interpreter.allocate_tensors()
    (input_details,) = interpreter.get_input_details()
    (output_details,) = interpreter.get_output_details()

    def score(X):
        interpreter.set_tensor(input_details["index"], X)
        interpreter.invoke()
        return interpreter.get_tensor(output_details["index"])

    return input_details["shape"][1:3].tolist(), score
