"""An emulated virtual environment: the sysroot's Python plus one cross-built wheel, made afresh in a second.

Its bin/python is a shell script that starts qemu, and the emulated Python believes that script to be itself
(sys.executable), so tests that start Python again, in any way, stay emulated. It needs no environment
variable to find its modules: `python -I` and an empty environment work too.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

import sysroot
import wheel
from emulation import BUILD, CPUS, NUMPY, emulator, exit_with, say

VENV = BUILD / "venv"

PYTHON_SCRIPT = """#!/bin/sh
: "${{QEMU_CPU:={cpu}}}"
export QEMU_CPU {settings}
exec {qemu} -L {root} {python} "$@"
"""

CONSOLE_SCRIPT = """#!{python}
import sys
from {module} import {function}
sys.exit({call}())
"""


def write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def create(venv: Path, root: Path, built: Path) -> Path:
    """Makes the environment in the folder venv, replacing what is there; its python is returned."""
    shutil.rmtree(venv, ignore_errors=True)
    modules = venv / "lib/python3.11/site-packages"
    programs = venv / "bin"
    modules.mkdir(parents=True)
    programs.mkdir()

    home = root / "usr/bin"
    (venv / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = true\nversion = 3.11\n")
    binary, python = programs / "python3.11", programs / "python"
    binary.symlink_to(home / "python3.11")
    words = {"qemu": emulator(), "root": str(root), "python": str(binary)}
    quoted = {name: shlex.quote(word) for name, word in words.items()}
    settings = " ".join(f"{name}={value}" for name, value in NUMPY.items())
    write_script(python, PYTHON_SCRIPT.format(cpu=next(iter(CPUS)), settings=settings, **quoted))
    (modules / "emulated.pth").write_text(f"import sys; sys.executable = sys._base_executable = {str(python)!r}\n")

    with zipfile.ZipFile(built) as archive:
        archive.extractall(modules)
    for record in modules.glob("*.dist-info"):
        for entry in Distribution.at(record).entry_points.select(group="console_scripts"):
            function = entry.attr.split(".")[0]
            text = CONSOLE_SCRIPT.format(python=python, module=entry.module, function=function, call=entry.attr)
            write_script(programs / entry.name, text)
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the wheel to install (the newest aarch64 one in dist)")
    arguments = parser.parse_args()
    say(str(create(VENV, sysroot.ensure(), arguments.wheel or wheel.newest())))
    return 0


if __name__ == "__main__":
    exit_with(main)
