"""Functions, each with a folder of all that it needs, as in a zip or an image, under AWS's emulator.

All run on Python 3.11, so that only the function differs; on Lambda the zip runs on 3.13.
"""

import json
import os
import shutil
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import urllib3
import walk
from samtranslator.yaml_helper import yaml_parse
from tqdm import tqdm

from measure.costs import WHOLE_CORE
from measure.environments import HELPERS, call, pinned, python_of, requirements
from measure.models import MADE, PICTURE, PROGRAMS, TFLITE_FILES
from measure.plan import FOLDER, Plan

LOG_PARTS = "fetch", "decode", "invoke"  # what the functions log; preparing is within decode


@dataclass
class Function:
    """A function, and what was measured of it."""

    handler: str
    packages: list[str]
    content: dict[str, str | Path]  # the name of each file in its folder: where it comes from
    contender: tuple | None = None  # which one does the same without Lambda
    compiled: bool = True  # whether its folder holds bytecode
    less: bool = False  # without what no request needs, with the template's variables: see lambda/
    folder: Path = Path()
    variables: dict[str, str] = field(default_factory=dict)
    unpacked_mb: float = 0
    cold_start_s: list[float] = field(default_factory=list)
    # by the number of cores: milliseconds of each request, (rounds, requests)
    request_ms: dict[int, list] = field(default_factory=dict)
    # by the number of cores: milliseconds of each of LOG_PARTS, (rounds, requests, 3)
    parts_ms: dict[int, list] = field(default_factory=dict)
    peak_memory_mb: float = 0


def library_variables() -> dict[str, str]:
    """Return the variables for the C library and for NumPy that lambda/template.yaml sets."""
    template = yaml_parse(Path("lambda/template.yaml").read_text(encoding="utf-8"))
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    return {
        name: value
        for name, value in variables.items()
        if name.startswith(("MALLOC_", "OPENBLAS_"))
    }


def all_functions() -> dict[str, Function]:
    """Return what is compared.

    The course's function in the form that the course teaches, its successor on ONNX Runtime, ours
    as an image and as a zip, the zip as one would make it without measuring, and a function that
    does nothing, to see what the emulator and HTTP take themselves.
    """
    plain, guarded = "lambda_function.lambda_handler", "api.lambda_handler"
    course = {"lambda_function.py": PROGRAMS / "course_function.py"}
    tflite = course | {"predict.py": PROGRAMS / "predict_tflite.py"}
    tflite["model.tflite"] = TFLITE_FILES["xception", "float32"]
    onnx = course | {"predict.py": PROGRAMS / "predict_onnx.py"}
    onnx["model.onnx"] = MADE / "xception-float32.onnx"
    ours = {name: Path("lambda", name) for name in ("api.py", "lambda_function.py")}
    float32 = ours | {"clothing-model.tflite": TFLITE_FILES["ours", "float32"]}
    int8 = ours | {"clothing-model.tflite": TFLITE_FILES["ours", "int8"]}
    nothing = {"lambda_function.py": PROGRAMS / "nothing.py"}

    tflite_runtime, onnx_runtime = (requirements()[e] for e in ("tflite-runtime", "onnxruntime"))
    image = pinned("lambda/requirements.txt", f"tflite-runtime urllib3 {HELPERS}")
    zipped = pinned("lambda/requirements-zip.txt", f"ai-edge-litert urllib3 {HELPERS}")

    of_course, of_successor = (
        ("xception", r, "float32") for r in ("tflite-runtime", "onnxruntime")
    )
    on_tflite, on_litert = (("ours", r, "float32") for r in ("tflite-runtime", "litert"))
    on_int8 = "ours", "litert", "int8"
    return {
        "the course's": Function(plain, tflite_runtime, tflite, of_course),
        "its successor": Function(plain, onnx_runtime, onnx, of_successor),
        "our zip before": Function(guarded, zipped, float32, on_litert, compiled=False),
        "… compiled": Function(guarded, zipped, float32, on_litert),
        "ours (image)": Function(guarded, image, float32, on_tflite, less=True),
        "ours (zip)": Function(guarded, zipped, float32, on_litert, less=True),
        "ours (zip, int8)": Function(guarded, zipped, int8, on_int8, less=True),
        "nothing": Function(plain, [], nothing),
    }


