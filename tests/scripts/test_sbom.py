"""The bill of materials and the checksums of a release name every file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from scripts.common import REPOSITORY


def write_bill(folder: Path) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "scripts.packages.sbom", folder)
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_bill_and_checksums_name_every_file(tmp_path: Path) -> None:
    contents = {"a-0.1.0-cp311-cp311-linux_x86_64.whl": b"wheel", "a-0.1.0.tar.gz": b"source", "a-0.1.0.tgz": b"npm"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert write_bill(tmp_path).returncode == 0
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text())
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    files = {part["name"]: part["hashes"][0]["content"] for part in bill["components"] if part["type"] == "file"}
    assert files == digests
    libraries = {part["name"] for part in bill["components"] if part["type"] == "library"}
    assert {"numpy", "pybind11"} <= libraries
    subprocess.run(("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"), cwd=tmp_path, check=True)
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == len(contents) + 1


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    done = write_bill(tmp_path)
    assert done.returncode == 1
    assert "Build the packages first" in done.stderr
