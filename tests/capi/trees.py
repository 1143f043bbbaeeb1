"""Install trees of the C library for the tests, one a target, and programs that are built from them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# Where the presets build too, so that what `make test-native` has made is not made again.
BUILD = Path(os.environ.get("MBRT_TEST_BUILD", REPOSITORY / "build"))


@dataclass(frozen=True)
class Target:
    preset: str
    tools: tuple[str, ...]  # the prefix of binutils and gcc first
    emulator: tuple[str, ...] = ()
    toolchain: str | None = None

    @property
    def prefix(self) -> str:
        return self.tools[0]


TARGETS = {
    "host": Target("release", ("",)),
    "aarch64": Target(
        "aarch64-linux-gnu",
        ("aarch64-linux-gnu-", "aarch64-linux-gnu-g++", "qemu-aarch64"),
        ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"),
        "cmake/toolchains/aarch64-linux-gnu.cmake",
    ),
}

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def run(*command: str | Path, env: dict[str, str] | None = None, text: str = "") -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, "PATH": PATH, **(env or {})},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@dataclass(frozen=True)
class Tree:
    """What `cmake --install` laid down for a target."""

    target: Target
    prefix: Path

    @property
    def libraries(self) -> Path:
        return next(self.prefix.glob("**/libmobilebert_rt.a")).parent

    def tool(self, name: str) -> str:
        return self.target.prefix + name

    def execute(self, program: Path, *arguments: str | Path, text: str = "") -> str:
        return run(*self.target.emulator, program, *arguments, text=text)

    def pkg_config(self, *options: str) -> list[str]:
        env = {"PKG_CONFIG_LIBDIR": str(self.libraries / "pkgconfig"), "PKG_CONFIG_PATH": ""}
        return run("pkg-config", *options, "mobilebert_rt", env=env).split()

    def build_with_pkg_config(self, source: Path, program: Path, static: bool) -> Path:
        """Of a C or C++ source; with warnings as errors, since the headers are for everybody's flags."""
        compiler, standard = ("gcc", "-std=c11") if source.suffix == ".c" else ("g++", "-std=c++17")
        flags = self.pkg_config("--cflags", "--libs", *(["--static"] if static else []))
        link = "-static" if static else f"-Wl,-rpath,{self.libraries}"
        strict = ["-O1", "-pedantic", "-Wall", "-Wextra", "-Werror"]
        run(self.tool(compiler), standard, *strict, source, "-o", program, *flags, link)
        return program

    def build_with_cmake(self, project: Path, build: Path, library: str) -> Path:
        options = [f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DMBRT_LIBRARY={library}"]
        if self.target.toolchain is not None:
            options.append(f"-DCMAKE_TOOLCHAIN_FILE={REPOSITORY / self.target.toolchain}")
        run("cmake", "-G", "Ninja", "-S", project, "-B", build, *options)
        run("cmake", "--build", build)
        return build


def install(name: str, folder: Path) -> Tree:
    """Builds what has changed, and installs it below the folder."""
    target = TARGETS[name]
    for tool in ("cmake", "ninja", "pkg-config", "g++", *target.tools[1:]):
        if shutil.which(tool, path=PATH) is None:
            pytest.skip(f"{tool} is not installed")
    build = BUILD / target.preset
    run("cmake", "--preset", target.preset, "-S", REPOSITORY, "-B", build, "-DMBRT_TOOLS=ON", "-DMBRT_STATIC=OFF")
    run("cmake", "--build", build, "--target", "mobilebert_rt", "mobilebert_rt_static", "mbrt_tool")
    # Moved after it was installed: nothing in it may remember where it was.
    run("cmake", "--install", build, "--prefix", folder / "first")
    shutil.move(folder / "first", folder / "moved")
    return Tree(target, folder / "moved")
