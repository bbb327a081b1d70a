"""An AWS on this machine, without Docker and without an account: MiniStack."""

import atexit
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from urllib.parse import urlsplit

import urllib3

from .environments import ENVIRONMENTS, build, path_to_python
from .lesson import PUBLISHED, Problem, run

PYTHON = ENVIRONMENTS["ministack"].python  # the Runtime in lambda/template.yaml
NEEDS = f"MiniStack needs Linux, Python {PYTHON} and, the first time, a connection to PyPI."
ELSEWHERE = f"Without it, read the lesson in {PUBLISHED}/, with all that it shows."

_started: dict[tuple, "LocalAws"] = {}  # by what was asked for


@dataclass
class LocalAws:
    """A running MiniStack; see `local_aws`.

    Attributes
    ----------
    port
        Where it listens, on this machine alone.
    log_file
        What it says.
    """

    port: int
    log_file: Path
    process: subprocess.Popen
    temporary: TemporaryDirectory  # what it writes, and would leave: functions, unpacked to run

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables with which AWS's tools find it, instead of the real one."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def here(self, url: str) -> str:
        """Return the address on this machine of what has this URL on AWS."""
        api = urlsplit(url).hostname.split(".")[0]
        return f"http://{api}.execute-api.localhost:{self.port}{urlsplit(url).path}"

    @staticmethod
    def request(method: str, url: str, headers=None, **more) -> urllib3.BaseHTTPResponse:
        """Send a request to such an address; see `urllib3.request`.

        Browsers and curl know that each name that ends with .localhost is this machine; Python asks
        the system, which may not know it. So it connects to the machine, and names the host apart.
        """
        parts = urlsplit(url)
        headers = (headers or {}) | {"Host": parts.netloc}
        local = f"http://127.0.0.1:{parts.port}{parts.path}"
        return urllib3.request(method, local, headers=headers, retries=False, **more)

    def stop(self) -> None:
        """Stop it and its workers."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.temporary.cleanup()


def prepare_sam() -> None:
    """Let SAM's command work here: with Lambda's Python, quietly, outside of the home directory."""
    os.environ["SAM_CLI_TELEMETRY"] = "0"
    os.environ["__SAM_CLI_APP_DIR"] = str(Path(".cache/sam").absolute())
    os.environ["PATH"] = path_to_python(PYTHON)


def _ministack() -> Path:
    """Return MiniStack's program, made if it is not there; a Problem where it cannot run."""
    if sys.platform != "linux":
        raise Problem(NEEDS)
    try:
        return build("ministack") / "bin" / "ministack"
    except Problem as problem:
        raise Problem(f"{NEEDS} {problem}") from None


def _start(port: int, log_file: Path, folder: Path | None = None) -> LocalAws:
    program = _ministack()
    try:
        with socket.create_server(("127.0.0.1", port)) as free:
            port = free.getsockname()[1]
    except OSError as error:
        reason = os.strerror(error.errno)
        raise Problem(f"Port {port} cannot be used: {reason}. Choose another one: PORT=") from None
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0"}
    temporary = TemporaryDirectory(prefix="ministack-", ignore_cleanup_errors=True)
    place = folder.absolute() if folder else Path(temporary.name)
    settings |= {"STATE_DIR": str(place / "state"), "S3_DATA_DIR": str(place / "s3")}
    if folder:  # there it keeps all that it has, from one start to the next
        settings |= {"PERSIST_STATE": "1", "S3_PERSIST": "1"}
    settings["TMPDIR"] = temporary.name
    others = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    # setpriv stops it even if this process is killed.
    command = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    with log_file.open("w") as log:
        process = subprocess.Popen(
            [*command, program],
            env=others | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that it and its workers can be stopped together
        )
    aws = LocalAws(port, log_file, process, temporary)
    try:
        _wait_for(aws)
    except BaseException:
        aws.stop()
        raise
    os.environ["SAM_CLI_POLL_DELAY"] = "0.2"  # seconds, not 5: this AWS has no rate limit
    return aws


def _wait_for(aws: LocalAws) -> None:
    """Wait until it answers."""
    until = time.monotonic() + 60
    while time.monotonic() < until and aws.process.poll() is None:
        try:
            urllib3.request("GET", aws.variables["AWS_ENDPOINT_URL"], retries=False, timeout=5)
            return
        except urllib3.exceptions.HTTPError:
            time.sleep(0.05)
    raise Problem(f"MiniStack did not start on port {aws.port}: {aws.log_file} may say why.")


