"""Builds the wheels, x86-64 and aarch64, into dist: tagged by what their files need, the same bytes every time.

The aarch64 wheel is cross-built by scripts/arm/wheel.py. Each is then given the oldest manylinux tag that it truly
satisfies (scripts/packages/elf.py reads the versions of its symbols), checked for its size and, on aarch64, for
16 KiB pages, and written again with sorted, dated entries. Objects stay in build, so a second run compiles only what
has changed.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import importlib.util
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import elf
from common import (
    BUILD,
    DIST,
    EXIT_UNAVAILABLE,
    MACHINES,
    REPOSITORY,
    Machine,
    PackageError,
    UnavailableError,
    environment,
    epoch,
    exit_with,
    run,
    say,
)

WHEELS = ("x86_64", "aarch64")
LARGEST = 2_000_000  # bytes of a wheel, models that it brings along not counted
PLAIN_TAG = re.compile(r"-linux_(\w+)\.whl$")


def build_native(source: Path, objects: Path, destination: Path, env: dict[str, str]) -> None:
    """This machine's own wheel."""
    if os.uname().machine != "x86_64":
        raise UnavailableError(f"the x86-64 wheel is built on x86-64, this machine is {os.uname().machine}")
    command = [sys.executable, "-m", "pip", "wheel", str(source), "--no-deps", "--wheel-dir", str(destination)]
    if importlib.util.find_spec("scikit_build_core") and importlib.util.find_spec("pybind11"):
        command.append("--no-build-isolation")
    run([*command, f"--config-settings=build-dir={objects}"], env=env)


def build_cross(source: Path, objects: Path, destination: Path, env: dict[str, str]) -> None:
    """The aarch64 wheel; the script that knows how says itself what the machine lacks."""
    script = REPOSITORY / "scripts/arm/wheel.py"
    folders = ("--project", str(source), "--objects", str(objects), "--destination", str(destination))
    done = subprocess.run((sys.executable, script, *folders), env=env, stdout=subprocess.DEVNULL, check=False)
    if done.returncode == EXIT_UNAVAILABLE:
        raise UnavailableError("no aarch64 wheel, see above")
    if done.returncode != 0:
        raise PackageError(f"exit code {done.returncode}: {script}")


def record(files: Iterable[tuple[str, bytes]], name: str) -> bytes:
    """A wheel's list of its own files, with their hashes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path, data in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        writer.writerow((path, f"sha256={digest}", len(data)))
    writer.writerow((name, "", ""))
    return text.getvalue().encode()


def retag(wheel: Path, machine: Machine, tag: str, destination: Path) -> Path:
    """Writes the wheel with its tag into the folder: files sorted and dated by the last commit, metadata last."""
    plain = f"linux_{machine.name}"
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            files[name] = archive.read(name)
    info = next(name.removesuffix("WHEEL") for name in files if name.endswith(".dist-info/WHEEL"))
    tagged = files[info + "WHEEL"].replace(f"-{plain}\n".encode(), f"-{tag}\n".encode())
    if tagged == files[info + "WHEEL"]:
        raise PackageError(f"{wheel.name}: its WHEEL file does not say {plain}")
    files[info + "WHEEL"] = tagged
    files.pop(info + "RECORD")
    ordered = sorted(files.items(), key=lambda file: (file[0].startswith(info), file[0]))
    ordered.append((info + "RECORD", record(ordered, info + "RECORD")))

    when = time.gmtime(epoch())[:6]
    written = destination / PLAIN_TAG.sub(f"-{tag}.whl", wheel.name)
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in ordered:
            entry = zipfile.ZipInfo(name, when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is written
            entry.external_attr = (0o100755 if elf.is_elf(data) else 0o100644) << 16
            archive.writestr(entry, data)
    return written


def build(machine: Machine, source: Path, objects: Path, destination: Path) -> Path:
    """Builds, tags and checks one wheel."""
    destination.mkdir(parents=True, exist_ok=True)
    env = environment(source, objects)
    with TemporaryDirectory() as folder:
        maker = build_cross if machine.prefix else build_native
        maker(source, objects, Path(folder), env)
        built = [path for path in Path(folder).glob("*.whl") if PLAIN_TAG.search(path.name)]
        if len(built) != 1:
            raise PackageError(f"one wheel of linux_{machine.name} was expected, not {os.listdir(folder)}")
        wheel = retag(built[0], machine, elf.manylinux_tag(built[0], machine), destination)
    with zipfile.ZipFile(wheel) as archive:
        models = sum(file.compress_size for file in archive.infolist() if file.filename.endswith(".safetensors"))
    size = wheel.stat().st_size - models
    if size > LARGEST:
        raise PackageError(f"{wheel.name} has {size:,} bytes without models, more than {LARGEST:,}")
    return wheel


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 built, 1 failed, 69 this machine lacks a tool.",
    )
    parser.add_argument("machines", nargs="*", metavar="MACHINE", help=f"{' or '.join(WHEELS)} (both)")
    parser.add_argument("--source", type=Path, default=REPOSITORY, help="folder of pyproject.toml (this repository)")
    parser.add_argument("--objects", type=Path, default=BUILD, help="folder for what is compiled (build/packages)")
    parser.add_argument("--destination", type=Path, default=DIST, help="folder for the wheels (dist)")
    arguments = parser.parse_args()
    if unknown := set(arguments.machines) - set(WHEELS):
        parser.error(f"there is no wheel for {', '.join(sorted(unknown))}")
    source, objects = arguments.source.absolute(), arguments.objects.absolute()
    for name in arguments.machines or WHEELS:
        wheel = build(MACHINES[name], source, objects / f"wheel-{name}", arguments.destination.absolute())
        say(f"{wheel}  {wheel.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    exit_with(main)
