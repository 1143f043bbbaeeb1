"""Builds an emulated 64-bit ARM Python: Debian 12's arm64 packages and wheels, unpacked into the cache folder.

It needs no container and no root rights, and does not change this machine's packages: apt gets a configuration with
arm64 alone, and packages are unpacked, not installed. qemu-user runs the Python in the folder. The folder is built
under another name, tried, and renamed; when its stamp is up to date, nothing is done.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from scripts.arm.emulation import emulated_environment, sysroot
from scripts.common import REPOSITORY, ScriptError, UnavailableError, exit_with, find_tool, make_parser, run, say

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = "3.11"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")

# Python's own packages, then the libraries that its standard modules are linked with.
DEBIAN_PACKAGES = (
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libpython3.11-dev",
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "zlib1g",
    "libbz2-1.0",
    "liblzma5",
    "libexpat1",
    "libffi8",
    "libssl3",
    "libsqlite3-0",
    "libuuid1",
    "libcrypt1",
)

# Runs before the sysroot is finished.
TRIAL = """
import bz2, ctypes, hashlib, lzma, platform, sqlite3, ssl, uuid, xml.parsers.expat, zlib
import numpy, tokenizers, safetensors, tqdm, hypothesis, pytest
assert platform.machine() == "aarch64", platform.machine()
assert (numpy.ones((8, 8), numpy.float32) @ numpy.ones((8, 8), numpy.float32) == 8).all()
print(f"Python {platform.python_version()}, numpy {numpy.__version__}, tokenizers {tokenizers.__version__}")
"""

APT_CONFIGURATION = """
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "{folder}/state";
Dir::State::status "/dev/null";
Dir::Cache "{folder}/cache";
"""


def recipe() -> str:
    """The stamp: a digest of everything that decides the contents of the sysroot."""
    text = "\n".join((*DEBIAN_PACKAGES, *PLATFORMS, REQUIREMENTS.read_text(), Path(__file__).read_text()))
    return hashlib.sha256(text.encode()).hexdigest()


def unpack_debian_packages(packages: Sequence[str], root: Path, work: Path) -> None:
    """Downloads arm64 packages with a private apt state and unpacks each into root."""
    for tool in ("apt-get", "dpkg"):
        find_tool(tool)
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    configuration = work / "apt.conf"
    configuration.write_text(APT_CONFIGURATION.format(folder=work))
    env = {**os.environ, "APT_CONFIG": str(configuration)}
    say(f"apt: {len(packages)} arm64 packages")
    try:
        run(("apt-get", "update", "-qq"), env=env)
        run(("apt-get", "download", "-qq", *packages), env=env, cwd=work / "debs")
    except ScriptError as error:
        raise UnavailableError(
            f"{error}\napt did not find the arm64 packages. Debian 12 package sources for arm64 must be configured."
        ) from error
    for archive in sorted((work / "debs").glob("*.deb")):
        run(("dpkg", "-x", archive, root))


def unpack_wheels(root: Path, work: Path) -> None:
    """Downloads the aarch64 wheels and unpacks them where Debian's Python looks for modules."""
    wheels = work / "wheels"
    say("pip: " + ", ".join(line for line in REQUIREMENTS.read_text().split("\n") if line and line[0] != "#"))
    target = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    target += [f"--abi={abi}" for abi in ("cp311", "abi3", "none")] + [f"--platform={name}" for name in PLATFORMS]
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *target)
    try:
        run([*pip, "--dest", str(wheels), "--requirement", str(REQUIREMENTS)])
    except ScriptError as error:
        raise UnavailableError(f"{error}\npip did not find the aarch64 wheels.") from error
    modules = root / "usr/lib/python3/dist-packages"
    modules.mkdir(parents=True, exist_ok=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(modules)


def tidy(root: Path) -> None:
    """Puts the arm64 pyconfig.h in the place of Debian's, which chooses by architecture; removes unused files."""
    include = root / "usr/include"
    shutil.copyfile(include / "aarch64-linux-gnu/python3.11/pyconfig.h", include / "python3.11/pyconfig.h")
    for unread in (
        "usr/lib/python3.11/config-3.11-aarch64-linux-gnu",
        "usr/lib/aarch64-linux-gnu/gconv",
        "usr/share",
    ):
        shutil.rmtree(root / unread)


def build(target: Path) -> None:
    """Builds the sysroot under another name, tries it, and renames it to target."""
    qemu = find_tool("qemu-aarch64")
    began = time.monotonic()
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    root, work = partial / "root", partial / "work"
    root.mkdir(parents=True)
    work.mkdir()
    unpack_debian_packages(DEBIAN_PACKAGES, root, work)
    unpack_wheels(root, work)
    tidy(root)
    say("trying it")
    trial = (qemu, "-L", root, root / "usr/bin/python3.11", "-B", "-W", "error", "-c", TRIAL)
    subprocess.run(trial, env=emulated_environment("max"), check=True)
    (root / "stamp").write_text(recipe())
    if target.exists():
        shutil.rmtree(target)
    root.rename(target)
    shutil.rmtree(partial)
    size = sum(file.lstat().st_size for file in target.rglob("*") if file.is_file()) / 2**20
    say(f"built {target}: {size:.0f} MiB in {time.monotonic() - began:.0f} s")


def ensure() -> Path:
    """The sysroot; built first when it is missing or its recipe has changed."""
    target = sysroot()
    if target.is_relative_to(REPOSITORY):
        raise ScriptError(f"{target} is inside the source tree. Set MBRT_CACHE to a folder outside it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits, then finds the stamp
        stamp = target / "stamp"
        if not stamp.is_file() or stamp.read_text() != recipe():
            build(target)
    return target


def main() -> int:
    parser = make_parser(
        __doc__,
        epilog="It is in $MBRT_CACHE, else $XDG_CACHE_HOME/mobilebert_rt, else ~/.cache/mobilebert_rt. "
        "Exit code 69: this machine lacks a tool.",
    )
    parser.add_argument("--force", action="store_true", help="build it again when it is up to date too")
    arguments = parser.parse_args()
    if arguments.force:
        (sysroot() / "stamp").unlink(missing_ok=True)
    say(str(ensure()))
    return 0


if __name__ == "__main__":
    exit_with(main)
