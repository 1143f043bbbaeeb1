"""Builds an emulated 64-bit ARM Python: Debian 12's arm64 packages and wheels, unpacked into a cache folder.

No container, no root rights and no change to this machine's package system: apt is given a configuration of
its own that knows only arm64, and the packages are unpacked, not installed. qemu-user then runs the Python
where it lies. The folder is built beside its final place, tried, and renamed; a second call finds its stamp
and does nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from emulation import (
    REPOSITORY,
    UnavailableError,
    emulated_environment,
    emulator,
    exit_with,
    need,
    run,
    say,
    sysroot,
)

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = "3.11"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
SKIPPED = "the arm64 tests of the Python package are skipped"

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

# Tried before the sysroot is called finished.
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
    """A digest of everything that decides what is in the sysroot; its stamp."""
    text = "\n".join((*DEBIAN_PACKAGES, *PLATFORMS, REQUIREMENTS.read_text(), Path(__file__).read_text()))
    return hashlib.sha256(text.encode()).hexdigest()


def unpack_debian_packages(root: Path, work: Path) -> None:
    """Downloads the arm64 packages with a private apt state and unpacks each into root."""
    for tool, package in (("apt-get", "apt"), ("dpkg", "dpkg")):
        need(tool, package, SKIPPED)
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (work / folder).mkdir(parents=True)
    configuration = work / "apt.conf"
    configuration.write_text(APT_CONFIGURATION.format(folder=work))
    env = {**os.environ, "APT_CONFIG": str(configuration)}
    say(f"apt: {len(DEBIAN_PACKAGES)} arm64 packages")
    try:
        run(("apt-get", "update", "-qq"), env=env)
        run(("apt-get", "download", "-qq", *DEBIAN_PACKAGES), env=env, cwd=work / "debs")
    except subprocess.CalledProcessError as failure:
        raise UnavailableError(
            f"apt could not fetch the arm64 packages, so {SKIPPED}. "
            "Debian 12 package sources that carry arm64 must be configured and reachable"
        ) from failure
    for archive in sorted((work / "debs").glob("*.deb")):
        run(("dpkg", "-x", archive, root))


def unpack_wheels(root: Path, work: Path) -> None:
    """Downloads the aarch64 wheels and unpacks each into the folder where Debian's Python finds modules."""
    wheels = work / "wheels"
    say("pip: " + ", ".join(line for line in REQUIREMENTS.read_text().split("\n") if line and line[0] != "#"))
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    for platform in PLATFORMS:
        pip += ["--platform", platform]
    pip += [
        "--python-version",
        PYTHON,
        "--implementation",
        "cp",
        "--abi",
        "cp311",
        "--abi",
        "abi3",
        "--abi",
        "none",
    ]
    try:
        run([*pip, "--dest", str(wheels), "--requirement", str(REQUIREMENTS)])
    except subprocess.CalledProcessError as failure:
        raise UnavailableError(
            f"pip could not fetch the aarch64 wheels, so {SKIPPED}. "
            f"{sys.executable} must have pip, and its package index must be reachable"
        ) from failure
    modules = root / "usr/lib/python3/dist-packages"
    modules.mkdir(parents=True, exist_ok=True)
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(modules)


def tidy(root: Path) -> None:
    """Makes one -I enough, with the arm64 pyconfig.h where Debian has one that chooses by architecture, and
    drops what no build or test reads: the static libpython, glibc's character sets, the documentation."""
    include = root / "usr/include"
    shutil.copyfile(include / "aarch64-linux-gnu/python3.11/pyconfig.h", include / "python3.11/pyconfig.h")
    for unread in (
        "usr/lib/python3.11/config-3.11-aarch64-linux-gnu",
        "usr/lib/aarch64-linux-gnu/gconv",
        "usr/share",
    ):
        shutil.rmtree(root / unread)


def build(target: Path) -> None:
    """Builds the sysroot beside target and renames it there once it is proven to work."""
    qemu = emulator()
    began = time.monotonic()
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    root, work = partial / "root", partial / "work"
    root.mkdir(parents=True)
    work.mkdir()
    unpack_debian_packages(root, work)
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
    """The finished sysroot; built first when it is missing or its recipe has changed."""
    target = sysroot()
    if target.is_relative_to(REPOSITORY):
        raise SystemExit(f"{target} is inside the source tree: set MBRT_CACHE to a folder outside it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once: the second waits, then finds the stamp
        stamp = target / "stamp"
        if not stamp.is_file() or stamp.read_text() != recipe():
            build(target)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="It lies in $MBRT_CACHE, else $XDG_CACHE_HOME/mobilebert_rt, else ~/.cache/mobilebert_rt. "
        "Exit code 69: this machine cannot build it, and the message says why.",
    )
    parser.add_argument("--force", action="store_true", help="build it again even when it is up to date")
    arguments = parser.parse_args()
    if arguments.force:
        (sysroot() / "stamp").unlink(missing_ok=True)
    say(str(ensure()))
    return 0


if __name__ == "__main__":
    exit_with(main)
