"""The processor that Lambda gives a function: two CPUs to see, and a share of their time.

With 128 to 3,008 MB a function sees two CPUs, and within each 20 ms it may use them for as much
time as its memory buys: 20 ms, one CPU's, for 1,769 MB. Linux calls that a quota of a control
group (cgroup), and so it is done here. Sources: the share,
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html; the CPUs that are seen,
https://github.com/rwnx/lambda-cpuinfo.
"""

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

WHOLE_CORE = 1769  # MB that come with the time of one CPU
PERIOD = 20_000  # microseconds
VISIBLE = 2  # CPUs
ENTER = 'echo $$ > "$0" && exec "$@"'  # a shell's words: enter the group $0, become the program $@
PREFIX = "measured-"  # how the names of our groups begin


@dataclass
class Processor:
    """How programs are held to the processor's time that Lambda gives them; see `find`.

    Attributes
    ----------
    how
        "cgroup v1", "cgroup v2", or "one core" where the machine does not let us make a group:
        then a program is bound to one CPU, sees one, and has all of its time.
    """

    how: str
    parent: Path | None = None  # the group in which we make ours

    def settings(self, memories: list[int]) -> list[int]:
        """Return those memory settings (MB) whose share of the processor can be given here."""
        most = WHOLE_CORE * len(os.sched_getaffinity(0))
        if self.parent is None:
            return [each for each in memories if each == WHOLE_CORE]
        return [each for each in memories if each <= most]

    @contextmanager
    def limited(self, memory: int):
        """Yield the beginning of a command: the program behind it gets what Lambda gives.

        Parameters
        ----------
        memory
            The memory setting (MB).
        """
        cpus = sorted(os.sched_getaffinity(0))[-VISIBLE:]
        if self.parent is None:
            yield ["taskset", "--cpu-list", str(cpus[-1])]
            return
        group = _make_group(self.parent, PERIOD * memory // WHOLE_CORE)
        visible = ",".join(map(str, cpus))
        try:
            yield ["taskset", "--cpu-list", visible, "sh", "-c", ENTER, f"{group}/cgroup.procs"]
        finally:
            _remove(group)


def find() -> Processor:
    """Return how it can be done on this machine."""
    for parent in _groups():
        with suppress(OSError):
            for left_over in parent.glob(f"{PREFIX}*"):  # by a run that was killed
                _remove(left_over, patience=0)
            group = _make_group(parent, PERIOD)
            _remove(group)
            version = 2 if (parent / "cgroup.controllers").exists() else 1
            return Processor(f"cgroup v{version}", parent)
    return Processor("one core")


def _groups() -> list[Path]:
    """Return the groups that ours could be in: the one of this process, and the outermost."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    ours = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    found = []
    for _, folder, kind, options, *_ in mounts:
        for _, controllers, path in ours:  # version 2 names no controllers
            version1 = kind == "cgroup" and "cpu" in {*options.split(",")} & {
                *controllers.split(",")
            }
            if version1 or (kind == "cgroup2" and not controllers):
                found += [Path(folder, path.lstrip("/")), Path(folder)]
    return found


def _make_group(parent: Path, quota: int) -> Path:
    """Make a group that may use the processor for so many microseconds in each period.

    Raises
    ------
    OSError
        This machine does not let us.
    """
    group = Path(mkdtemp(prefix=PREFIX, dir=parent))
    try:
        if (parent / "cgroup.controllers").exists():
            if not (group / "cpu.max").exists():
                (parent / "cgroup.subtree_control").write_text("+cpu")
            (group / "cpu.max").write_text(f"{quota} {PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
    except OSError:
        _remove(group)
        raise
    return group


def _remove(group: Path, patience: float = 2) -> None:
    """Remove a group; its processes have ended, but Linux may need a moment to see it."""
    until = time.monotonic() + patience
    while True:
        with suppress(OSError):
            return group.rmdir()
        if time.monotonic() > until:
            return
        time.sleep(0.01)
