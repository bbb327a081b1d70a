"""A catalogue: many pictures, the state machine that scores them, and what it left in the bucket."""

import io
import json
import random
import time
from contextlib import closing
from pathlib import Path

from IPython.display import Image as Drawing
from PIL import Image, ImageEnhance
from tqdm import tqdm

from .drawings import drawing
from .lesson import Problem
from .samples import SAMPLES

SECONDS = 0.3  # between two looks at a run


def variations(count: int, seed: int = 1, careless: float = 0) -> dict[str, bytes]:
    """Return so many JPEG pictures by their names: the samples, turned, mirrored, darker or paler.

    The same arguments give the same pictures.

    Parameters
    ----------
    careless
        The share of those that were taken in a hurry: far away, cut off, on their side or in the dark.
    """
    chance, hurry = random.Random(seed), random.Random(seed)
    samples = {
        Path(name).stem: Image.open(name).convert("RGB") for name in sorted(SAMPLES.glob("*.png"))
    }
    pictures = {}
    for number in range(count):
        name = list(samples)[number % len(samples)]
        image = samples[name].rotate(chance.uniform(-20, 20), fillcolor="white")
        if chance.random() < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        for change in ImageEnhance.Brightness, ImageEnhance.Color, ImageEnhance.Contrast:
            image = change(image).enhance(chance.uniform(0.6, 1.4))
        if hurry.random() < careless:
            image = _taken_in_a_hurry(image, hurry)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=85)
        pictures[f"{name}/{number:04}.jpg"] = file.getvalue()
    return pictures


def _taken_in_a_hurry(image: Image.Image, chance: random.Random) -> Image.Image:
    """Return a picture as it comes out far away, cut off, on its side or in the dark."""
    side = image.width
    match chance.choice(["far away", "cut off", "on its side", "in the dark"]):
        case "far away":
            small = image.resize([round(side * chance.uniform(0.2, 0.35))] * 2)
            image = Image.new("RGB", image.size, image.getpixel((0, 0)))
            image.paste(small, [chance.randrange(side - small.width) for _ in range(2)])
        case "cut off":
            left, top = (chance.uniform(0, 0.5) * side for _ in range(2))
            image = image.crop((left, top, left + side / 2, top + side / 2))
        case "on its side":
            image = image.rotate(
                chance.choice([-1, 1]) * chance.uniform(60, 180), fillcolor="white"
            )
        case "in the dark":
            image = ImageEnhance.Brightness(image).enhance(chance.uniform(0.05, 0.15))
    return image


def watch(step_functions, execution: str, until: int | None = None) -> dict[str, int]:
    """Show the progress of a run until it ends; return how many items it has, by how they went.

    Parameters
    ----------
    step_functions
        A client of AWS's library.
    execution
        The run, by the name (ARN) that `start_execution` gave it.
    until
        Return when so many items have been worked on, though the run goes on.

    Raises
    ------
    Problem
        The run failed or was stopped.
    """
    counts = {"succeeded": 0, "failed": 0, "total": 0}
    with closing(tqdm(total=0, unit="picture", desc="scored")) as bar:
        while True:
            run = step_functions.describe_execution(executionArn=execution)
            counts |= _counts(step_functions, execution)
            bar.total = counts["total"]
            bar.update(counts["succeeded"] + counts["failed"] - bar.n)
            if until is not None and bar.n >= until:
                return counts
            if run["status"] == "SUCCEEDED":
                return counts
            if run["status"] != "RUNNING":
                reason = run.get("cause") or run.get("error") or "no reason was given"
                raise Problem(f"The run ended as {run['status']}: {reason}")
            time.sleep(SECONDS)


def _counts(step_functions, execution: str) -> dict[str, int]:
    """Return what the run's Map counted; nothing before it has listed the bucket."""
    maps = step_functions.list_map_runs(executionArn=execution)["mapRuns"]
    if not maps:
        return {}
    return step_functions.describe_map_run(mapRunArn=maps[0]["mapRunArn"])["itemCounts"]


def keys(s3, bucket: str, prefix: str) -> list[str]:
    """Return the names of all objects below a prefix, the newest last."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = [each for page in pages for each in page.get("Contents", [])]
    return [each["Key"] for each in sorted(found, key=lambda each: each["LastModified"])]


def result_rows(s3, bucket: str, prefix: str) -> list[dict]:
    """Return the rows that the function wrote below a prefix, by picture.

    Of a picture that stands in two objects, since pictures were added between two runs and so went
    into other batches, the newest row counts.
    """
    rows = {}
    for key in keys(s3, bucket, prefix):
        lines = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode().split("\n")
        rows |= {row["picture"]: row for row in map(json.loads, filter(None, lines))}
    return [rows[picture] for picture in sorted(rows)]


def state_machine(definition: dict) -> Drawing:
    """Draw a state machine that consists of one Distributed Map, from its definition."""
    import matplotlib.pyplot as plt

    ((name, each),) = definition["States"].items()
    ((task, work),) = each["ItemProcessor"]["States"].items()
    at_once, tolerated = each["MaxConcurrency"], each["ToleratedFailurePercentage"]
    retries = "; ".join(
        f"{retry['ErrorEquals'][0].removeprefix('Lambda.')}: {retry['MaxAttempts']}"
        for retry in work["Retry"]
    )
    boxes = {
        "ItemReader": f"lists the pictures\n({each['ItemReader']['Resource'].split(':')[-1]})",
        "ItemBatcher": f"puts {each['ItemBatcher']['MaxItemsPerBatch']} pictures\nin a batch",
        task: f"calls the function\n({each['ItemProcessor']['ProcessorConfig']['ExecutionType']})",
        "ResultWriter": "notes how each\nbatch went",
    }
    figure, axis = plt.subplots(figsize=(9.5, 2.6))
    axis.axis("off")
    axis.set_xlim(-0.6, 3.6)
    axis.set_ylim(-0.85, 0.85)
    box = {"boxstyle": "round,pad=0.5", "edgecolor": "tab:blue", "facecolor": "white"}
    for place, (step, does) in enumerate(boxes.items()):
        copies = 3 if step == task else 1  # many at once
        for copy in reversed(range(copies)):
            x, y = place + 0.03 * copy, 0.25 + 0.07 * copy
            axis.text(x, y, step, ha="center", va="center", weight="bold", bbox=box)
        axis.text(place, -0.12, does, ha="center", va="center", size=9)
        if place:
            arrow = {"arrowstyle": "->", "color": "grey"}
            axis.annotate("", (place - 0.36, 0.25), (place - 0.62, 0.25), arrowprops=arrow)
    said = f"at most {at_once} at once, {tolerated} % may fail; tries again: {retries}"
    axis.set_title(f"{name} ({each['Type']}, {each['ItemProcessor']['ProcessorConfig']['Mode']})")
    axis.text(1.5, -0.6, said, ha="center", va="center", size=9, color="dimgrey")
    steps = "; ".join(f"{step} {' '.join(does.split())}" for step, does in boxes.items())
    return drawing(figure, f"The state machine's one state, {name}: {steps}; {said}")
