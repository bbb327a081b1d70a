"""What a run measures, how often, and what it leaves out."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import walk
from keras_image_helper.helper import preprocessors

from measure import quota
from measure.quota import WHOLE_CORE, Processor

FOLDER = Path("generated/measurements")  # the functions and logs of a run
MEMORIES = [128, 256, 512, 1024, WHOLE_CORE, 2 * WHOLE_CORE]  # MB


@dataclass
class Plan:
    """What a run measures; see `make_plan`."""

    quick: bool
    course_model: str  # the file of the course's model; "" for its architecture, random weights
    photos: dict[str, int]  # the path of each validation photo, and the index of its class
    expected: dict  # what lesson 1 left: our model's file, its Keras, its scores
    processor: Processor = field(default_factory=quota.find)
    left_out: list[str] = field(default_factory=list)  # what is not measured, and why
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    @property
    def rounds(self) -> int:
        """How often all take their turn, one after the other."""
        return 2 if self.quick else 10

    @property
    def requests(self) -> int:
        """How many requests a turn has, after one that does not count."""
        return 3 if self.quick else 5

    @property
    def function_starts(self) -> int:
        """How often each function is started."""
        return 1 if self.quick else 10

    @property
    def option_rounds(self) -> int:
        """How often all options of `invoke` take their turn."""
        return 1 if self.quick else 10

    @property
    def curve_rounds(self) -> int:
        """How often all take their turn with each of the other memory settings."""
        return 1 if self.quick else 5

    @property
    def curve_requests(self) -> int:
        """How many requests such a turn has."""
        return 1 if self.quick else 3

    @property
    def memories(self) -> list[int]:
        """The memory settings (MB), as far as this machine can give their share."""
        return self.processor.settings([1024, WHOLE_CORE] if self.quick else MEMORIES)

    @property
    def starts(self) -> int:
        """How often each process is started, for the cold start."""
        return 1 if self.quick else 5


def make_plan(quick: bool, dataset: str, course_model: str) -> Plan:
    """Check what a run was given.

    Parameters
    ----------
    quick
        Fewer repetitions and fewer contenders, to see that it works.
    dataset
        A folder with validation/, the photos of clothing-dataset-small; "" leaves out the accuracy.
    course_model
        The course's model, a .h5 or .keras file; "" takes its architecture with random weights.

    Raises
    ------
    walk.Problem
        Something is not there.
    """
    expected = walk.load("generated/expected-scores.json")
    given = expected["parameters"]
    if given["PREPROCESSING"] not in preprocessors or given["RESIZE"] != "nearest":
        raise walk.Problem(
            "make measure prepares pictures as keras-image-helper does by itself, which does not know "
            f"PREPROCESSING={given['PREPROCESSING']} with RESIZE={given['RESIZE']}. Lesson 9 times your "
            "model in each runtime."
        )
    if course_model and not Path(course_model).is_file():
        raise walk.Problem(f"MODEL_COURSE={course_model}: there is no such file.")
    classes = list(next(iter(expected["scores"].values())))
    photos = _photos(dataset, classes) if dataset else {}
    if quick:
        photos = dict(list(photos.items())[::20])
    plan = Plan(quick, course_model, photos, expected)
    if plan.processor.parent is None:
        reason = "making a control group (cgroup) with the processor needs rights, such as root's"
        plan.left_out.append(f"Lambda's share of the processor, one core instead: {reason}")
    elif missing := sorted(set(MEMORIES) - set(plan.memories)):
        reason = "QUICK is given" if quick else "this machine has too few cores"
        plan.left_out.append(f"memory settings of {missing} MB ({reason})")
    if not dataset:
        plan.left_out.append("accuracy: no validation photos (DATASET is not given)")
    if not course_model:
        reason = "its weights are random (MODEL_COURSE is not given)"
        plan.left_out.append(f"accuracy of Xception: {reason}")
    return plan


def _photos(dataset: str, classes: list[str]) -> dict[str, int]:
    """Return the path of each validation photo, with the index of its class."""
    photos = {}
    for index, name in enumerate(classes):
        found, _ = walk.pictures_in(Path(dataset, "validation", name), "*")
        if not found:
            raise walk.Problem(f"DATASET={dataset}: no photos in validation/{name}")
        photos |= {str(file): index for file in found}
    return photos
