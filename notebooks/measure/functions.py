"""Functions, each with a folder of all that it needs, as in a zip or an image, under AWS's emulator.

All run on Python 3.11, so that only the function differs; on Lambda the zip runs on 3.13.
"""

import http.client
import json
import os
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler
from urllib.parse import urlsplit

import walk
from samtranslator.yaml_helper import yaml_parse
from tqdm import tqdm
from walk.environments import fill

from measure.environments import call, python_of
from measure.models import MADE, PICTURE, PROGRAMS, TFLITE_FILES
from measure.plan import FOLDER, Plan
from measure.quota import WHOLE_CORE

PAUSES = {"one after the other": 0, "with pauses": 0.05}  # s between requests
LOG_PARTS = "fetch", "decode", "invoke"  # what the functions log; preparing is within decode


@dataclass
class Function:
    """A function, and what was measured of it."""

    handler: str
    environment: str  # the one whose packages it has; "" without any
    content: dict[str, str | Path]  # the name of each file in its folder: where it comes from
    contender: tuple | None = None  # which one does the same without Lambda
    curve: bool = False  # whether it is measured with all memory settings
    compiled: bool = True  # whether its folder holds bytecode
    less: bool = False  # without what no request needs: see lambda/bundle.py
    folder: Path = Path()
    variables: dict[str, str] = field(default_factory=dict)
    unpacked_mb: float = 0
    cold_start_s: list[float] = field(default_factory=list)
    # by the number of threads and the name of PAUSES: milliseconds of each request
    threads_ms: dict[int, dict[str, list]] = field(default_factory=dict)
    start_parts_s: list[dict[str, float]] = field(default_factory=list)  # see timed_start.py
    # by the memory setting (MB): milliseconds of each request, (rounds, requests)
    request_ms: dict[int, list] = field(default_factory=dict)
    # by the memory setting: milliseconds of each of LOG_PARTS, (rounds, requests, 3)
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


def all_functions(variables: dict[str, str]) -> dict[str, Function]:
    """Return what is compared.

    The course's function in the form that the course teaches, and its successor on ONNX Runtime,
    each with as many threads as its runtime takes by itself and with one; ours as an image and as a
    zip, and as a zip with ONNX Runtime; the zip as one would make it without measuring; and functions
    that do nothing, wait, or import NumPy, to see what the emulator, HTTP and that take by themselves.

    Parameters
    ----------
    variables
        The environment variables of ours; see `library_variables`.
    """
    plain, guarded = "lambda_function.lambda_handler", "api.lambda_handler"
    course = {"lambda_function.py": PROGRAMS / "course_function.py"}
    tflite = course | {"predict.py": PROGRAMS / "predict_tflite.py"}
    tflite["model.tflite"] = TFLITE_FILES["xception", "float32"]
    onnx = course | {"predict.py": PROGRAMS / "predict_onnx.py"}
    onnx["model.onnx"] = MADE / "xception-float32.onnx"
    ours = walk.bundle().content()
    float32 = ours | {"clothing-model.tflite": TFLITE_FILES["ours", "float32"]}
    int8 = ours | {"clothing-model.tflite": TFLITE_FILES["ours", "int8"]}
    on_onnx = ours | {"lambda_function.py": "lambda/onnx_function.py"}
    del on_onnx["clothing-model.tflite"]
    on_onnx["clothing-model.onnx"] = MADE / "ours-float32.onnx"
    nothing = {"lambda_function.py": PROGRAMS / "nothing.py"}
    waiting = {"lambda_function.py": PROGRAMS / "waiting.py"}
    numpy = {"lambda_function.py": PROGRAMS / "only_numpy.py"}
    numpy["nothing.py"] = PROGRAMS / "nothing.py"

    image, zipped, successor = "tflite-runtime", "litert", "onnxruntime"  # their environments
    of_course, of_successor = (("xception", each, "float32") for each in (image, successor))
    on_tflite, on_litert = (("ours", each, "float32") for each in (image, zipped))
    on_int8 = "ours", zipped, "int8"
    by_successor = "ours", successor, "float32"
    one_thread = {"THREADS": "1"}
    deployed = {"less": True, "variables": variables}
    return {
        "the course's": Function(plain, image, tflite, of_course, curve=True),
        "the course's, one thread": Function(plain, image, tflite, of_course, variables=one_thread),
        "its successor": Function(plain, successor, onnx, of_successor, curve=True),
        "its successor, one thread": Function(
            plain, successor, onnx, of_successor, variables=one_thread
        ),
        "our zip before": Function(guarded, zipped, float32, on_litert, compiled=False),
        "… compiled": Function(guarded, zipped, float32, on_litert),
        "ours (image)": Function(guarded, image, float32, on_tflite, curve=True, **deployed),
        "ours (zip)": Function(guarded, zipped, float32, on_litert, curve=True, **deployed),
        "ours (zip, int8)": Function(guarded, zipped, int8, on_int8, curve=True, **deployed),
        "ours (zip, ONNX Runtime)": Function(
            guarded, successor, on_onnx, by_successor, curve=True, **deployed
        ),
        "nothing": Function(plain, "", nothing),
        "waiting": Function(plain, "", waiting),
        "NumPy alone (image)": Function(plain, image, numpy, **deployed),
        "NumPy alone (zip)": Function(plain, zipped, numpy, **deployed),
    }


