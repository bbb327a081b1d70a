"""Run a notebook of the walk with papermill, from the repository's root.

    python notebooks/commands execute 01-keras-model IMAGE=notebooks/assets/dress.png

runs notebooks/01-keras-model.ipynb with this parameter and saves the executed copy, with its
outputs, as generated/01-keras-model.ipynb, or where a path says that may follow the name. What this
adds to the `papermill` command:

- the copy appears whole or not at all;
- it holds no times, no paths and no Python version: the same run gives the same file;
- of cells tagged `varies` (logs, times) it holds the outputs with such numbers blotted out;
- of cells tagged `unpublished` (photos of other people's, progress bars) it holds no outputs, and
  where that is the cell of the parameters, not what they were set to;
- a cell that fails is reported in a few lines.
"""

import logging
import re
import sys
from pathlib import Path

from commands import WHAT_TO_DO

STOPPED = "notebooks/{0}.ipynb was stopped; generated/{0}.ipynb is as it was."

# What differs from run to run: ids, times, memory, ports.
VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"
    r"|\b[\d.]+(?= (?:ms|s)\b)"
    r"|(?<=Max Memory Used: )\d+"
    r'|(?<=_ms": )[\d.]+'
    r"|\b[0-9a-f]{8}\b|\b[0-9a-f]{32}\b|(?<=-)[0-9A-F]{13}\b"
    r"|(?<=127\.0\.0\.1:)\d+|(?<=localhost:)\d+"
)


def execute(name: str, copy: Path, parameters: dict[str, str]) -> None:
    """Run notebooks/NAME.ipynb and save it, with its outputs, as the copy.

    Raises
    ------
    PapermillExecutionError
        A cell failed; the copy stays as it was.
    OSError
        The notebook is missing, or the copy could not be written.
    """
    import nbformat
    import papermill

    # Of a run that is interrupted asyncio would say which of its tasks nobody waited for.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    notebook = papermill.execute_notebook(
        f"notebooks/{name}.ipynb",
        None,
        parameters,
        kernel_name="python3",
        cwd="notebooks",  # as in JupyterLab
        progress_bar={"desc": name},
        stderr_file=sys.stderr,  # the progress of a download
        coalesce_streams=True,  # however slowly the lines of a cell come
        extra_arguments=["--log-level=CRITICAL"],  # of the kernel
    )
    without_traces_of_the_run(notebook)
    part = copy.with_suffix(".part")
    try:
        nbformat.write(notebook, part)
        part.replace(copy)
    finally:
        part.unlink(missing_ok=True)


def without_traces_of_the_run(notebook) -> None:
    """Remove what differs from run to run and from machine to machine, and what is unpublished."""
    del notebook.metadata["papermill"]
    notebook.metadata.language_info.pop("version", None)
    private = False
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        for trace in ("papermill", "execution"):
            cell.metadata.pop(trace, None)
        if "injected-parameters" in tags:
            cell.id = "injected-parameters"  # papermill gives it a random one
        if "varies" in tags:
            for output in cell.outputs:
                blot_out(output)
        if "unpublished" in tags:
            cell.outputs = []
            private |= "parameters" in tags
    if private:
        notebook.cells = [cell for cell in notebook.cells if cell.id != "injected-parameters"]


def blot_out(output) -> None:
    """Replace the numbers in the texts of a cell's output that differ from run to run."""
    places = [(output, "text")] if output.output_type == "stream" else []
    places += [(output.data, kind) for kind in output.get("data", {}) if kind.startswith("text/")]
    for holder, key in places:
        text = holder[key].replace(str(Path.cwd()), "…")
        holder[key] = VARYING.sub("…", text).replace("\t", "  ")


def report(name: str, error) -> str:
    """Say which cell failed, at which line, and with what message."""
    from papermill.exceptions import strip_color

    frames = strip_color("\n".join(error.traceback)).splitlines()
    lines = [line for line in frames if re.match(r"-+> *\d+ (?! *raise)", line)]
    return "\n".join(
        [f"\nnotebooks/{name}.ipynb stopped in cell [{error.exec_count}]:", *lines[:1]]
        + [f"{error.ename}: {error.evalue}"]
        + [advice for code, advice in WHAT_TO_DO.items() if f"[Errno {code}]" in error.evalue]
    )


def run(name: str, copy: Path, parameters: dict[str, str]) -> str | None:
    """Run the notebook; return the message to fail with, if it failed."""
    # These imports take a second: Ctrl-C must not show where they are.
    from nbclient.exceptions import DeadKernelError
    from nbformat.reader import NotJSONError
    from papermill.exceptions import PapermillExecutionError

    try:
        execute(name, copy, parameters)
    except PapermillExecutionError as error:
        return report(name, error)
    except NotJSONError:
        return f"notebooks/{name}.ipynb is no notebook: it is not JSON."
    except DeadKernelError:
        return (
            f"\nnotebooks/{name}.ipynb: its Python process ended, perhaps for lack of memory. "
            f"What its libraries said stands in generated/{name}.log."
        )
    return None


def main(name: str, copy: str = "", **parameters: str) -> str | None:
    """Run the notebook with these parameters; return the message to fail with, if it failed."""
    return run(name, Path(copy or f"generated/{name}.ipynb"), parameters)
