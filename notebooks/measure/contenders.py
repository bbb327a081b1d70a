"""A worker, a process of its own, for each contender; they take turns."""

import json
import os
import subprocess
import time
from contextlib import ExitStack

import numpy as np
import walk
from tqdm import tqdm

from measure.environments import call, environment_of, python_of
from measure.models import (
    DOCUMENTED,
    PICTURE,
    PROGRAMS,
    QUIET,
    TFLITE_FILES,
    THREADS,
    Contender,
    slow_to_start,
)
from measure.plan import FOLDER, Plan
from measure.quota import WHOLE_CORE

LOADERS = {"keras": "load_keras", "onnxruntime": "load_onnx"}  # load_tflite for all others


class Worker:
    """A process that runs programs/worker.py: it has loaded a model, and does what it is told.

    Attributes
    ----------
    start_s
        The seconds of each phase of its start; None if the runtime cannot load the file.
    """

    def __init__(
        self, contender: Contender, threads: int | None, plan: Plan, facts: dict, variables: dict
    ):
        ours = contender.model == "ours"
        settings = {
            "program": LOADERS.get(contender.runtime, "load_tflite"),
            "file": contender.file,
            "threads": threads,
            "size": facts[contender.model]["input"],
            "library": plan.expected["library"] if ours else "keras",
            "preprocessing": plan.expected["parameters"]["PREPROCESSING"] if ours else "xception",
            "picture": str(PICTURE),
            "started": time.monotonic(),
        }
        command = [python_of(environment_of(contender.runtime)), PROGRAMS / "worker.py"]
        names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"] if threads else []
        self.log = FOLDER / f"{'-'.join(contender.key)}.log"
        self.limits = ExitStack()
        limit = self.limits.enter_context(plan.processor.limited(WHOLE_CORE))
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*limit, *command, json.dumps(settings)],
                env=os.environ | QUIET | variables | dict.fromkeys(names, str(threads)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.start_s = (self._answer(may_not_load=True) or {}).get("phases")

    def ask(self, **order) -> dict:
        """Give it an order; return its answer."""
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self, may_not_load: bool = False) -> dict | None:
        """Return the next line that it says; None if it cannot load the model, and may not."""
        if line := self.process.stdout.readline():
            return json.loads(line)
        text = self.log.read_text(errors="replace")
        if may_not_load and "Didn't find op for builtin opcode" in text:
            return None  # tflite-runtime and dynamic range: lesson 2 explains it
        raise walk.Problem(f"a worker ended, see {self.log}:\n{text[-500:]}")

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
        self.limits.close()


def measure_all(found: list[Contender], plan: Plan, facts: dict, variables: dict, between) -> None:
    """Measure the contenders as Lambda would run them with 1,769 MB, ours and then the course's.

    Cold starts first: every process is started anew in each round, from nothing to its first
    answer. The operating system has the files in memory by then, as it would not on a fresh
    machine, so these are the shortest ones possible. The processes of the last round stay and take
    turns at answering requests.

    Parameters
    ----------
    facts
        What `make_models` returned.
    variables
        Environment variables for the C library and for NumPy. With them the former keeps memory
        that a request frees for the next one; without, Linux takes and gives it page by page, now
        and then and not always, which would blur the comparison by a millisecond.
    between
        What is called after each group.
    """
    for threads in THREADS:
        for model in facts:
            group = [each for each in found if each.model == model]
            if threads != DOCUMENTED and plan.quick:
                group = [each for each in group if not slow_to_start(each)]
            _measure(group, threads, plan, facts, variables)
            between()


def _measure(
    group: list[Contender], threads: str, plan: Plan, facts: dict, variables: dict
) -> None:
    title = f"{group[0].model}, {threads}"
    first = threads == DOCUMENTED
    repeats = plan.starts if first else 1
    alive = {}
    try:
        turns = [(repeat, index) for repeat in range(repeats) for index in range(len(group))]
        for repeat, index in tqdm(turns, desc=f"{title}: starts"):
            contender = group[index]
            worker = Worker(contender, THREADS[threads], plan, facts, variables)
            contender.loads = worker.start_s is not None
            if first and contender.loads:
                contender.start_s.append(worker.start_s)
            if contender.loads and repeat == repeats - 1:
                alive[index] = worker
            else:
                worker.stop()
        turns = [index for _ in range(plan.rounds) for index in alive]
        for index in tqdm(turns, desc=f"{title}: requests"):
            said = alive[index].ask(requests=plan.requests)
            group[index].parts_ms.setdefault(threads, []).append(said["times"])
            if first:
                group[index].peak_memory_mb = said["peak_memory_mb"]
        if first:
            for index, worker in tqdm(alive.items(), desc=f"{title}: pictures"):
                _score_pictures(group[index], worker, plan)
    finally:
        for worker in alive.values():
            worker.stop()


def _score_pictures(contender: Contender, worker: Worker, plan: Plan) -> None:
    """Let a worker score the sample pictures, and the photos if there are any."""
    contender.scores = worker.ask(pictures=list(plan.expected["scores"]))["scores"]
    if plan.photos and (contender.model == "ours" or plan.course_model):
        answers = np.argmax(worker.ask(pictures=list(plan.photos))["scores"], axis=1)
        contender.right = answers == list(plan.photos.values())


def invoke_options(plan: Plan) -> dict[str, dict[str, float]]:
    """Return the median milliseconds of `invoke` with what else the runtimes of ours could do."""
    found = {}
    for runtime in "tflite-runtime", "litert":
        for precision in "float32", "int8":
            file = TFLITE_FILES["ours", precision]
            with plan.processor.limited(WHOLE_CORE) as limit:
                said = call(
                    *limit,
                    python_of(runtime),
                    PROGRAMS / "invoke_options.py",
                    file,
                    plan.option_rounds,
                )
            found[f"{runtime}, {precision}"] = json.loads(said.splitlines()[-1])
    return found
