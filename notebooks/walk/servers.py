"""Servers on this machine: pictures over HTTP, and a function under AWS's Lambda runtime."""

import contextlib
import importlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import quote

from .drawings import best
from .lesson import Problem, ask_no_proxy, one_line


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Say nothing: callers that hang up are what some lessons are about."""


@contextmanager
def web_server(what, name: str = ""):
    """Run a web server on this machine, for this machine only, as long as the `with` block.

    Parameters
    ----------
    what
        A folder; a file, of which the folder is served; or a request handler class.
    name
        For this process, the server is one on the internet: it has this name and a public address.

    Yields
    ------
    str
        The address: of the file, or else of the server, without a slash at its end.
    """
    given = what if isinstance(what, type) else SimpleHTTPRequestHandler

    class Quiet(given):
        def log_message(self, *args):
            """Write no line for each request."""

    handler, path = Quiet, ""
    if given is not what:
        file = Path(what)
        folder, path = (file, "") if file.is_dir() else (file.parent, f"/{quote(file.name)}")
        handler = partial(Quiet, directory=folder)
    server = _QuietServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.daemon = True
    thread.start()
    try:
        if name:
            with _on_the_internet(name, server.server_port):
                yield f"http://{name}{path}"
        else:
            yield f"http://127.0.0.1:{server.server_port}{path}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _on_the_internet(name: str, port: int):
    """Let this process find a port of this machine under a name, at a public address."""
    public = "93.184.216.34"  # nothing goes there: whoever connects to it is led to the port
    look_up, connect = socket.getaddrinfo, socket.create_connection

    def found(host, *args, **kwargs):
        if host == name:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (public, port))]
        return look_up(host, *args, **kwargs)

    def connected(address, *args, **kwargs):
        here = address[0] in (name, public)
        return connect(("127.0.0.1", port) if here else address, *args, **kwargs)

    ask_no_proxy(name)
    with (
        mock.patch.object(socket, "getaddrinfo", found),
        mock.patch.object(socket, "create_connection", connected),
    ):
        yield


def emulator() -> Path:
    """Return AWS's runtime interface emulator, which the package aws-sam-cli carries (Linux)."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}[os.uname().machine]
    samcli = Path(importlib.util.find_spec("samcli").origin).parent
    return samcli / "local" / "rapid" / f"aws-lambda-rie-{machine}"


@dataclass
class Runtime:
    """A function that waits for events."""

    url: str  # takes an event as JSON, by POST
    name: str  # what runs the function, for people
    log_file: Path
    api: str = "127.0.0.1:9001"  # from where the function's runtime client fetches the events
    process: subprocess.Popen | None = None

    def log(self) -> list[str]:
        """Return the lines that the function and its runtime have written so far.

        Without the emulator's complaint that its client was stopped.
        """
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "LAMBDA_RUNTIME" not in line]

    def _reported(self) -> bool:
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        return text.count("\nREPORT ") >= text.count("START ")


