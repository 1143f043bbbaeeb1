"""Code for one platform is in csrc/base alone, in files that platform.cmake chooses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# threads.h chooses a header for each platform; the public header says how its functions are exported.
ALLOWED = {"csrc/base/threads.h", "csrc/include/mobilebert_rt.h"}
CONDITION = re.compile(
    r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(?:_WIN32|_WIN64|__MINGW32__|_MSC_VER|__APPLE__|__linux__|__unix__|"
    r"__ANDROID__|__GLIBC__|__wasm__|__wasi__|__EMSCRIPTEN__)\b",
    re.MULTILINE,
)
HEADER = re.compile(
    r"^\s*#\s*include\s*<(?:sys/|mach|windows|unistd|poll|fcntl|io|signal|pthread|sched|dlfcn|shellapi|psapi)[^>]*>",
    re.MULTILINE,
)
SOURCES = [
    path
    for folder in ("csrc", "tests", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".cc", ".h", ".hpp", ".c", ".inc"} and "build" not in path.parts
]
PLATFORM = re.compile(r"_(?:posix|linux|windows|apple|none|wasm)\.(?:cc|h)$")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_condition_on_the_platform() -> None:
    found = {name_of(path) for path in SOURCES if CONDITION.search(path.read_text(encoding="utf-8"))}
    assert found == ALLOWED


def test_headers_of_the_platform_are_included_in_platform_files() -> None:
    folders = ("capi", "engine", "kernels", "model", "simd", "tasks", "text", "tools")
    places = tuple(f"csrc/{folder}/" for folder in folders)
    users = [name_of(path) for path in SOURCES if HEADER.search(path.read_text(encoding="utf-8"))]
    assert [name for name in users if name.startswith(places)] == []
    in_base = [name for name in users if name.startswith(("csrc/base/", "tests/support/"))]
    assert in_base
    assert [name for name in in_base if not PLATFORM.search(name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "csrc/base").glob("*_windows.cc")), ids=lambda path: path.name)
def test_windows_files_compile(path: Path) -> None:
    compiler = shutil.which("x86_64-w64-mingw32-g++-posix")
    if compiler is None:
        pytest.skip("x86_64-w64-mingw32-g++-posix is not installed")
    flags = ("-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
    definitions = ("-DNOMINMAX", "-DWIN32_LEAN_AND_MEAN", "-DUNICODE", "-D_WIN32_WINNT=0x0A00", "-DPSAPI_VERSION=2")
    subprocess.run((compiler, *flags, *definitions, "-Icsrc", path), cwd=ROOT, check=True)
