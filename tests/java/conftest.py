"""The Java package and its test programs, built once, and the JVM to run them."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from scripts.arm import jre
from scripts.common import UnavailableError, missing_tool
from tests.capi.trees import BUILD, REPOSITORY, Tree, install, run

SECONDS = 900  # limit of one program, far more than any takes


@dataclass(frozen=True)
class Java:
    """A JVM, and the class path of package, model and test programs."""

    jars: tuple[Path, ...]
    programs: Path
    command: tuple[str, ...] = ("java",)

    def run(
        self, program: str, *arguments: str | Path, options: tuple[str, ...] = (), folder: Path = REPOSITORY
    ) -> str:
        """Standard output of a test program that must succeed, without a message of the JVM about its native code."""
        path = ":".join(map(str, (self.programs, *self.jars)))
        command = [*self.command, *options, "-cp", path, program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=folder)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        assert "WARNING" not in done.stdout + done.stderr, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The installed C library: the Java package knows nothing else of the engine."""
    return install("host", tmp_path_factory.mktemp("java") / "tree")


@pytest.fixture(scope="session")
def package(tree: Tree) -> Iterator[Path]:
    """The folder of the jars. Other processes wait while it is used."""
    message = missing_tool("javac", "jar", "java", "cmake")
    if message:
        pytest.skip(message)
    folder = BUILD / "java"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(REPOSITORY / "scripts/java.sh", tree.prefix, folder)
        yield folder


@pytest.fixture(scope="session")
def java(package: Path) -> Java:
    jars = tuple(sorted(package.glob("*.jar")))
    programs = package / "tests"
    sources = sorted((REPOSITORY / "tests/java").glob("*.java"))
    path = ":".join(map(str, jars))
    run("javac", "--release", "17", "-Xlint:all", "-Werror", "-cp", path, "-d", programs, *sources)
    return Java(jars, programs)


@pytest.fixture(scope="session")
def emulated(java: Java, tmp_path_factory: pytest.TempPathFactory) -> Java:
    """The same jars on an emulated 64-bit ARM JVM, with a native library for it."""
    try:
        command = jre.command(jre.ensure())
    except UnavailableError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("aarch64")
    tree = install("aarch64", folder / "tree")
    build = tree.build_with_cmake(REPOSITORY / "bindings/java", folder / "native", "mobilebert_rt::static")
    library = f"-Dmobilebert_rt.library={build / 'libmobilebert_rt_jni.so'}"
    return replace(java, command=(*command, library))
