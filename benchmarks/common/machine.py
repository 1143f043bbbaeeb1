"""Description of the machine that a run was made on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

FEATURES = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "asimddp", "i8mm", "bf16", "sve")


def describe(cpus: list[int]) -> dict[str, Any]:
    """Processor, system and load. cpus: those that the run uses."""
    information = _cpu_information()
    flags = information.get("flags", information.get("Features", "")).split()
    return {
        "processor": information.get("model name") or platform.processor() or platform.machine(),
        "instructions": [flag for flag in FEATURES if flag in flags],
        "used": cpus,
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
    }


def allowed_cpus() -> list[int]:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _cpu_information() -> dict[str, str]:
    """The first processor of /proc/cpuinfo."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
