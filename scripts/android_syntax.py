"""Checks the sources for Android without an NDK: clang parses each for aarch64-linux-android24.

python -m scripts.android_syntax [FOLDER ...]      default: csrc and bindings

Flags are those of the preset aarch64-linux-gnu; warnings are errors. The headers are those of glibc and libstdc++, so
this finds what clang refuses on Android's target, not functions that Android's C library lacks. Nothing is linked.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.common import BUILD, REPOSITORY, ScriptError, exit_with, find_tool, make_parser, run, say

FOLDER = BUILD / "android-syntax"
PRESET = "aarch64-linux-gnu"
HEADERS = f"/usr/{PRESET}/include"
ANDROID = ("--target=aarch64-linux-android24", "-fsyntax-only", "-Werror")
NO_WARNING = "-Wno-unused-command-line-argument"  # flags for the linker
JNI = REPOSITORY / "bindings/java/src/main/cpp"


def header_flags() -> list[str]:
    """Debian's headers for 64-bit ARM, instead of those that clang would look for in an NDK."""
    versions = [path for path in Path(HEADERS, "c++").glob("*") if path.name.isdigit()]
    newest = max(versions, key=lambda path: int(path.name))
    folders = (newest, newest / PRESET, Path(HEADERS))
    return ["-nostdinc++", "-nostdlibinc", *(word for folder in folders for word in ("-isystem", str(folder)))]


def jdk_flags() -> list[str]:
    """The folders of jni.h; the NDK has its own."""
    include = Path(find_tool("javac")).resolve().parents[1] / "include"
    return ["-isystem", str(include), "-isystem", str(include / "linux")]


def sources() -> dict[Path, list[str]]:
    """Each source that an Android library has, with its flags."""
    for tool in ("aarch64-linux-gnu-g++", "cmake"):
        find_tool(tool)
    options = ("-DMBRT_TESTS=OFF", "-DMBRT_WERROR=OFF", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    run(("cmake", "--preset", PRESET, "-B", FOLDER, *options), cwd=REPOSITORY)
    flags: dict[Path, list[str]] = {}
    for entry in json.loads((FOLDER / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        start = next(i for i, word in enumerate(words) if word.startswith("-"))
        flags[Path(entry["file"])] = words[start : words.index("-o")]
    folders = [f"-I{REPOSITORY / 'csrc/include'}", *jdk_flags()]
    warnings = ["-std=c++17", "-Wall", "-Wextra", "-Wshadow", "-Wconversion"]
    return flags | {path: [*warnings, *folders] for path in sorted(JNI.glob("*.cc"))}


def check(folders: Sequence[Path]) -> int:
    """Checks the sources below the folders; returns their number. ScriptError with the messages of clang."""
    compiler = find_tool("clang++-19")
    headers = header_flags()
    chosen = {path: flags for path, flags in sources().items() if any(path.is_relative_to(one) for one in folders)}

    def problem(path: Path) -> str:
        command = (compiler, *chosen[path], *ANDROID, NO_WARNING, *headers, str(path))
        return subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False).stderr

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        problems = list(filter(None, pool.map(problem, chosen)))
    if problems or not chosen:
        raise ScriptError("".join(problems) or f"no source in {', '.join(map(str, folders))}")
    return len(chosen)


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[Path("csrc"), Path("bindings")])
    folders = [REPOSITORY / folder for folder in parser.parse_args().folders]
    say(f"{check(folders)} sources: no error, no warning for Android")
    return 0


if __name__ == "__main__":
    exit_with(main)
