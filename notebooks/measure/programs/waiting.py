"""A function that waits about as long as ours computes: what a request takes around that.

The emulator and the processor have gone to sleep by then, and wake up for the answer, which a
function that answers at once does not show.
"""

import json
import time


def lambda_handler(event, context):
    """Answer any event, after 10 ms."""
    began = time.perf_counter()
    time.sleep(0.01)
    waited = 1000 * (time.perf_counter() - began)
    print(json.dumps({"fetch_ms": 0, "decode_ms": 0, "invoke_ms": waited}), flush=True)
    return {}
