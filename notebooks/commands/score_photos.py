"""Score all photos of a folder with the function, as lesson 10 does: `make catalogue` runs this.

    python notebooks/commands score_photos PHOTOS=folder

An AWS on this machine gets the stack of lambda/template-catalogue.yaml and the photos of the folder and
all folders in it; Step Functions runs the function over them. The scores go into
generated/catalogue/scores.jsonl, a line of JSON for each photo, and a summary beside it. With AWS=true
all this happens on the AWS account whose key is in the environment, where it costs a little; that was
not tried, for want of an account.
"""

import hashlib
import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

STOPPED = "Stopped: nothing was written."

SCORES, SUMMARY = Path("generated/catalogue/scores.jsonl"), Path("generated/catalogue/summary.txt")
UPLOADS = 8  # at the same time


def photos_in(folder: Path) -> tuple[dict[str, Path], str]:
    """Return the photos of a folder and all in it, by their paths from there, and what was left out.

    Raises
    ------
    Problem
        There is none, or one of them cannot be read.
    """
    from walk import Problem, pictures_in

    if not folder.is_dir():
        raise Problem(f"PHOTOS={folder}: there is no such folder.")
    pictures, left_out = pictures_in(folder)
    found = {path.relative_to(folder).as_posix(): path for path in pictures}
    if not found:
        raise Problem(f"PHOTOS={folder}: there is no picture in it. {left_out}".strip())
    for name, path in found.items():
        try:
            name.encode()
            path.open("rb").close()
        except UnicodeEncodeError:
            raise Problem(f"{name!a}: the name is not UTF-8, as S3 wants it. Rename it.") from None
        except OSError as error:
            raise Problem(f"{path} cannot be read: {error.strerror}.") from None
    return found, left_out


def score(photos: dict[str, Path], place: str, stack: dict[str, str]) -> tuple[list[dict], float]:
    """Upload photos, run the state machine over them, and return a row for each, and the seconds."""
    import boto3
    import walk
    from tqdm import tqdm

    s3, step_functions = boto3.client("s3"), boto3.client("stepfunctions")
    job = {"photos": f"photos/{place}/", "results": f"results/{place}/"}

    def upload(name):
        s3.upload_file(str(photos[name]), stack["Bucket"], job["photos"] + name)

    with ThreadPoolExecutor(UPLOADS) as pool:
        list(tqdm(pool.map(upload, photos), total=len(photos), unit="picture", desc="uploaded"))
    started = time.perf_counter()
    execution = step_functions.start_execution(
        stateMachineArn=stack["StateMachine"], input=json.dumps(job)
    )["executionArn"]
    try:
        walk.watch(step_functions, execution)
    except KeyboardInterrupt:
        step_functions.stop_execution(executionArn=execution)  # on AWS it would go on
        raise
    seconds = time.perf_counter() - started
    rows = walk.result_rows(s3, stack["Bucket"], job["results"])
    return by_photo(rows, photos, job["photos"]), seconds


def by_photo(rows: list[dict], photos, prefix: str) -> list[dict]:
    """Return a row for each photo, its name as in the folder; what has none gets one that says so."""
    lost = {"error": "NotScored", "message": "its batch failed: the function's log says why"}
    found = {row["picture"].removeprefix(prefix): row for row in rows}
    return [found.get(name, lost) | {"picture": name} for name in photos]


def summary(rows: list[dict], seconds: float) -> str:
    """Say how many photos are of which class, which have no scores, and how long it took."""
    classes = Counter(row["prediction"] for row in rows if "prediction" in row)
    errors = Counter(row["error"] for row in rows if "error" in row)
    lines = [f"{number:7,}  {name}" for name, number in classes.most_common()]
    lines += [f"{number:7,}  without scores: {name}" for name, number in errors.most_common()]
    folders = {row["picture"]: Path(row["picture"]).parent.name for row in rows}
    if classes and set(folders.values()) <= {
        name for row in rows for name in row.get("scores", ())
    }:
        right = sum(row.get("prediction") == folders[row["picture"]] for row in rows)
        lines.append(
            f"\nAs their folders say: {right:,} of {len(rows):,} ({right / len(rows):.1%})"
        )
    lines.append(f"{len(rows):,} photos in {seconds:.0f} s: {len(rows) / seconds:.0f} a second")
    return "\n".join(lines)


def run(folder: Path, on_aws: bool) -> None:
    """Score the photos of a folder, and leave the scores and their summary."""
    import walk

    needed = "generated/clothing-model.tflite", "lambda/catalogue.py"
    walk.begin("catalogue", *needed, account=on_aws)
    photos, left_out = photos_in(folder)
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]  # again is the same
    SCORES.parent.mkdir(exist_ok=True)
    walk.prepare_sam()
    print(*filter(None, [f"{len(photos):,} photos.", left_out]))
    print("Deploying the function and the state machine …", flush=True)
    with nullcontext() if on_aws else walk.local_aws() as aws:
        if aws:
            os.environ.update(aws.variables)
        stack = walk.deploy("catalogue")
        rows, seconds = score(photos, place, stack)
    text = summary(rows, seconds)
    walk.save(SCORES, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    walk.save(SUMMARY, f"{text}\n")
    print(f"\n{text}\n\nThe scores: {SCORES}")
    if on_aws:
        print(f"The photos stay in s3://{stack['Bucket']}: lesson 10 ends with how to remove them.")


def main(*, PHOTOS: str = "", AWS: str = "false") -> str | None:
    """Score the photos; return the message to fail with, if it failed."""
    if not PHOTOS or AWS not in ("true", "false"):
        return f"PHOTOS={PHOTOS} AWS={AWS}: PHOTOS must be a folder, and AWS true or false."
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        run(Path(PHOTOS).absolute(), AWS == "true")
    except (Boto3Error, BotoCoreError, ClientError) as error:
        return str(error)
    return None
