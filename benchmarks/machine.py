"""What every benchmark says of itself first: the day, the machine, the versions."""

import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path


def processor() -> str:
    """The processor's name, where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def header(packages: Sequence[str], more: str) -> str:
    """Hardware and versions in two lines.

    Args:
        packages: whose versions matter.
        more: what else there is to say, such as the number of runs.
    """
    used = ", ".join(f"{name} {version(name)}" for name in packages)
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return (
        f"{time.strftime('%Y-%m-%d')}; {processor()}, {cores} cores, load {os.getloadavg()[0]:.1f}\n"
        f"{platform.system()}, Python {platform.python_version()}, {used}; {more}"
    )