@contextmanager
def local_aws(port: int = 0, log_file: str | Path = "generated/aws.log"):
    """Run an AWS on this machine, for this machine only, as long as the `with` block.

    Parameters
    ----------
    port
        Where it listens; 0 takes a free port.
    log_file
        Where its output goes.

    Yields
    ------
    LocalAws

    Raises
    ------
    Problem
        It cannot run here, or the port is taken.
    """
    aws = _start(port, Path(log_file))
    try:
        yield aws
    finally:
        aws.stop()


def start_aws(port: int = 0, folder: str | Path | None = None, fresh: bool = False) -> LocalAws:
    """Run an AWS on this machine until `stop`, or until this process ends.

    What this process has already started in this way is returned as it is.

    Parameters
    ----------
    port
        Where it listens; 0 takes a free port.
    folder
        Where it keeps what it has, for the next start with this folder; without one it forgets.
    fresh
        Whether it forgets what an earlier process left in that folder.

    Raises
    ------
    Problem
        It cannot run here, or the port is taken.
    """
    asked = port, folder
    if asked in _started and _started[asked].process.poll() is None:
        return _started[asked]
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        aws = _started[asked] = _start(port, Path("generated/aws.log"), folder and Path(folder))
    except Problem as problem:
        raise Problem(f"{problem} {ELSEWHERE}") from None
    atexit.register(aws.stop)
    return aws


def try_aws(port: int = 0, folder: str | Path | None = None) -> LocalAws | None:
    """Do the same as `start_aws`; where it cannot, say why and return None."""
    try:
        return start_aws(port, folder)
    except Problem as problem:
        print(f"Nothing is deployed here. {problem}")
        return None


def bundle() -> ModuleType:
    """Return lambda/bundle.py, which knows what is deployed; `lambda` is no name to import from."""
    spec = importlib.util.spec_from_file_location("bundle", "lambda/bundle.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def deploy(config: str = "default", /, **parameters: str) -> dict[str, str]:
    """Build the bundle, if it is not up to date, and deploy it with SAM; return the stack's outputs.

    Parameters
    ----------
    config
        Which stack: the part of lambda/samconfig.toml that describes it.
    parameters
        Of the stack's template, instead of what lambda/samconfig.toml has.

    Raises
    ------
    Problem
        lambda/samconfig.toml is wrong, or SAM failed.
    """
    try:
        module = bundle()
        settings = module.settings()[config]
        folder = settings["build"]["parameters"].get("build_dir", ".aws-sam/build")
        last = Path("lambda", folder, "template.yaml")  # what `sam build` writes last
        built = module.is_newer(last, module.parts())
        chosen = module.overrides(config) | parameters
    except ValueError as error:
        raise Problem(f"lambda/{error}") from None
    stack = settings["global"]["parameters"]["stack_name"]
    given = " ".join(f"{name}={value}" for name, value in chosen.items())
    if not built:
        run(f"sam build --config-env {config}", folder="lambda")
    run(f"sam deploy --config-env {config} --parameter-overrides {given}", folder="lambda")
    return outputs(stack)


def outputs(stack: str) -> dict[str, str]:
    """Return the outputs of a stack, by their names."""
    import boto3  # Linux alone has it

    client = boto3.Session().client("cloudformation")  # sam's own command takes seconds for this
    (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def piece(file: str | Path, *names: str) -> str:
    """Return parts of a template, as they stand in the file.

    Parameters
    ----------
    file
        The template.
    names
        Of its parameters, conditions, resources or outputs, or of whole sections, in this order; each
        comes with the comment that stands above it.

    Raises
    ------
    Problem
        The template has no part of one of these names.
    """
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    begins = {
        name: [n for n, line in enumerate(lines) if re.match(rf" {{0,2}}{re.escape(name)}:", line)]
        for name in names
    }
    for name, found in begins.items():
        if not found:
            raise Problem(f"There is no {name} in {file}.")
    return "\n\n".join("\n".join(_part(lines, found[0])) for found in begins.values())


def _part(lines: list[str], begin: int) -> list[str]:
    """Return the lines of the part of a template that begins there."""
    depth = re.match(" *", lines[begin])[0] + " "  # of what belongs to it
    end = begin + 1
    while end < len(lines) and (lines[end].startswith(depth) or not lines[end]):
        end += 1
    while lines[begin - 1].strip().startswith("#"):
        begin -= 1
    text = lines[begin:end]
    while re.match(r" *(#|$)", text[-1]):  # the comment of the next part
        text.pop()
    return text
