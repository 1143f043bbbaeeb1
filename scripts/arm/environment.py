"""An emulated virtual environment: the Python of the sysroot and one cross-built wheel.

bin/python is a shell script that starts QEMU. It is sys.executable of the emulated Python, so processes that tests
start are emulated too. Modules are found without environment variables: `python -I` works.
"""

from __future__ import annotations

import shlex
import shutil
import zipfile
from importlib.metadata import Distribution
from pathlib import Path

from scripts.arm import sysroot
from scripts.arm.emulation import CPUS, FOLDER, NUMPY, newest_wheel
from scripts.common import exit_with, find_tool, make_parser, say

VENV = FOLDER / "venv"

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
    """Makes the environment in a folder, replacing the old one; returns its python."""
    shutil.rmtree(venv, ignore_errors=True)
    modules = venv / "lib/python3.11/site-packages"
    programs = venv / "bin"
    modules.mkdir(parents=True)
    programs.mkdir()

    home = root / "usr/bin"
    (venv / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = true\nversion = 3.11\n")
    binary, python = programs / "python3.11", programs / "python"
    binary.symlink_to(home / "python3.11")
    words = {"qemu": find_tool("qemu-aarch64"), "root": str(root), "python": str(binary)}
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
    parser = make_parser(__doc__)
    parser.add_argument("--wheel", type=Path, help="the wheel to install (default: the newest in dist)")
    arguments = parser.parse_args()
    say(str(create(VENV, sysroot.ensure(), arguments.wheel or newest_wheel())))
    return 0


if __name__ == "__main__":
    exit_with(main)
