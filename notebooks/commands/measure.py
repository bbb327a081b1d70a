"""Measure size, time, memory and cost of each runtime and function: `make measure` runs this.

    python notebooks/commands measure QUICK=1 RECORD=generated/measurements/trial.json

An empty value counts as not given:

RECORD        where the results go; generated/measurements.json
QUICK         1: fewer repetitions and fewer contenders, to see that it works
DATASET       a folder with validation/, the photos of clothing-dataset-small, for the accuracy
MODEL_COURSE  the course's model, a .h5 or .keras file, instead of random weights
"""

import json
import sys
from pathlib import Path

STOPPED = "The measurements were stopped; the record is as it was."
NEEDED = [
    "generated/expected-scores.json",
    "generated/clothing-model.tflite",
    "generated/clothing-model-int8.tflite",
    "lambda/lambda_function.py",
    "lambda/guards.py",
    "lambda/api.py",
    "lambda/onnx_function.py",
]


def measure(record: str, quick: str, dataset: str, course_model: str) -> None:
    """Measure everything, and write the record, whole or not at all.

    Raises
    ------
    walk.Problem
        Something is not there, or a program failed; the message says what to do.
    """
    import walk
    from measure import contenders, environments, functions, machine, models, plan
    from measure import record as records

    if sys.platform != "linux":
        raise walk.Problem("The measurements need Linux: tflite-runtime and AWS's emulator do.")
    walk.begin("measure", *NEEDED)
    plan.FOLDER.mkdir(exist_ok=True)
    if not Path(record).parent.is_dir():
        raise walk.Problem(f"RECORD={record}: there is no such folder.")
    planned = plan.make_plan(quick.lower() not in ("", "0", "false"), dataset, course_model)

    about = machine.describe(planned)
    environments.build_all()
    models.make_picture()
    facts = models.make_models(planned)
    variables = functions.library_variables()
    compared = functions.all_functions(variables)
    functions.make_folders(compared)

    peaks = []

    def note_peak():
        peaks.append(machine.core_peak())

    note_peak()
    found = models.contenders(planned)
    contenders.measure_all(found, planned, facts, variables, between=note_peak)
    functions.measure_all(compared, planned)
    about["multiply_adds_per_second"] = max(peaks)
    options = contenders.invoke_options(planned)
    content = records.make_record(planned, about, facts, found, compared, options)
    walk.save(record, json.dumps(content, indent=1) + "\n")
    for reason in planned.left_out:
        print(f"left out: {reason}")
    print(record)


def main(
    *,
    RECORD: str = "generated/measurements.json",
    QUICK: str = "",
    DATASET: str = "",
    MODEL_COURSE: str = "",
) -> None:
    """Run the measurements."""
    measure(RECORD, QUICK, DATASET, MODEL_COURSE)
