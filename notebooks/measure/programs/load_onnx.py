"""How ONNX Runtime loads a model and scores a picture."""

import onnxruntime


def load(settings: dict) -> tuple:
    """Return the height and width of the pictures, and the function that scores one."""
    options = onnxruntime.SessionOptions()
    if settings["threads"]:
        options.intra_op_num_threads = settings["threads"]
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(settings["file"], options, providers=providers)
    (given,) = session.get_inputs()
    return settings["size"], lambda X: session.run(None, {given.name: X})[0]
