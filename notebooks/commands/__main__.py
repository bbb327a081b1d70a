"""Run a command: `python notebooks/commands NAME …`; see __init__.py."""

import os
import sys

# PYTHONPATH may lead to another module of a name that is needed here, PYTHONWARNINGS make errors of
# warnings: begin anew without such settings. (Windows cannot.)
if os.name == "posix" and any(name.startswith("PYTHON") for name in os.environ):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    os.execve(sys.executable, [sys.executable, *sys.argv], kept)

from pathlib import Path  # noqa: E402

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where commands/, walk/ and measure/ are

import commands  # noqa: E402

sys.exit(commands.call(*sys.argv[1:]) if sys.argv[1:] else commands.__doc__)
