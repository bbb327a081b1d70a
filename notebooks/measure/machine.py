"""The machine: its cores, whether it is idle, and the most that one core can do."""

import os
from pathlib import Path

from measure.environments import call, python_of

PROGRAM = Path(__file__).parent / "programs" / "multiply.py"
# what counts for these runtimes, by the names that Linux has for it
INSTRUCTION_SETS = "avx avx2 fma avx512f avx512_vnni avx_vnni avx512_bf16 amx_int8".split()


def _flags() -> list[str]:
    """Return what the processor can do, in Linux's words."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return text.partition("flags")[2].partition("\n")[0].split()


def describe(plan) -> dict:
    """Return what the record says of the machine; note in the plan if something else is running."""
    load = os.getloadavg()[0]  # processes that wanted to run, on average over a minute
    if load > 0.5:
        plan.left_out.append(f"a quiet machine: {load:.1f} other processes wanted to run")
    flags = _flags()
    return {
        "cores": plan.cores,
        "processor": plan.processor.how,
        "architecture": os.uname().machine,
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in flags],
        "load_before": load,
    }


def core_peak() -> float:
    """Return how many multiply-adds one core does in a second, in float32.

    Multiplying two large matrices is what processors do best. OpenBLAS, which does it for NumPy,
    does not use AVX-512 on every processor that has it: there it is told to, and the better result
    counts.
    """
    kernels = ["", "SkylakeX"] if "avx512f" in _flags() else [""]  # OpenBLAS's name for AVX-512
    return max(float(call(python_of("tflite-runtime"), PROGRAM, kernel)) for kernel in kernels)
