"""Two builds in different folders give the same bytes. `make dist-check` builds every package twice; here are the fast
parts."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from scripts.common import REPOSITORY, ScriptError
from scripts.packages import machines, release

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

PROJECT = """cmake_minimum_required(VERSION 3.22)
project(tiny CXX)
add_library(tiny SHARED tiny.cc)
install(TARGETS tiny)
"""
SOURCE = 'extern "C" const char* where() { return __FILE__; }\n'


def build_tiny(folder: Path, *, guarded: bool) -> bytes:
    """A library that has the name of its source in it, compiled in the folder."""
    source, objects = folder / "source", folder / "objects"
    source.mkdir(parents=True)
    (source / "CMakeLists.txt").write_text(PROJECT)
    (source / "tiny.cc").write_text(SOURCE)
    env = machines.environment(source, objects) if guarded else dict(os.environ)
    for command in (("cmake", "-S", source, "-B", objects), ("cmake", "--build", objects)):
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return (objects / "libtiny.so").read_bytes()


@pytest.mark.skipif(shutil.which("g++") is None or shutil.which("cmake") is None, reason="needs g++ and cmake")
def test_compiled_files_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "a folder of a longer name")
    first, second = (build_tiny(folder, guarded=True) for folder in folders)
    assert first == second
    assert str(tmp_path).encode() not in first
    assert str(tmp_path).encode() in build_tiny(tmp_path / "unguarded", guarded=False)


def make_tree(folder: Path, when: int) -> Path:
    """A tree of every kind of entry, made in an order and at a time of its own."""
    folder.mkdir()
    (folder / "lib").mkdir()
    names = ["lib/b.so.1", "a.txt", "lib/c.txt"]
    for name in names if when % 2 else reversed(names):
        (folder / name).write_text(name)
        os.utime(folder / name, (when, when))
    (folder / "lib/b.so").symlink_to("b.so.1")
    (folder / "lib/b.so.1").chmod(0o755 if when % 2 else 0o700)
    return folder


def test_archive_depends_on_its_contents_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    archives = []
    for when in (1_000_000_001, 1_000_000_002):
        archive = tmp_path / str(when) / "thing-1.0.tar.gz"
        archive.parent.mkdir()
        release.write_archive(make_tree(tmp_path / f"tree{when}", when), archive)
        archives.append(archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with tarfile.open(archives[0]) as tar:
        entries = {entry.name: entry for entry in tar}
    assert {"thing-1.0/a.txt", "thing-1.0/lib/c.txt", "thing-1.0/lib/b.so.1"} <= entries.keys()
    assert entries["thing-1.0/lib/b.so"].linkname == "b.so.1"
    assert entries["thing-1.0/lib/b.so.1"].mode == 0o755
    assert {entry.mtime for entry in entries.values()} == {1700000000}
    assert {(entry.uid, entry.uname) for entry in entries.values()} == {(0, "root")}


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="packages are made from the last commit")
def test_sdist_is_reproducible_and_holds_every_source(tmp_path: Path) -> None:
    pytest.importorskip("scikit_build_core")
    digests = [release.build_all(["sdist"], tmp_path / name, tmp_path / name / "dist") for name in ("a", "another")]
    assert len(digests[0]) == 1
    assert release.differing(*digests) == []
    with tarfile.open(tmp_path / "a/dist" / next(iter(digests[0]))) as tar:
        inside = {name.partition("/")[2] for name in tar.getnames()}
    sources = ("CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml", "csrc", "cmake", "mobilebert_rt")
    command = ("git", "ls-tree", "-r", "--name-only", "HEAD", *sources)
    committed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert len(committed.split()) > 100
    assert set(committed.split()) <= inside


def test_different_and_missing_files_are_named() -> None:
    assert release.differing({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "9"}) == ["b", "c"]


def test_file_with_the_build_folder_in_it_is_rejected(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    tree = tmp_path / "tree"
    tree.mkdir()
    command = ("g++", "-shared", "-fPIC", "-o", tree / "a.so", "-x", "c++", "-")
    subprocess.run(command, input=SOURCE, text=True, check=True)
    release.check_tree(tree, machines.MACHINES["x86_64"], [tmp_path])
    (tree / "a.pc").write_text(f"prefix={tmp_path}/usr\n")
    with pytest.raises(ScriptError, match=r"a\.pc: holds the name of the build folder"):
        release.check_tree(tree, machines.MACHINES["x86_64"], [tmp_path])
