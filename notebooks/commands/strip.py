"""What git sees of a lesson: its text and code, not what running and saving it changed.

lab.py makes this the clean filter of git for notebooks/ (.gitattributes says so): git reads
each notebook through it, so that one that was run and saved counts as unchanged. The file itself, and
with it the outputs on the screen, stays as it is.
"""

import sys

import nbformat
from nbstripout import strip_output

# Without it, papermill and JupyterLab would ask for the kernel. Its name differs from editor to editor.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

# What JupyterLab and other editors write beside outputs and counts, in the notebook and its cells.
CHANGED = [
    *("metadata.language_info.version", "metadata.language_info.codemirror_mode"),
    *("metadata.widgets", "metadata.vscode"),
    *("cell.metadata.execution", "cell.metadata.trusted"),
    *("cell.metadata.collapsed", "cell.metadata.scrolled", "cell.metadata.jupyter"),
    *("cell.metadata.deletable", "cell.metadata.editable", "cell.metadata.slideshow"),
    "cell.metadata.vscode",
]

# The cell for Google Colab stays folded, in JupyterLab and in Colab, even where somebody opened it.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}

text = sys.stdin.read()
try:
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
except nbformat.reader.NotJSONError:  # with the marks of a conflict, say
    sys.stdout.write(text)
else:
    notebook.metadata.kernelspec = KERNEL
    strip_output(notebook, keep_output=False, keep_count=False, keep_id=True, extra_keys=CHANGED)
    for cell in notebook.cells:
        if cell.metadata.get("tags") == []:  # from JupyterLab's property inspector
            del cell.metadata["tags"]
        if "colab" in cell.metadata.get("tags", []):
            cell.metadata.update(FOLDED)
    nbformat.write(notebook, sys.stdout)
