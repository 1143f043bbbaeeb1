"""Show this installation and this machine, as a bug report should. It names no user and no host."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import mobilebert_rt
from mobilebert_rt import _core
from mobilebert_rt.cli import streams
from mobilebert_rt.errors import InputError

PACKAGES = ("numpy", "tokenizers", "tqdm", "torch", "transformers")
VARIABLES = ("MBRT_ISA", "MBRT_NUM_THREADS", "OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a JSON object")
    parser.epilog = "example:\n  mbrt info --json"


def run(args: argparse.Namespace) -> int:
    report = describe()
    if args.json:
        streams.write_document(report)
        return 0
    for name, value in report.items():
        items = [f"{k} {v}" for k, v in value.items()] if isinstance(value, dict) else value
        print(f"{name:<12} {', '.join(items) or '-' if isinstance(items, list) else items}")
    return 0


def describe() -> dict[str, Any]:
    """Versions, processor, kernel sets and what sets the number of threads."""
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
    """The processor's own name where the system tells it, else its architecture."""
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
    found: dict[str, int | str] = {"logical": os.cpu_count() or 1}
    if sys.platform == "linux":
        found["allowed"] = len(os.sched_getaffinity(0))
    found["usable"] = _core.usable_cores()
    try:
        found["default"] = _core.default_thread_count()
    except InputError as error:
        found["default"] = f"error: {error}"
    return found


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
