"""The picture of all requests, the models in each format, and the contenders that run them."""

import os
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import walk
from PIL import Image
from tqdm import tqdm

from measure.environments import call, environment_of, python_of, requirements
from measure.plan import FOLDER, Plan

PROGRAMS = Path(__file__).parent / "programs"
MADE = Path(".cache/models")  # the models made here: they take a while, and stay
PICTURE = FOLDER / "picture.jpg"
PRECISIONS = ["float32", "float16", "dynamic-range", "int8"]
DOCUMENTED, ONE_THREAD = "as documented", "one thread"
DEPLOYED = "ours", "litert", "int8"  # measured by a quick run, too: one of our functions has it
# the threads of a runtime: as its documentation shows its use, which sets no number; and one
THREADS = {DOCUMENTED: None, ONE_THREAD: 1}
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}

TFLITE_FILES = {
    ("ours", "float32"): "generated/clothing-model.tflite",
    **{("ours", p): f"generated/clothing-model-{p}.tflite" for p in PRECISIONS[1:]},
    **{("xception", p): f"{MADE}/xception-{p}.tflite" for p in PRECISIONS},
}


@dataclass
class Contender:
    """A combination of model, runtime and precision, and what was measured of it."""

    model: str  # "ours" or "xception"
    runtime: str
    precision: str
    file: str
    loads: bool = False  # whether the runtime can load the file
    start_s: list = field(default_factory=list)  # of each start, the seconds of each phase
    # by the name of THREADS: milliseconds to decode, prepare and invoke, (rounds, requests, 3)
    parts_ms: dict[str, list] = field(default_factory=dict)
    peak_memory_mb: float = 0
    scores: list = field(default_factory=list)  # of each sample picture
    right: np.ndarray | None = None  # of each photo whether the answer is right, if there are any

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is called by."""
        return self.model, self.runtime, self.precision

    def request_ms(self, threads: str) -> np.ndarray:
        """Return the duration of each request, shape (rounds, requests)."""
        return np.sum(self.parts_ms[threads], axis=2)


def make_picture() -> None:
    """Make the picture that all requests bring.

    400 x 533 pixels, as most of the photos are, one of our drawings in front of a rough wall, so
    that the JPEG is about as large as a photo's: 26 kB is the median of the validation photos.
    """
    noise = np.random.default_rng(0).normal(205, 11, (533, 400, 3)).clip(0, 255).astype("uint8")
    picture = Image.fromarray(noise)
    jeans = Image.open("notebooks/assets/jeans.png").convert("RGB").resize((330, 330))
    picture.paste(jeans, (35, 100))
    picture.save(PICTURE, quality=75)


def make_models(plan: Plan) -> dict[str, dict]:
    """Make the models that lesson 2 does not make, unless they are there; return their facts."""
    precisions = PRECISIONS[:1] if plan.quick else PRECISIONS
    settings = {
        "folder": str(MADE),
        "library": plan.expected["library"],
        "model": plan.expected["model"],
        "parameters": plan.expected["parameters"],
        "course": plan.course_model,
        "pictures": list(plan.expected["scores"]),
    }
    programs = {
        PROGRAMS / "make_xception.py": python_of("tensorflow"),
        PROGRAMS / "make_tflite.py": python_of("tensorflow"),
        PROGRAMS / "make_onnx.py": sys.executable,  # this environment has tf2onnx
    }
    sources = [plan.expected["model"], TFLITE_FILES["ours", "int8"], *programs, plan.course_model]
    checksums = [sha256(Path(file).read_bytes()).hexdigest() for file in sources if file]
    state = {"settings": settings, "packages": requirements(), "checksums": checksums}
    made_of = MADE / "made-of.json"
    made = walk.load(made_of) if made_of.exists() else {"precisions": []}
    enough = set(precisions) <= set(made.pop("precisions"))
    if made != state or not enough:
        made_of.unlink(missing_ok=True)
        MADE.mkdir(parents=True, exist_ok=True)
        walk.save(MADE / "settings.json", settings | {"precisions": precisions})
        os.environ.update(QUIET)
        for program, python in tqdm(programs.items(), desc="models", unit="program"):
            call(python, program, MADE / "settings.json")
        walk.save(made_of, state | {"precisions": precisions})
    return walk.load(MADE / "models.json")


def contenders(plan: Plan) -> list[Contender]:
    """Return what is compared; the files must be there."""
    files = {"ours": plan.expected["model"], "xception": f"{MADE}/xception.keras"}
    found = []
    for model, file in files.items():
        found.append(Contender(model, "keras", "float32", file))
        for precision in PRECISIONS:
            for runtime in "tf.lite", "tflite-runtime", "litert":
                found.append(Contender(model, runtime, precision, TFLITE_FILES[model, precision]))
        for precision in "float32", "int8":
            onnx = f"{MADE}/{model}-{precision}.onnx"
            found.append(Contender(model, "onnxruntime", precision, onnx))
    if plan.quick:
        found = [each for each in found if each.precision == "float32" or each.key == DEPLOYED]
        plan.left_out.append("other precisions than float32, and repetitions (QUICK is given)")
    return found


def slow_to_start(contender: Contender) -> bool:
    """Whether its runtime is in TensorFlow."""
    return environment_of(contender.runtime) == "tensorflow"
