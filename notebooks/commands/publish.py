"""Publish what the lessons' last runs left: `make publish` runs them, and then this.

    python notebooks/commands publish

copies the executed lessons from generated/ into generated/published/, where git keeps them: they are
what one reads on GitHub and on the site. Numbers, times and log lines stay as they were. What does not
go along: paths of this machine and ids; the cell for Google Colab; the outputs of cells tagged
`unpublished` (progress bars, other people's photos) and, where that is the cell of the parameters, what
they were set to. The record of `make measure` goes with them, if there is one, and README's table is
made from it.
"""

import re
import shutil
from pathlib import Path

import nbformat

from commands import readme_table

RUN, PUBLISHED = Path("generated"), Path("generated/published")
RECORD = "measurements.json"

# Requests, APIs and what CloudFormation names have such ids: they change each time, and say nothing.
IDS = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b"
    r"|\b(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8}\b|(?<=-)[0-9a-fA-F]{13}\b"
)


def published(notebook: nbformat.NotebookNode, folder: Path, home: Path) -> nbformat.NotebookNode:
    """Turn an executed lesson into what is published of it; return it.

    Parameters
    ----------
    notebook
        The executed copy; it is changed.
    folder, home
        Where it ran, and the home directory: their paths become "…" in what the cells put out.
    """
    notebook.metadata.pop("papermill", None)
    notebook.metadata.language_info.pop("version", None)
    notebook.cells = [cell for cell in notebook.cells if not for_colab(cell)]
    private = False
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        for trace in "papermill", "execution":
            cell.metadata.pop(trace, None)
        if not tags:
            cell.metadata.pop("tags", None)  # papermill adds an empty list
        if cell.cell_type == "markdown":
            cell.source = a_folder_deeper(cell.source)
        elif "unpublished" in tags:
            cell.outputs = []
            private |= "parameters" in tags
        for output in cell.get("outputs", []):
            mask(output, [str(folder), str(home)])
    if private:
        notebook.cells = [cell for cell in notebook.cells if not injected(cell)]
    return notebook


def a_folder_deeper(text: str) -> str:
    """Return Markdown whose links out of notebooks/ lead to the same place from published/."""
    return text.replace("](../", "](../../")


def mask(output, paths: list[str]) -> None:
    """Replace paths and ids in the texts of a cell's output."""
    places = [(output, "text")] if output.output_type == "stream" else []
    places += [(output.data, kind) for kind in output.get("data", {}) if kind.startswith("text/")]
    for holder, key in places:
        for path in paths:
            holder[key] = holder[key].replace(path, "…")
        holder[key] = IDS.sub("…", holder[key])


def for_colab(cell) -> bool:
    """Whether only Google Colab needs this cell."""
    return "colab" in cell.metadata.get("tags", [])


def injected(cell) -> bool:
    """Whether papermill put this cell there, with the parameters of the run."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def differs(notebook: nbformat.NotebookNode, source: nbformat.NotebookNode) -> str:
    """Say how a lesson to be published differs from its source; "" if it does not."""
    if any(injected(cell) for cell in notebook.cells):
        return "it was run with parameters of your own: run make without them"
    ours, theirs = (
        [(cell.cell_type, cell.source) for cell in each.cells if not for_colab(cell)]
        for each in (notebook, source)
    )
    theirs = [(kind, a_folder_deeper(t) if kind == "markdown" else t) for kind, t in theirs]
    return "" if ours == theirs else "it was changed since it ran: run it again"


def main() -> str | None:
    """Publish each lesson that is there as its source is now; say which stay as they are."""
    import walk

    for source in sorted(Path("notebooks").glob("*[!0-9].ipynb")):
        if not (copy := RUN / source.name).exists():
            continue
        notebook = published(nbformat.read(copy, as_version=4), Path.cwd(), Path.home())
        if problem := differs(notebook, nbformat.read(source, as_version=4)):
            print(f"not published: {source.stem}: {problem}")
        else:
            walk.save(PUBLISHED / source.name, nbformat.writes(notebook) + "\n")
            print(f"published: {source.stem}")
    if (RUN / RECORD).exists():
        shutil.copyfile(RUN / RECORD, PUBLISHED / RECORD)
        print(f"published: {RECORD}")
    return readme_table.main()