def make_folders(functions: dict[str, Function]) -> None:
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
        if function.environment:
            fill(function.folder, function.environment)
        for file, source in function.content.items():
            shutil.copy(source, function.folder / file)
        if function.less:
            walk.bundle().leave_out(function.folder)
        if function.compiled:
            call(python, "-m", "compileall", "-q", function.folder)
        files = [file for file in function.folder.rglob("*") if file.is_file()]
        function.unpacked_mb = sum(file.stat().st_size for file in files) / 1e6


class PictureServer(StreamRequestHandler):
    """Answers any request with the picture, at once."""

    answer = b""

    def handle(self):
        while self.rfile.readline().strip():  # until the empty line behind the headers
            pass
        self.wfile.write(self.answer)


@contextmanager
def running(function: Function, memory: int, log: Path, host: str, plan: Plan, **variables: str):
    """Run a function under AWS's emulator, with what Lambda gives of the processor.

    This program, the picture's server and the emulator are not limited.
    """
    with (
        plan.processor.limited(memory) as limit,
        walk.lambda_runtime(
            variables.pop("handler", function.handler),
            folder=function.folder,
            client=(*limit, python_of("lambda"), "-m", "awslambdaric"),
            log_file=log,
            environment={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"} | function.variables,
            ALLOWED_HOSTS=host,
            AWS_LAMBDA_FUNCTION_TIMEOUT="60",
            **{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory)} | variables,
        ) as runtime,
    ):
        yield runtime


class Caller:
    """Who sends the events, over one connection to each function."""

    def __init__(self, picture_server: str):
        self.event = json.dumps({"url": f"{picture_server}/picture.jpg"})
        self.connections = {}

    def request(self, runtime: walk.Runtime) -> float:
        """Post the event; return the milliseconds until the answer."""
        url, process = urlsplit(runtime.url), runtime.process.pid  # ports are used again
        if process not in self.connections:
            self.connections[process] = http.client.HTTPConnection(url.netloc)
        connection = self.connections[process]
        began = time.perf_counter()
        connection.request("POST", url.path, self.event)
        answer = connection.getresponse().read()
        ended = time.perf_counter()
        if "errorMessage" in (said := json.loads(answer)):
            raise walk.Problem(f"a function failed, {said['errorMessage']}: {runtime.log_file}")
        return 1000 * (ended - began)


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
    """Measure the cold starts, the requests with 1,769 MB, and those with more and less."""
    picture = PICTURE.read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(picture)}\r\nConnection: close\r\n\r\n"
    PictureServer.answer = head.encode() + picture
    with walk.web_server(PictureServer) as address:
        host, caller = address.removeprefix("http://"), Caller(address)
        _measure_starts(functions, plan, host, caller)
        for memory in plan.memories:
            taking_part = functions
            if memory != WHOLE_CORE:
                taking_part = {
                    name: each
                    for name, each in functions.items()
                    if each.curve and each.peak_memory_mb < memory
                }
            _measure_requests(taking_part, memory, plan, host, caller)
        _measure_threads([each for each in functions.values() if each.less], plan, host, caller)