@contextmanager
def lambda_runtime(
    handler: str = "lambda_function.lambda_handler",
    *,
    folder: str | Path = "lambda",
    client: tuple = (sys.executable, "-m", "awslambdaric"),
    log_file: str | Path = "generated/lambda-runtime.log",
    environment: dict[str, str] | None = None,
    **variables: str,
):
    """Run a function under AWS's Lambda runtime; yield it as a `Runtime`.

    AWS's programs run on Linux alone. Elsewhere the handler is called in this process, behind the
    same address. Both are stopped when the `with` block ends, also when it ends in an error.

    Parameters
    ----------
    handler
        Module and function.
    folder
        Where the module is.
    client
        The command that starts AWS's runtime interface client.
    log_file
        Where the output goes.
    environment
        The function's environment variables; without it, those of this process that Lambda does
        not give itself.
    variables
        More of them.

    Raises
    ------
    Problem
        The emulator does not start.
    """
    log_file = Path(log_file)
    settings = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "30", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
    # As on Lambda, also where this locale is not installed.
    settings |= {"LANG": "en_US.UTF-8", "PYTHONUTF8": "1"}
    if environment is None:  # what Lambda gives itself, or does not have, is not taken from here
        own = "AWS_", "LAMBDA_", "LC_", "PYTHON"
        environment = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    if sys.platform != "linux":
        print("AWS's emulator runs on Linux alone: the handler is called in this process instead.")
        with _in_this_process(handler, folder, log_file, variables) as url:
            yield Runtime(url, "Python", log_file)
        return
    ports = _free_ports(2)
    # setpriv stops the emulator even if this process is killed.
    command = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    command += [emulator(), "--runtime-interface-emulator-address", f"127.0.0.1:{ports[0]}"]
    command += ["--runtime-api-address", f"127.0.0.1:{ports[1]}", *client, handler]
    with log_file.open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment | settings | variables,
            stdout=log,
            stderr=log,
            start_new_session=True,  # so that both programs can be stopped together
        )
    try:
        _wait_for(process, ports[0], log_file)
        url = f"http://127.0.0.1:{ports[0]}/2015-03-31/functions/function/invocations"
        runtime = Runtime(url, "AWS's own runtime", log_file, f"127.0.0.1:{ports[1]}", process)
        yield runtime
        until = time.monotonic() + 1
        while not runtime._reported() and time.monotonic() < until:
            time.sleep(0.01)  # the emulator writes its report after the answer
    finally:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself: did not start
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_ports(count: int) -> list[int]:
    """Return numbers of TCP ports that nobody listens to."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]


def _wait_for(process: subprocess.Popen, port: int, log_file: Path) -> None:
    """Wait until a process listens to its port."""
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.002)
    raise Problem(f"AWS's emulator did not start: {log_file} may say why.")


@contextmanager
def _in_this_process(handler: str, folder, log_file: Path, variables: dict[str, str]):
    """Serve a handler over HTTP as AWS's emulator does; yield the address."""
    module, _, name = handler.partition(".")
    os.environ.update(variables)
    sys.path.insert(0, str(folder))
    call = getattr(importlib.import_module(module), name)

    class Invocations(BaseHTTPRequestHandler):
        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with log_file.open("a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
                try:
                    answer = call(event, None)
                except Exception as error:
                    answer = {"errorType": type(error).__name__, "errorMessage": str(error)}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

    log_file.write_text("")
    with web_server(Invocations) as address:
        yield address


def answer_of(reply) -> dict:
    """Return the answer that a function gave; over HTTP, errors with a name are answers, too.

    Parameters
    ----------
    reply
        What `urllib3.request` returned, from the runtime's address or from a gateway; or what boto3's
        `invoke` did.

    Raises
    ------
    Problem
        The function gave none: it crashed, ran out of time, could not be imported, or failed inside.
    """
    if isinstance(reply, dict):
        content, status = reply["Payload"].read(), 500 if "FunctionError" in reply else 200
    else:
        content, status = reply.data, reply.status
    try:
        answer = json.loads(content)
    except ValueError:  # the emulator says in plain words that the time is up
        answer = content.decode(errors="replace")
    if not isinstance(answer, dict) or answer.get("statusCode", 0) >= 500:
        status = 500
    # Python's errors have no dot in their names, the runtime's have: Runtime.UnmarshalError
    elif "." in str(answer.get("errorType", "")):
        status = 500
    if status >= 500:
        said = json.dumps(answer, ensure_ascii=False)[:300]
        raise Problem(f"The function gave no answer: {said} Its log says more.")
    return answer


def outcome(attack, handler) -> str:
    """Return in one line how an attack on a handler ended: the class, or the error.

    If it took longer than half a second, it says how long.
    """
    began = time.monotonic()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # the function's log
            text = f"answered: {best(attack(handler))}"
    except Exception as error:
        text = one_line(error)
    seconds = time.monotonic() - began
    return text + (f", after {seconds:.1f} s" if seconds > 0.5 else "")


def outcome_in_own_process(handler: str, event: dict, memory_mb: int) -> str:
    """Call a handler of lambda/ in a process that may have so much memory; say how it ended."""
    if sys.platform != "linux":
        return "not tried: only Linux limits the memory of a process"
    module, _, name = handler.partition(".")
    code = f"""
import contextlib, json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory_mb} * 1024**2,) * 2)
import {module}
with contextlib.redirect_stdout(sys.stderr):
    scores = {module}.{name}(json.load(sys.stdin), None)
print("answered:", max(scores, key=scores.get))
"""
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd="lambda",
        # Python 3.13 would colour its errors; on Lambda all is UTF-8
        env=os.environ | {"PYTHON_COLORS": "0", "PYTHONUTF8": "1"},
        input=json.dumps(event),
        capture_output=True,
        encoding="utf-8",
    )
    if process.returncode == 0:
        return process.stdout.strip()
    lines = process.stderr.strip().splitlines() or ["the process was killed"]
    return lines[-1].removeprefix(f"{module}.")