def make_folders(functions: dict[str, Function], variables: dict[str, str]) -> None:
    """Make the folder of each function.

    Bytecode is what Python makes of a module before it runs it. pip makes it when it installs,
    SAM's builder does not, and on Lambda nothing can be written, so that a zip without it is
    compiled anew at every cold start.
    """
    python = python_of("lambda")
    for name, function in tqdm(functions.items(), desc="functions"):
        function.folder = FOLDER / "functions" / name
        shutil.rmtree(function.folder, ignore_errors=True)
        function.folder.mkdir(parents=True)
        if function.packages:
            target = ["--target", function.folder, "--python", python]
            call("uv", "pip", "install", *target, *function.packages)
        for file, source in function.content.items():
            shutil.copy(source, function.folder / file)
        if function.less:
            call(sys.executable, "lambda/bundle.py", "--leave-out", function.folder)
            function.variables = variables
        if function.compiled:
            call(python, "-m", "compileall", "-q", function.folder)
        files = [file for file in function.folder.rglob("*") if file.is_file()]
        function.unpacked_mb = sum(file.stat().st_size for file in files) / 1e6


class PictureServer(BaseHTTPRequestHandler):
    """Answers any request with the picture, at once."""

    content = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)


@contextmanager
def running(function: Function, cores: int, log: Path, host: str):
    """Run a function under AWS's emulator, on one core or on all.

    On one core the function is bound to it; this program, the picture's server and the emulator
    are not.
    """
    core = ["taskset", "--cpu-list", str(max(os.sched_getaffinity(0)))] if cores == 1 else []
    with walk.lambda_runtime(
        function.handler,
        folder=function.folder,
        client=(*core, python_of("lambda"), "-m", "awslambdaric"),
        log_file=log,
        environment={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"} | function.variables,
        ALLOWED_HOSTS=host,
        AWS_LAMBDA_FUNCTION_TIMEOUT="60",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE=str(cores * WHOLE_CORE),
    ) as runtime:
        yield runtime


class Caller:
    """Who sends the events."""

    def __init__(self, picture_server: str):
        self.event = {"url": f"{picture_server}/picture.jpg"}
        self.connections = urllib3.PoolManager(retries=False)

    def request(self, runtime: walk.Runtime) -> float:
        """Post the event; return the milliseconds until the answer."""
        began = time.perf_counter()
        answer = self.connections.request("POST", runtime.url, json=self.event).json()
        if "errorMessage" in answer:
            raise walk.Problem(f"a function failed, {answer['errorMessage']}: {runtime.log_file}")
        return 1000 * (time.perf_counter() - began)


def session_memory(session: int) -> float:
    """Return the peak memory of the largest process of a session, in MB: the function's."""
    peaks = [0]
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getsid(int(status.parent.name)) == session:
                peaks.append(int(status.read_text().partition("VmHWM:")[2].split()[0]))  # KiB
        except (OSError, IndexError):  # it has just ended
            pass
    return max(peaks) * 1024 / 1e6


def logged_parts(runtime: walk.Runtime, count: int) -> list[list[float]]:
    """Return the milliseconds of each of LOG_PARTS in the last requests of a log."""
    lines = [json.loads(line) for line in runtime.log() if line.startswith("{")]
    return [[line[f"{part}_ms"] for part in LOG_PARTS] for line in lines[-count:]]


def measure_all(functions: dict[str, Function], plan: Plan) -> None:
    """Measure the cold starts, then the requests on one core and on all; all take turns."""
    PictureServer.content = PICTURE.read_bytes()
    with walk.serve(PictureServer) as address:
        host, caller = address.removeprefix("http://"), Caller(address)
        starts = [each for _ in range(2 * plan.starts) for each in functions.values()]
        for function in tqdm(starts, desc="functions: starts"):
            began = time.monotonic()
            with running(function, 1, FOLDER / "start.log", host) as runtime:
                caller.request(runtime)
                function.cold_start_s.append(time.monotonic() - began)
        for cores in sorted({1, plan.cores}):
            with ExitStack() as stack:
                alive = {}
                for name, function in functions.items():
                    log = FOLDER / "functions" / f"{name}.log"
                    alive[name] = stack.enter_context(running(function, cores, log, host))
                    caller.request(alive[name])
                turns = [name for _ in range(plan.rounds) for name in functions]
                for name in tqdm(turns, desc=f"functions, {cores} core(s): requests"):
                    _take_turn(functions[name], alive[name], cores, caller, plan.requests)


def _take_turn(function: Function, runtime, cores: int, caller: Caller, requests: int) -> None:
    """Let a running function answer requests."""
    caller.request(runtime)  # does not count
    durations = [caller.request(runtime) for _ in range(requests)]
    function.request_ms.setdefault(cores, []).append(durations)
    function.parts_ms.setdefault(cores, []).append(logged_parts(runtime, requests))
    if cores == 1:
        function.peak_memory_mb = session_memory(runtime.process.pid)
