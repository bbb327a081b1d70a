"""What the site is made of: its pages, where each comes from, and what a lesson says of itself."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import nbformat

SITE = Path(__file__).parent
REPOSITORY = SITE.parent.parent
BRANCH = "main"

# What a lesson gives to the next, in the few words for which the map has room.
GIVES = {
    "01-keras-model": "Keras's scores",
    "02-tflite-model": "a .tflite file",
    "03-predict": "the same scores",
    "04-lambda-function": "lambda_function.py",
    "05-deployment": "a function on AWS",
    "06-strangers": "guards.py",
    "07-http": "api.py",
    "08-public": "an address on AWS",
    "09-measurements": "a memory setting",
    "10-catalogue": "a table of scores",
    "onnx": "onnx_function.py",
    "measurements-in-depth": "what was gained",
    "train-the-model": "lesson 1's model",
}
# Which of a lesson's pictures stands for it on the first page, by how its text begins; else the
# first one does.
PICTURES = {"01-keras-model": "Pictures: jeans: pants", "03-predict": "jeans.png"}

# The pages that are not notebooks, with their sources.
TEXTS = {
    "functions": "lambda/README.md",
    "notebooks": "notebooks/README.md",
    "glossary": "notebooks/glossary.md",
    "troubleshooting": "notebooks/troubleshooting.md",
    "teachers": "notebooks/exercises/README.md",
}


def address() -> str:
    """The repository's public address, or nothing as long as `make address` has not written it."""
    written = (REPOSITORY / ".github/address").read_text(encoding="utf-8").strip()
    return "" if written.endswith("/OWNER/REPOSITORY") else written


@dataclass
class Page:
    """A notebook that is a page of the site."""

    name: str  # that of the page, such as exercises/01-keras-model
    source: str  # the notebook that people run, from the repository's root
    shown: str  # the notebook that the page shows: a lesson's executed copy

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        return nbformat.read(REPOSITORY / self.shown, as_version=4)

    @cached_property
    def head(self) -> str:
        """The first cell: the title, what it is about, what it needs and leaves."""
        return self.notebook.cells[0].source

    @property
    def title(self) -> str:
        return self.head.partition("\n")[0].removeprefix("# ")

    @property
    def number(self) -> str:
        """The lesson's number; nothing for an appendix."""
        return re.match(r"\d*", self.title)[0]

    @property
    def about(self) -> str:
        """The paragraph below the title."""
        return self.head.split("\n\n")[1]

    def says(self, row: str) -> str:
        """What the table in its head says in this row: time, needs or leaves."""
        found = re.search(rf"^\| \*\*{row}\*\* \| (.+) \|$", self.head, re.MULTILINE)
        return found[1] if found else ""

    @property
    def for_colab(self) -> bool:
        """Whether it has the cell with which it runs in Google Colab."""
        cells = nbformat.read(REPOSITORY / self.source, as_version=4).cells
        return any("colab" in cell.metadata.get("tags", []) for cell in cells)

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """The pictures that its cells drew, each with what it shows, in words."""
        outputs = [output for cell in self.notebook.cells for output in cell.get("outputs", [])]
        return [
            (output.data["image/png"], output.metadata.get("image/png", {}).get("alt", ""))
            for output in outputs
            if "image/png" in output.get("data", {})
        ]

    @property
    def picture(self) -> tuple[str, str]:
        """The one that stands for it on the first page."""
        begin = PICTURES.get(self.name, "")
        chosen = [picture for picture in self.pictures if picture[1].startswith(begin)]
        return (chosen or self.pictures)[0]


def _named(folder: str, pattern: str) -> list[str]:
    return sorted(path.stem for path in (REPOSITORY / folder).glob(pattern))


def lessons() -> list[Page]:
    """The lessons in their order, and the appendices."""
    names = _named("notebooks", "[0-9]*[!0-9].ipynb")
    names += ["onnx", "measurements-in-depth", "train-the-model"]
    return [
        Page(name, f"notebooks/{name}.ipynb", f"generated/published/{name}.ipynb") for name in names
    ]


def exercises() -> list[Page]:
    """The exercises in their order, and the homework."""
    names = [f"exercises/{name}" for name in _named("notebooks/exercises", "[0-9]*[!0-9].ipynb")]
    files = {name: f"notebooks/{name}.ipynb" for name in [*names, "homework"]}
    return [Page(name, file, file) for name, file in files.items()]


@cache
def places() -> dict[str, str]:
    """From the path of a file in the repository to the file that Sphinx makes its page of."""
    found = {source: f"{name}.md" for name, source in TEXTS.items()}
    for page in [*lessons(), *exercises()]:
        found |= dict.fromkeys([page.source, page.shown], f"{page.name}.ipynb")
    return found
