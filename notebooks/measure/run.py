"""Measure size, time, memory and cost of each runtime and function: `make measure` runs this.

    python notebooks/measure/run.py QUICK=1 RECORD=generated/measurements/trial.json

What it takes, as arguments or environment variables; an empty value counts as not given:

RECORD        where the results go; generated/measurements.json
QUICK         1: fewer repetitions and fewer contenders, to see that it works
DATASET       a folder with validation/, the photos of clothing-dataset-small, for the accuracy
MODEL_COURSE  the course's model, a .h5 or .keras file, instead of random weights
"""

import json
import os
import signal
import sys
from pathlib import Path

PARAMETERS = {
    "RECORD": "generated/measurements.json",
    "QUICK": "",
    "DATASET": "",
    "MODEL_COURSE": "",
}
NEEDED = [
    "generated/expected-scores.json",
    "generated/clothing-model.tflite",
    "generated/clothing-model-int8.tflite",
    "lambda/lambda_function.py",
    "lambda/api.py",
]


def parameters(arguments: tuple[str, ...]) -> dict[str, str]:
    """Return what each parameter was set to, by an argument or else by the environment."""
    values = {name: os.environ.get(name) or default for name, default in PARAMETERS.items()}
    for name, _, value in (argument.partition("=") for argument in arguments):
        if name not in PARAMETERS:
            sys.exit(f"measure/run.py: what is {name}?\n\n{__doc__}")
        values[name] = value or values[name]
    return values


def measure(record: str, quick: str, dataset: str, course_model: str) -> None:
    """Measure everything, and write the record, whole or not at all.

    Raises
    ------
    walk.Problem
        Something is not there, or a program failed; the message says what to do.
    """
    import walk

    from measure import contenders, environments, functions, machine, models, plan, results

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
    content = results.make_record(planned, about, facts, found, compared, options)
    walk.save(record, json.dumps(content, indent=1) + "\n")
    for reason in planned.left_out:
        print(f"left out: {reason}")
    print(record)


def main(*arguments: str) -> str | None:
    """Run the measurements; return the message to fail with, if they failed."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # where walk/ and measure/ are
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all processes are stopped
    given = parameters(arguments)
    record = given["RECORD"]
    try:
        import walk  # here and not above, so that Ctrl-C gets one line from the first second on

        try:
            measure(record, given["QUICK"], given["DATASET"], given["MODEL_COURSE"])
        except walk.Problem as problem:
            return str(problem)
    except KeyboardInterrupt:
        return f"\nThe measurements were stopped; {record} is as it was."
    except OSError as error:
        return f"The measurements stopped: {error}. {record} is as it was."
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
