"""Checks files built for macOS: what they export, which macOS they need, which libraries, and no path of this machine.

    python -m scripts.packages.macho BUILD    the library and mbrt of a CMake build folder

Nothing here runs them: they are untested until a macOS machine has run the native tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from scripts.common import REPOSITORY, ScriptError, exit_with, find_tool, make_parser, run, say

OLDEST = "11.0"  # macOS; as in cmake/toolchains
SYSTEM = ("/usr/lib/", "/System/Library/")
# What zig's linker exports beside the list that it is given: its own labels, and operator new and delete.
ADDED_BY_ZIG = re.compile(r"_mh_dylib_header|__dso_handle|_Z(?:nw|na|dl|da)[A-Za-z]\w*")
HEADER = REPOSITORY / "csrc/include/mobilebert_rt.h"


@dataclass(frozen=True)
class MachO:
    """What a Mach-O file says about itself."""

    name: str | None  # of a library: LC_ID_DYLIB
    minimum: str | None  # macOS version
    libraries: tuple[str, ...]
    run_paths: tuple[str, ...]
    exports: frozenset[str]


def read(file: Path) -> MachO:
    """Reads the load commands and the export trie by llvm-objdump."""
    tool = find_tool("llvm-objdump-19")
    headers = run((tool, "--macho", "--private-headers", file))
    commands = [dict(re.findall(r"^\s*(\S+) (.*?)(?: \(.*\))?$", text, re.M)) for text in headers.split("Load command")]

    def values(command: str, field: str) -> tuple[str, ...]:
        return tuple(fields[field] for fields in commands if fields.get("cmd") == command)

    names, versions = values("LC_ID_DYLIB", "name"), values("LC_BUILD_VERSION", "minos")
    exports = re.findall(r"^0x[0-9A-F]+\s+_(\S+)", run((tool, "--macho", "--exports-trie", file)), re.M)
    return MachO(
        name=names[0] if names else None,
        minimum=versions[0] if versions else None,
        libraries=values("LC_LOAD_DYLIB", "name"),
        run_paths=values("LC_RPATH", "path"),
        exports=frozenset(exports),
    )


def public_functions() -> frozenset[str]:
    """The functions that mobilebert_rt.h declares."""
    return frozenset(re.findall(r"^MBRT_API [\w ]+\*? ?(mbrt_\w+)\(", HEADER.read_text("utf-8"), re.M))


def check(file: Path, secret: Path) -> None:
    """ScriptError unless the file can be shipped. secret: a folder whose name must not be in the file."""
    found = read(file)

    def problem(what: str, expected: str) -> ScriptError:
        return ScriptError(f"{file}: {what}; expected {expected}.")

    if found.minimum != OLDEST:
        raise problem(f"needs macOS {found.minimum}", OLDEST)
    if foreign := [name for name in found.libraries if not name.startswith((*SYSTEM, "@rpath/libmobilebert_rt."))]:
        raise problem(f"needs {', '.join(foreign)}", "libraries of the system only")
    if absolute := [path for path in found.run_paths if not path.startswith("@")]:
        raise problem(f"searches {', '.join(absolute)}", "run paths relative to the file")
    if str(secret).encode() in file.read_bytes():
        raise problem(f"holds the name of the folder {secret}", "no path of this machine")
    if file.suffix != ".dylib":
        return
    if not (found.name or "").startswith("@rpath/"):
        raise problem(f"is named {found.name}", "a name relative to @rpath")
    if not file.with_name(Path(found.name or "").name).exists():
        raise problem(f"is named {found.name}, which programs will look for", "the name of a file beside it")
    exports = {name for name in found.exports if not ADDED_BY_ZIG.fullmatch(name)}
    if wrong := sorted(exports ^ public_functions()):
        raise problem(f"exports and mobilebert_rt.h differ in {', '.join(wrong)}", "the functions of the header")


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("build", type=Path, help="a CMake build folder")
    build = parser.parse_args().build.resolve()
    files = [path for path in sorted(build.glob("csrc/capi/*.dylib")) if not path.is_symlink()]
    if not files:
        raise ScriptError(f"{build}: holds no csrc/capi/*.dylib. Build it first.")
    for file in (*files, build / "csrc/tools/mbrt"):
        check(file, REPOSITORY)
        say(f"{file.name}: macOS {OLDEST}, {file.stat().st_size:,} bytes; untested until it runs on macOS")
    return 0


if __name__ == "__main__":
    exit_with(main)
