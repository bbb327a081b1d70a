# Made from notebooks/10-catalogue.ipynb: change that and export it again, do not edit this.

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Lock

import boto3
from answers import checked, verdict
from botocore.config import Config
from botocore.exceptions import ClientError
from guards import RequestError, check_bytes, prepare
from lambda_function import score

# seconds and tries for a request to S3; when they do not suffice, Step Functions tries the batch again
PATIENCE = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard"})
s3 = boto3.client("s3", config=PATIENCE)


def fetch(bucket: str, key: str) -> bytes:
    """Return the content of an object; its size is known before the first byte is read."""
    found = s3.get_object(Bucket=bucket, Key=key)
    with closing(found["Body"]) as body:
        check_bytes(found["ContentLength"])
        return body.read()


# Two threads will share a batch, and the interpreter has room for one picture.
one_at_a_time = Lock()


def classify(content: bytes) -> dict:
    """What a picture shows, when its turn has come."""
    with one_at_a_time:
        return verdict(checked(score(prepare(content))))


# What S3 says about one object, however often it is asked. Anything else may pass, or is a mistake of
# ours: that fails the batch, so that Step Functions tries it again.
OF_THE_PICTURE = {"NoSuchKey", "AccessDenied", "InvalidObjectState"}


def row(bucket: str, key: str) -> dict:
    """The line for a picture: what it shows, or why it has no scores."""
    try:
        return {"picture": key} | classify(fetch(bucket, key))
    except RequestError as error:
        return {"picture": key, "error": type(error).__name__, "message": str(error)}
    except ClientError as error:
        problem = error.response["Error"]
        if problem["Code"] not in OF_THE_PICTURE:
            raise
        return {"picture": key, "error": problem["Code"], "message": problem["Message"]}


def rows(bucket: str, keys: list[str]) -> list[dict]:
    """The line for each picture; while one is scored, the next is fetched, and no third."""
    with ThreadPoolExecutor(max_workers=2) as threads:
        return list(threads.map(partial(row, bucket), keys))


def lambda_handler(event, context):
    """Score a batch of pictures in S3, and write one object with a line of JSON for each.

    The event is {"Items": [{"Key": "…"}, …], "BatchInput": {"bucket": "…", "results": "…"}}, as Step
    Functions sends a batch; or one item alone, {"Key": "…", "bucket": "…", "results": "…"}. The answer
    names the object that was written, and how many pictures and errors are in it.
    """
    batch = event.get("BatchInput", event)
    keys = [item["Key"] for item in event.get("Items", [event])]
    lines = rows(batch["bucket"], keys)
    # Made from the keys alone: a batch that is delivered twice writes the same object twice.
    name = hashlib.sha256(json.dumps(keys).encode()).hexdigest()[:32]
    result = {"object": f"{batch['results']}{name}.jsonl", "pictures": len(keys)}
    result["errors"] = sum("error" in line for line in lines)
    content = "".join(f"{json.dumps(line)}\n" for line in lines)
    s3.put_object(Bucket=batch["bucket"], Key=result["object"], Body=content.encode())
    print(json.dumps(result), flush=True)
    return result
