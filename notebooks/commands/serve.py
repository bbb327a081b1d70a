"""Serve the function and its page on this machine until Ctrl-C: `make serve` runs this.

    python notebooks/commands serve PORT=8080

An AWS on this machine runs the stack of lambda/template.yaml with Public=true. When a part of it
changes (the function, the model, samconfig.toml, …), the stack is updated. PORT: where it listens;
empty for any free port.
"""

import os
import time


def state() -> dict | str:
    """Return when each part of the stack was changed, or what is wrong with samconfig.toml."""
    import walk

    try:
        return {part: part.stat().st_mtime for part in walk.bundle().parts() if part.exists()}
    except ValueError as error:
        return str(error)


def update() -> None:
    """Deploy what changed; what cannot be deployed is said, and the stack stays as it is."""
    import walk

    try:
        walk.deploy(Public="true")
        print("The function was updated.", flush=True)
    except walk.Problem as problem:
        print(f"The function was not updated. {problem}", flush=True)


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
                update()
        raise walk.Problem(f"MiniStack ended: {aws.log_file} may say why.")


def main(*, PORT: str = "0") -> str | None:
    """Serve until Ctrl-C; return the message to fail with, if it failed."""
    if not PORT.isdecimal() or int(PORT) > 65535:
        return f"PORT={PORT}: PORT must be a number up to 65535."
    try:
        serve(int(PORT))
    except KeyboardInterrupt:  # as it is meant to end
        print("\nStopped; nothing is left.")
    return None
