"""What is wrong with a file for macOS is named: tiny libraries linked by LLVM stand for every case."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.common import ScriptError, missing_tool
from scripts.packages import macho

pytestmark = pytest.mark.skipif(
    bool(missing_tool("clang++-19", "ld64.lld-19", "llvm-objdump-19")), reason="needs clang-19, lld-19 and llvm-19"
)

Link = Callable[..., Path]
NAME = "@rpath/libmobilebert_rt.1.dylib"


@pytest.fixture
def link(tmp_path: Path) -> Link:
    """Links a library that exports the given functions."""

    def make(functions: set[str], *options: str, name: str = NAME, minimum: str = "11.0", text: str = "") -> Path:
        source = "".join(f"int {function}(void) {{ return 1; }}\n" for function in sorted(functions))
        source += f'const char text[] __attribute__((visibility("hidden"), used)) = "{text}";\n'
        (tmp_path / "part.c").write_text(source)
        compiler = ("clang-19", "--target=arm64-apple-macos11", "-c", "part.c", "-o", "part.o")
        subprocess.run(compiler, cwd=tmp_path, check=True)
        linker = ["ld64.lld-19", "-dylib", "-arch", "arm64", "-platform_version", "macos", minimum, minimum]
        file = tmp_path / "libmobilebert_rt.1.dylib"
        command = [*linker, "-install_name", name, *options, "-o", file.name, "part.o"]
        subprocess.run(command, cwd=tmp_path, check=True)
        return file

    return make


def test_the_functions_of_the_header_are_enough(link: Link, tmp_path: Path) -> None:
    functions = macho.public_functions()
    assert {"mbrt_model_open", "mbrt_call_run", "mbrt_last_error"} <= functions
    macho.check(link(set(functions), "-rpath", "@loader_path"), tmp_path)


def test_another_export_and_a_missing_one_are_named(link: Link, tmp_path: Path) -> None:
    functions = macho.public_functions()
    with pytest.raises(ScriptError, match=r"differ in _ZTISt9exception;"):
        macho.check(link(functions | {"_ZTISt9exception"}), tmp_path)
    with pytest.raises(ScriptError, match=r"differ in mbrt_call_run;"):
        macho.check(link(functions - {"mbrt_call_run"}), tmp_path)


def test_each_path_of_this_machine_is_an_error(link: Link, tmp_path: Path) -> None:
    functions = set(macho.public_functions())
    with pytest.raises(ScriptError, match=r"searches /home/me/lib; expected run paths"):
        macho.check(link(functions, "-rpath", "/home/me/lib"), tmp_path)
    with pytest.raises(ScriptError, match=r"holds the name of the folder"):
        macho.check(link(functions, text=str(tmp_path / "part.c")), tmp_path)
    with pytest.raises(ScriptError, match=r"is named /usr/local/lib/libmobilebert_rt.1.dylib"):
        macho.check(link(functions, name="/usr/local/lib/libmobilebert_rt.1.dylib"), tmp_path)
    with pytest.raises(ScriptError, match=r"is named @rpath/libother.dylib, which programs will look for"):
        macho.check(link(functions, name="@rpath/libother.dylib"), tmp_path)


def test_a_newer_macos_is_an_error(link: Link, tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"needs macOS 15\.0; expected 11\.0"):
        macho.check(link(set(macho.public_functions()), minimum="15.0"), tmp_path)