def _measure_starts(functions: dict, plan: Plan, host: str, caller: Caller) -> None:
    """Measure the cold starts with 1,769 MB, and the parts of ours."""
    starts = [each for _ in range(plan.function_starts) for each in functions.values()]
    log = FOLDER / "start.log"
    for function in tqdm(starts, desc="functions: starts"):
        began = time.monotonic()
        with running(function, WHOLE_CORE, log, host, plan) as runtime:
            caller.request(runtime)
            function.cold_start_s.append(time.monotonic() - began)
            function.peak_memory_mb = session_memory(runtime.process.pid)
    timed = [each for _ in range(plan.function_starts) for each in functions.values() if each.less]
    for function in tqdm([each for each in timed if each.contender], desc="functions: parts"):
        started = str(time.monotonic())
        variables = {"PYTHONPATH": str(PROGRAMS.absolute()), "STARTED": started}
        variables["handler"] = "timed_start.lambda_handler"
        with running(function, WHOLE_CORE, log, host, plan, **variables) as runtime:
            caller.request(runtime)
            (*_, parts) = [json.loads(line) for line in runtime.log() if line.startswith("{")]
            function.start_parts_s.append(parts)


def _measure_requests(functions: dict, memory: int, plan: Plan, host: str, caller: Caller) -> None:
    """Measure warm requests with this memory setting; all take turns."""
    rounds, requests = plan.curve_rounds, plan.curve_requests
    if memory == WHOLE_CORE:
        rounds, requests = plan.rounds, plan.requests
    with ExitStack() as stack:
        alive = {}
        for name, function in functions.items():
            log = FOLDER / "functions" / f"{name}.log"
            alive[name] = stack.enter_context(running(function, memory, log, host, plan))
            caller.request(alive[name])
        turns = [name for _ in range(rounds) for name in functions]
        for name in tqdm(turns, desc=f"functions, {memory:,} MB: requests"):
            function, runtime = functions[name], alive[name]
            caller.request(runtime)  # does not count
            durations = [caller.request(runtime) for _ in range(requests)]
            function.request_ms.setdefault(memory, []).append(durations)
            parts = logged_parts(runtime, requests)
            function.parts_ms.setdefault(memory, []).append(parts)
            if memory == WHOLE_CORE:
                function.peak_memory_mb = session_memory(runtime.process.pid)


def _measure_threads(functions: list[Function], plan: Plan, host: str, caller: Caller) -> None:
    """Measure ours with one thread and with two, which the share of 1,769 MB is not enough for."""
    log = FOLDER / "threads.log"
    with_model = [each for each in functions if each.contender]
    turns = [(each, threads) for each in with_model for threads in (1, 2)]
    for function, threads in tqdm(turns, desc="functions: threads"):
        pretended = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(threads * WHOLE_CORE)}
        with running(function, WHOLE_CORE, log, host, plan, **pretended) as runtime:
            found = function.threads_ms[threads] = {}
            for _ in range(plan.rounds):
                for name, pause in PAUSES.items():
                    caller.request(runtime)  # does not count
                    for _ in range(plan.requests):
                        time.sleep(pause)
                        found.setdefault(name, []).append(caller.request(runtime))
