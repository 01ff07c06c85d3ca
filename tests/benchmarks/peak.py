"""The most memory that a process has taken, asked by itself; what began it does not count."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

__all__ = ["ROOT", "peak_mib"]

ROOT = Path(__file__).parents[2]
"""Where a process has to run to import this."""


def peak_mib() -> float:
    """Return the peak of this process in MiB.

    On Linux ``ru_maxrss`` begins with what the parent had when it forked; VmHWM begins anew with the program.
    """
    status = Path("/proc/self/status")
    if status.exists() and (found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text())):
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
