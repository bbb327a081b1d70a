"""Run a command: `python notebooks/commands NAME …`; see __init__.py."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where commands/, walk/ and measure/ are

import commands  # noqa: E402

sys.exit(commands.call(*sys.argv[1:]) if sys.argv[1:] else commands.__doc__)
