"""GitHub's workflows call what also runs on this machine: make targets and scripts. `make lint` checks the schema."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import make_targets

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# What prepares the runner and what uploads: GitHub's own.
FOREIGN = re.compile(
    r"apt-get |git config |gh release create |mkdir dist && mv |for package in release/\*\.tgz; do npm publish "
)


def steps(file: Path) -> Iterator[dict[str, str]]:
    for job in yaml.safe_load(file.read_text("utf-8"))["jobs"].values():
        yield from job.get("steps", [])


def commands() -> list[str]:
    found = [step["run"].strip() for file in WORKFLOWS for step in steps(file) if "run" in step]
    return [command for command in found if not FOREIGN.match(command)]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_runs_locally_too(command: str) -> None:
    words = shlex.split(command.partition(" > ")[0])
    while re.match(r"\w+=", words[0]):
        words.pop(0)
    program, arguments = words[0], words[1:]
    if program == "make":
        assert set(arguments) <= make_targets()
    elif program in ("python", "python3"):
        assert arguments[0] == "-m"
        if arguments[1] == "pip":
            assert arguments[2:4] == ["install", "-r"]
            assert (ROOT / arguments[4]).is_file()
        elif arguments[1] != "cibuildwheel":
            assert (ROOT / arguments[1].replace(".", "/")).with_suffix(".py").is_file()
    else:
        assert (ROOT / program).is_file()
        assert (ROOT / program).stat().st_mode & 0o100


def test_a_release_waits_for_every_package_and_holds_no_secret() -> None:
    release = ROOT / ".github/workflows/release.yml"
    text = release.read_text("utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert "secrets." not in text
    assert jobs["sign"]["needs"] == "packages"
    assert {name for name, job in jobs.items() if job.get("needs") == "sign"} == {"pypi", "npm"}
    assert sorted(jobs["github"]["needs"]) == ["npm", "pypi"]
    for publish in ("pypi", "npm"):
        assert jobs[publish]["environment"] == publish
        assert jobs[publish]["permissions"] == {"id-token": "write"}


@pytest.mark.parametrize("system", ["linux", "macos", "windows"])
def test_wheels_are_built_for_every_python(system: str) -> None:
    pytest.importorskip("cibuildwheel")
    archs = {"linux": "x86_64,aarch64", "macos": "x86_64,arm64", "windows": "AMD64,ARM64"}[system]
    options = ("--print-build-identifiers", "--platform", system, "--archs", archs, str(ROOT))
    command = (sys.executable, "-m", "cibuildwheel", *options)
    found = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    pythons = ("cp310", "cp311", "cp312", "cp313", "cp314", "cp313t", "cp314t")
    tags = {
        "linux": ("manylinux_x86_64", "manylinux_aarch64", "musllinux_x86_64", "musllinux_aarch64"),
        "macos": ("macosx_x86_64", "macosx_arm64"),
        "windows": ("win_amd64", "win_arm64"),
    }[system]
    assert found == {f"{python}-{tag}" for python in pythons for tag in tags}
