"""An emulated 64-bit ARM JVM: Debian 12's arm64 packages, unpacked into the cache folder; nothing is installed.

python -m scripts.arm.jre       builds it when it is missing, and prints its folder
"""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.arm.sysroot import unpack_debian_packages
from scripts.common import cache_folder, exit_with, find_tool, make_parser, run, say

DEBIAN_PACKAGES = ("openjdk-17-jre-headless", "libc6", "libgcc-s1", "libstdc++6", "zlib1g")
JAVA = "usr/lib/jvm/java-17-openjdk-arm64/bin/java"


def command(root: Path) -> tuple[str, ...]:
    """The start of a command that runs a program on the JVM, with the settings that are fast under emulation."""
    emulator = (find_tool("qemu-aarch64"), "-cpu", "neoverse-n1", "-L", str(root))
    return (*emulator, str(root / JAVA), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def ensure() -> Path:
    """The root folder of the packages; built first when it is missing."""
    find_tool("qemu-aarch64")
    target = cache_folder() / "aarch64-jre"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            with TemporaryDirectory(dir=target.parent) as folder:
                root, work = Path(folder) / "root", Path(folder) / "work"
                root.mkdir()
                work.mkdir()
                unpack_debian_packages(DEBIAN_PACKAGES, root, work)
                run((*command(root), "-version"))
                shutil.move(root, target)
    return target


def main() -> int:
    make_parser(__doc__).parse_args()
    say(str(ensure()))
    return 0


if __name__ == "__main__":
    exit_with(main)
