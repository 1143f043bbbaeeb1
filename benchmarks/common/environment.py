"""Python environments of other engines: made once, kept in the cache folder, and queried for what they have."""

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

from scripts.common import cache_folder

INSTALL_SECONDS = 3600
# This project's version does not change while it is developed; the hash of its converter does.
VERSIONS = """
import hashlib, importlib.metadata, importlib.util, json, pathlib
found = {d.name.lower().replace("_", "-"): d.version for d in importlib.metadata.distributions()}
if spec := importlib.util.find_spec("mobilebert_rt"):
    files = sorted(pathlib.Path(spec.origin).parent.glob("conversion/*.py"))
    found["converter of mobilebert-rt"] = hashlib.sha256(b"".join(map(pathlib.Path.read_bytes, files))).hexdigest()
print(json.dumps(found))
"""

Say = Callable[[str], None]


@dataclass
class Environment:
    """A Python with the versions of what is installed; failures: the installation steps that failed, and why."""

    name: str
    python: str
    versions: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def missing_reason(self, distribution: str) -> str | None:
        """Why a distribution is missing; None if it is there."""
        if distribution in self.versions:
            return None
        related = [failure for failure in self.failures if distribution in failure] or self.failures
        return "; ".join(related) or f"{distribution} is not installed in {self.python}"


def existing(name: str, python: str) -> Environment:
    """An environment that the user has made."""
    try:
        done = subprocess.run(
            [python, "-c", VERSIONS], capture_output=True, text=True, cwd=os.sep, timeout=120, check=True
        )
        return Environment(name, python, json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, json.JSONDecodeError) as error:
        return Environment(name, python, failures=[f"{python} failed to list its packages: {error}"])


def installed(name: str, steps: Sequence[Sequence[str]], say: Say, install: bool = True) -> Environment:
    """The environment of that name in the cache folder; if `install`, made if necessary by one `pip install` a step.

    A step that fails does not stop the others.
    """
    key = hashlib.sha256(json.dumps([sys.version, steps]).encode()).hexdigest()[:12]
    folder = cache_folder() / "peers" / "environments" / f"{name}-{key}"
    python = str(folder / "bin" / "python")
    done = folder / "failures.json"
    if not done.is_file():
        if not install:
            return Environment(name, python, failures=[f"{folder} does not exist, and --no-install was given"])
        say(f"installing the environment {name!r} in {folder} (takes minutes; once)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        venv.create(folder, with_pip=True, clear=True)
        failures = [failure for step in steps if (failure := _install(python, step, folder, say))]
        done.write_text(json.dumps(failures) + "\n", encoding="utf-8")
    found = existing(name, python)
    found.failures += json.loads(done.read_text(encoding="utf-8"))
    return found


def _install(python: str, step: Sequence[str], folder: Path, say: Say) -> str | None:
    """The reason why pip could not install the step; None if it could."""
    say(f"  pip install {' '.join(step)}")
    log = folder / "pip.log"
    command = [python, "-m", "pip", "install", "--log", str(log), *step]
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"pip install {' '.join(step)} took longer than {INSTALL_SECONDS} s"
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or [f"see {log}"]
        failure = f"pip install {' '.join(step)} failed: {lines[-1]}"
        say("  " + failure)
        return failure
    return None
