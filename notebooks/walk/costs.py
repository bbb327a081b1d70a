"""What AWS charges: one model for the three lessons that ask.

Lesson 8 asks what a request costs, lesson 9 which memory to order, lesson 10 what a million pictures in
a bucket cost. The list prices of one region, in US dollars, without taxes and without what is free
each month. They change: look at the pages before you rely on them.
"""

DATE = "2025"  # when these pages were read
REGION = "us-east-1"  # in others some prices are higher

# https://aws.amazon.com/lambda/pricing
GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}  # a gigabyte of memory for a second
CALL = 0.20e-6  # a call of a function
# Ways around the cold start, each for a gigabyte of the function's memory
SNAPSHOT_SECOND = 0.0000015046  # SnapStart: a version that is kept for a second
RESTORE = 0.0001397998  # SnapStart: a start from it
READY_SECOND = 0.0000041667  # provisioned concurrency: a copy that is held ready for a second

# https://aws.amazon.com/api-gateway/pricing
HTTP_REQUEST = (
    1.00e-6  # a request to an HTTP API, up to HTTP_UNIT; a larger one counts several times
)
HTTP_UNIT = 512  # KB

# https://aws.amazon.com/step-functions/pricing
TRANSITION = 25e-6  # a step of a STANDARD run, such as each batch that a Distributed Map starts
EXPRESS = 1e-6  # an EXPRESS run
EXPRESS_GB_SECOND = 0.00001667  # its time
EXPRESS_MEMORY = 64  # MB: it is charged in such pieces

# https://aws.amazon.com/s3/pricing
GET = 0.4e-6  # a request that reads an object
PUT = LIST = 5e-6  # one that writes an object, one that lists up to LISTED keys
LISTED = 1000


def compute(seconds, memory, architecture: str = "x86_64"):
    """Return what a function costs ($) that works so long.

    Parameters
    ----------
    seconds
        How long, a number or an array.
    memory
        The function's memory setting, in MB.
    """
    return seconds * memory / 1024 * GB_SECOND[architecture]


def request(milliseconds, memory, architecture: str = "x86_64", web: bool = False) -> dict:
    """Return what a request costs ($), by what for.

    Parameters
    ----------
    milliseconds
        How long the function works. Lambda counts whole milliseconds: on average, half a one is added.
    memory
        The function's memory setting, in MB.
    web
        Whether it comes through an HTTP API.
    """
    time = compute((milliseconds + 0.5) / 1000, memory, architecture)
    gateway = {"the gateway": HTTP_REQUEST} if web else {}
    return gateway | {"the call": CALL, "the function's time": time}


def catalogue(pictures: int, in_a_batch, seconds, memory) -> dict:
    """Return what it costs ($) to score all pictures of a bucket, by what for.

    A Distributed Map of Step Functions lists them and starts an EXPRESS run for each batch, which calls
    the function; that reads each picture and writes one result for the batch.

    Parameters
    ----------
    in_a_batch
        How many pictures are in a batch, a number or an array.
    seconds
        How long all copies of the function work, together.
    memory
        The function's memory setting, in MB.
    """
    batches = pictures / in_a_batch
    waiting = seconds * EXPRESS_MEMORY / 1024 * EXPRESS_GB_SECOND  # a run is as long as its call
    return {
        "Step Functions": batches * (TRANSITION + EXPRESS) + waiting,
        "the function's time": compute(seconds, memory),
        "the function's calls": batches * CALL,
        "S3": pictures * (GET + LIST / LISTED) + batches * PUT,
    }
