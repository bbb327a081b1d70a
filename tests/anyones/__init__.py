"""Image classifiers of every kind that people bring, small, with random weights: taken and refused.

`taken` has those that walk, `refused` those that get a sentence; `in_keras` makes them all and runs
lessons 1 and 2 on them in one process, `in_function` lesson 3 and the functions in another.
"""


def run_cells(cells, parameters):
    """Run a lesson's cells as papermill does, with these parameters; return its names."""
    names = {}
    for source, tags in cells:
        exec(source, names)
        if "parameters" in tags:
            names |= parameters
    return names
