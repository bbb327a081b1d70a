"""Image classifiers of every kind that people bring, small, with random weights: taken and refused.

`taken` has those that walk (`families`, `kinds`, `files`), `refused` those that get a sentence;
`in_keras` makes them all and runs lessons 1 and 2 on them in one process, `in_function` lesson 3 and the
functions in another.
"""

import functools
import io
from contextlib import redirect_stdout


def run_cells(cells, parameters):
    """Run a lesson's cells as papermill does, with these parameters; return its names, and what it
    printed as `printed`."""
    names, printed = {}, io.StringIO()
    with redirect_stdout(printed):
        for source, tags in cells:
            exec(source, names)
            if "parameters" in tags:
                names |= parameters
    return names | {"printed": printed.getvalue()}


def leave_out_what_takes_long():
    """Paint no drawings, and measure what is installed once: other tests look at these."""
    import walk
    from matplotlib.figure import Figure

    Figure.savefig = Figure.tight_layout = lambda *args, **settings: None
    walk.installed_mb = functools.cache(walk.installed_mb)
