"""Show this installation and this machine, as a bug report should. It names no user and no host."""

from __future__ import annotations

import argparse
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import mobilebert_rt
from mobilebert_rt import _core
from mobilebert_rt.cli import streams
from mobilebert_rt.cli.command import Command
from mobilebert_rt.errors import InputError

PACKAGES = ("numpy", "tokenizers", "tqdm", "torch", "transformers")
VARIABLES = ("MBRT_ISA", "MBRT_NUM_THREADS", "OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM")


def run(args: argparse.Namespace) -> int:
    report = describe()
    if args.json:
        streams.write_json(report, indent=2)
        return 0
    for name, value in report.items():
        items = [f"{k} {v}" for k, v in value.items()] if isinstance(value, dict) else value
        print(f"{name:<12} {', '.join(items) or '-' if isinstance(items, list) else items}")
    return 0


def describe() -> dict[str, Any]:
    """Versions, processor, kernel sets and numbers of threads."""
    try:
        active = mobilebert_rt.active_isa()
    except InputError as error:
        active = f"error: {error}"
    return {
        "version": mobilebert_rt.__version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": cpu_name(),
        "isa": active,
        "isas": mobilebert_rt.available_isas(),
        "threads": _threads(),
        "packages": {name: _version(name) or "not installed" for name in PACKAGES},
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def cpu_name() -> str:
    """The processor's name where the system tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.processor() or platform.machine()


def _threads() -> dict[str, int | str]:
    try:
        default: int | str = _core.default_thread_count()
    except InputError as error:
        default = f"error: {error}"
    return {"logical": os.cpu_count() or 1, "usable": _core.usable_cores(), "default": default}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


COMMANDS = {"info": Command(__doc__, "one JSON object", ("mbrt info --json",), {}, run)}
