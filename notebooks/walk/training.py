"""A training that can be stopped at any time: what it leaves on the way, each file whole or not at all."""

import json
from pathlib import Path

from .lesson import whole_file
from .older import open_to_older_keras


def save_for_prediction(model, file: Path) -> None:
    """Write a Keras model without what only its training needs; Keras 3.4 and later open it."""
    with whole_file(file, file.suffix) as part:
        model.save(part, include_optimizer=False)
        open_to_older_keras(part)


def save_checkpoint(file: Path, model, settings: dict, history: list[dict]) -> None:
    """Write what the next epoch needs: the weights, the optimizer's state, the figures so far.

    Parameters
    ----------
    file
        Its name ends in .weights.h5.
    model
        A compiled Keras model.
    settings
        What the training is, as JSON can hold it.
    history
        A dict of figures for each epoch.
    """
    import h5py

    with whole_file(file, ".weights.h5") as part:
        model.save_weights(part)
        with h5py.File(part, "a") as opened:
            opened.attrs["training"] = json.dumps({"settings": settings, "history": history})


def load_checkpoint(file: Path, model, settings: dict) -> list[dict]:
    """Bring a model to the state of a training with the same settings, if there is one.

    Returns
    -------
    list of dict
        The figures of each epoch of it, empty if there is no such training.
    """
    import h5py

    if not file.exists():
        return []
    with h5py.File(file) as opened:
        saved = json.loads(opened.attrs["training"])
    if saved["settings"] != settings:
        return []
    model.optimizer.build(model.trainable_variables)
    model.load_weights(file)
    return saved["history"]
