"""Serve the function and its page on this machine until Ctrl-C: `make serve` runs this.

    python notebooks/serve.py PORT=8080

An AWS on this machine runs the stack of lambda/template.yaml with Public=true. When the function, its
page or the model changes, the stack is updated. PORT: where it listens; empty for any free port.
"""

import os
import signal
import sys
import time
from pathlib import Path

FUNCTION = "lambda_function.py", "api.py", "page.html", "openapi.yaml", "template.yaml"


def state() -> list[float]:
    """Return when each file of the function was changed."""
    files = [Path("lambda", name) for name in FUNCTION] + sorted(Path("generated").glob("*.tflite"))
    return [file.stat().st_mtime for file in files if file.exists()]


def serve(port: int) -> None:
    """Run the stack until this process is interrupted."""
    import walk

    walk.begin("serve", "generated/clothing-model.tflite", "lambda/api.py")
    walk.prepare_sam()
    print("Starting an AWS on this machine, and deploying the function to it …", flush=True)
    with walk.local_aws(port) as aws:
        os.environ.update(aws.variables)
        seen = state()
        url = aws.here(walk.deploy(Public="true")["Url"])
        print(f"\n  {url}\n\nCtrl-C stops it.", flush=True)
        while aws.process.poll() is None:
            time.sleep(1)
            if seen != (seen := state()):
                walk.deploy(Public="true")
                print("The function was updated.", flush=True)
        raise walk.Problem(f"MiniStack ended: {aws.log_file} may say why.")


def main(*arguments: str) -> str | None:
    """Serve; return the message to fail with, if it failed."""
    for stop in signal.SIGINT, signal.SIGTERM:
        signal.signal(stop, signal.default_int_handler)
    values = dict(argument.partition("=")[::2] for argument in arguments)
    port = values.pop("PORT", "") or "0"
    if values or not port.isdigit() or int(port) > 65535:
        return f"serve.py: PORT must be a number up to 65535.\n\n{__doc__}"
    try:
        import walk  # here and not above, so that Ctrl-C gets one line from the first second on

        try:
            serve(int(port))
        except walk.Problem as problem:
            return str(problem)
    except KeyboardInterrupt:
        print("\nStopped; nothing is left.")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
