"""Python environments of the peers: made once, kept in the cache folder, and asked what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.catalogue import ENVIRONMENTS

INSTALL_SECONDS = 3600
# This project's version stays while it is being worked on; the list of its files, with their hashes, does not.
VERSIONS = """
import hashlib, importlib.metadata, json
found = {}
for d in importlib.metadata.distributions():
    name = d.name.lower().replace("_", "-")
    found[name] = d.version
    if name == "mobilebert-rt":
        found["files of mobilebert-rt"] = hashlib.sha256((d.read_text("RECORD") or "").encode()).hexdigest()
print(json.dumps(found))
"""

Say = Callable[[str], None]


def cache_folder() -> Path:
    """$MBRT_CACHE, or mobilebert_rt in the user's cache folder."""
    if chosen := os.environ.get("MBRT_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "mobilebert_rt"


@dataclass
class Environment:
    """A Python and what is installed for it; `failures` says which steps of the installation went wrong, and how."""

    name: str
    python: str
    versions: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def why_missing(self, distribution: str) -> str | None:
        """Why a distribution is not there, None if it is."""
        if distribution in self.versions:
            return None
        blamed = [failure for failure in self.failures if distribution in failure] or self.failures
        return "; ".join(blamed) or f"{distribution} is not installed in {self.python}"


def existing(name: str, python: str) -> Environment:
    """An environment that somebody else made."""
    try:
        found = subprocess.run(
            [python, "-c", VERSIONS], capture_output=True, text=True, cwd=os.sep, timeout=120, check=True
        )
        return Environment(name, python, json.loads(found.stdout))
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError) as error:
        return Environment(name, python, failures=[f"{python} cannot be asked what it has: {error}"])


def installed(name: str, say: Say, install: bool = True) -> Environment:
    """The cache's own environment of that name, made and filled if it is not there and `install` allows it."""
    steps = ENVIRONMENTS[name]
    key = hashlib.sha256(json.dumps([sys.version, steps]).encode()).hexdigest()[:12]
    folder = cache_folder() / "peers" / "environments" / f"{name}-{key}"
    python = str(folder / "bin" / "python")
    done = folder / "failures.json"
    if not done.is_file():
        if not install:
            return Environment(name, python, failures=[f"{folder} has not been made, and --no-install was given"])
        say(f"installing the environment {name!r} in {folder} (minutes; once)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        venv.create(folder, with_pip=True, clear=True)
        failures = [failure for step in steps if (failure := _install(python, step, folder, say))]
        done.write_text(json.dumps(failures) + "\n", encoding="utf-8")
    found = existing(name, python)
    found.failures += json.loads(done.read_text(encoding="utf-8"))
    return found


def _install(python: str, step: Sequence[str], folder: Path, say: Say) -> str | None:
    """Why pip could not install the step, None if it could."""
    say(f"  pip install {' '.join(step)}")
    log = folder / "pip.log"
    command = [python, "-m", "pip", "install", "--log", str(log), *step]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"pip install {' '.join(step)} took longer than {INSTALL_SECONDS} s"
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or [f"see {log}"]
        failure = f"pip install {' '.join(step)} failed: {said[-1]}"
        say("  " + failure)
        return failure
    return None
