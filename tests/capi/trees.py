"""Native builds for the tests, one for each architecture: install trees of the C library, programs that use them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build"


@dataclass(frozen=True)
class Target:
    """An architecture. Its build folder is shared with the editable install, the wheel and the native tests."""

    preset: str
    folder: str
    prefix: str = ""  # of gcc and binutils
    emulator: str = ""

    @property
    def sysroot(self) -> str:
        return f"/usr/{self.prefix.removesuffix('-')}"

    @property
    def toolchain(self) -> Path | None:
        return REPOSITORY / f"cmake/toolchains/{self.preset}.cmake" if self.prefix else None


TARGETS = {
    "host": Target("release", "editable"),
    "aarch64": Target("aarch64-linux-gnu", "packages/wheel-aarch64", "aarch64-linux-gnu-", "qemu-aarch64"),
    "armhf": Target("armhf-linux-gnu", "armhf-linux-gnu", "arm-linux-gnueabihf-", "qemu-arm"),
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
    """The files that `cmake --install` wrote for a target."""

    target: Target
    prefix: Path

    @property
    def libraries(self) -> Path:
        return next(self.prefix.glob("**/libmobilebert_rt.a")).parent

    def tool(self, name: str) -> str:
        return self.target.prefix + name

    def execute(self, program: Path, *arguments: str | Path, text: str = "") -> str:
        emulator = (self.target.emulator, "-L", self.target.sysroot) if self.target.emulator else ()
        return run(*emulator, program, *arguments, text=text)

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
            options.append(f"-DCMAKE_TOOLCHAIN_FILE={self.target.toolchain}")
        run("cmake", "-G", "Ninja", "-S", project, "-B", build, *options)
        run("cmake", "--build", build)
        return build


def build(name: str, *targets: str) -> Path:
    """The build folder of an architecture, with CMake targets up to date. Skips the test where a tool is missing."""
    target = TARGETS[name]
    for tool in ("cmake", "ninja", target.prefix + "g++", *filter(None, [target.emulator])):
        if shutil.which(tool, path=PATH) is None:
            pytest.skip(f"{tool} is not installed")
    folder = BUILD / target.folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "editable_rebuild.lock").open("w") as lock:  # the lock of the editable install
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "build.ninja").is_file():
            run(
                "cmake",
                "--preset",
                target.preset,
                "-S",
                REPOSITORY,
                "-B",
                folder,
                "-DMBRT_TOOLS=ON",
                "-DMBRT_STATIC=ON",
            )
        run("cmake", "--build", folder, "--target", *targets)
    return folder


def install(name: str, folder: Path) -> Tree:
    """Builds what has changed, and installs it below the folder."""
    if shutil.which("pkg-config", path=PATH) is None:
        pytest.skip("pkg-config is not installed")
    objects = build(name, "mobilebert_rt", "mobilebert_rt_static", "mbrt_tool")
    # Moved after the installation: no file may hold the name of its folder.
    run("cmake", "--install", objects / "csrc", "--prefix", folder / "first")
    shutil.move(folder / "first", folder / "moved")
    return Tree(TARGETS[name], folder / "moved")
