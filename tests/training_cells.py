"""The first cells of the appendix on training, run in the test's process: parameters and photos."""

import nbformat
import walk
from conftest import REPOSITORY

NOTEBOOK = REPOSITORY / "notebooks/train-the-model.ipynb"
CLASSES = "dress hat longsleeve outwear pants shirt shoes shorts skirt t-shirt".split()
LEFT_OUT = "cell-02", "cell-12", "labels-shown"  # begins a lesson, and draws photos


def run_until(last, **parameters):
    """Run the code cells up to the one of this id, with these parameters; return what is there then."""
    values = {"walk": walk}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code" and cell.id not in LEFT_OUT:
            exec(cell.source, values)
        if "parameters" in cell.metadata.get("tags", []):
            values |= parameters
        if cell.id == last:
            return values
    raise AssertionError(f"{NOTEBOOK.name} has no cell {last}")
