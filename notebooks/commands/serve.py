"""Serve the function and its page on this machine until Ctrl-C: `make serve` runs this.

    python notebooks/commands serve PORT=8080

An AWS on this machine runs the stack of lambda/template.yaml with Public=true. When the function, its
page or the model changes, the stack is updated. PORT: where it listens; empty for any free port.
"""

import os
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


def main(*, PORT: str = "0") -> str | None:
    """Serve until Ctrl-C; return the message to fail with, if it failed."""
    if not PORT.isdigit() or int(PORT) > 65535:
        return f"PORT={PORT}: PORT must be a number up to 65535."
    try:
        serve(int(PORT))
    except KeyboardInterrupt:  # as it is meant to end
        print("\nStopped; nothing is left.")
    return None
