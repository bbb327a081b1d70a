"""Lay out what Sphinx makes the site of: copies, whose links lead to the site's own pages.

    python notebooks/site/stage.py FOLDER

writes FOLDER/pages, which sphinx-build reads, and FOLDER/extra, which it copies into the site as it
is: the notebooks to download. Nothing is executed.
"""

import os
import re
import shutil
import sys
from base64 import b64decode
from copy import deepcopy
from pathlib import Path, PurePosixPath

import jinja2
import nbformat
import pages

# A link in Markdown, whose text may have brackets of its own.
LINK = re.compile(r"(?<!!)\[((?:[^][]|\[[^][]*\])+)\]\(([^()\s]+)\)")
TEXT_MAP = re.compile(r"^> .*→.*\n\n?", re.MULTILINE)  # "1 Keras model → …": the site draws it


def relinked(text: str, source: str, page: str) -> str:
    """Return Markdown of the repository's file `source` with the links that it has as a page.

    A link to a page of the site leads there. One to another file leads to the repository's public
    address; as long as that is not known, its text stays, without a link.
    """

    def link(found: re.Match) -> str:
        words, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, _, part = target.partition("#")
        file = os.path.normpath(PurePosixPath(source).parent / path)
        anchor = part and f"#{part}"
        places = pages.places()
        if file + anchor in places:
            return f"[{words}]({_relative(places[file + anchor], page)})"
        if file in places:
            return f"[{words}]({_relative(places[file], page)}{anchor})"
        if not (pages.REPOSITORY / file).exists():
            return found[0]  # Sphinx reports it
        address = pages.address()
        return f"[{words}]({address}/blob/{pages.BRANCH}/{file}{anchor})" if address else words

    return LINK.sub(link, text)


def _relative(target: str, page: str) -> str:
    return os.path.relpath(target, PurePosixPath(page).parent)


def staged_notebook(page: pages.Page) -> nbformat.NotebookNode:
    """Return the notebook that a page shows, as myst-nb wants it."""
    notebook = deepcopy(page.notebook)
    notebook.cells[0].source = TEXT_MAP.sub("", notebook.cells[0].source)
    notebook.cells = [c for c in notebook.cells if "colab" not in c.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = relinked(cell.source, page.shown, page.name)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/markdown" in data:
                data["text/markdown"] = relinked(data["text/markdown"], page.shown, page.name)
            # myst-nb takes a picture's text from the cell alone, so a cell can draw only one.
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                if "mystnb" in cell.metadata:
                    raise SystemExit(f"{page.shown}: a cell draws two pictures; give each its own.")
                cell.metadata["mystnb"] = {"image": {"alt": alt}}
    return notebook


def index() -> str:
    """The first page: the map, and each lesson with its picture."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pages.SITE / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    practice = {page.name.removeprefix("exercises/"): page for page in pages.exercises()}
    return environment.get_template("index.md").render(
        lessons=pages.lessons(),
        address=pages.address(),
        practice=practice,
        gives=pages.GIVES,
        relinked=lambda text, page: relinked(text, page.shown, "index"),
    )


def stage(folder: Path) -> None:
    """Write all that Sphinx needs into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for page in [*pages.lessons(), *pages.exercises()]:
        copy = folder / "extra" / page.source
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pages.REPOSITORY / page.source, copy)
        staged = folder / f"pages/{page.name}.ipynb"
        staged.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(staged_notebook(page), staged)
    texts = {"index": index()}
    for name, source in pages.TEXTS.items():
        text = (pages.REPOSITORY / source).read_text(encoding="utf-8")
        texts[name] = relinked(text, source, name)
    for name, text in texts.items():
        (folder / f"pages/{name}.md").write_text(text, encoding="utf-8")
    pictures = folder / "pages/pictures"
    pictures.mkdir()
    for page in pages.lessons():
        (pictures / f"{page.name}.png").write_bytes(b64decode(page.picture[0]))


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
