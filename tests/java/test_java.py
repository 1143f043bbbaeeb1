"""The Java package on the JVM: the same bits as the Python package, exceptions for misuse, memory, threads."""

from __future__ import annotations

import base64
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.emulation import EMULATED

if EMULATED:
    pytest.skip("[emulated] the JVM runs on the host", allow_module_level=True)

import mobilebert_rt as mbrt
from js.test import expected as python
from scripts.common import missing_tool
from tests.capi.trees import run
from tests.docs.pages import ROOT, Block, blocks
from tests.java.conftest import Java
from tests.small_models.files import MODELS, PRECISIONS, write_model

CHECK_JNI = ("-Xcheck:jni",)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in MODELS:
        for precision in PRECISIONS:
            write_model(folder, name, precision)
    return folder


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    lists = {"texts": python.TEXTS, "labels": python.LABELS, "question": [python.QUESTION], "fills": python.FILLS}
    for name, texts in lists.items():
        lines = [base64.b64encode(text.encode()).decode() for text in texts]
        (folder / name).write_text("".join(line + "\n" for line in lines))
    return folder


def bits(value: Any) -> Any:
    """The value with the bits of a float32 in the place of each float."""
    if isinstance(value, float):
        return f"{np.float32(value).view(np.uint32):08x}"
    if isinstance(value, dict):
        return {name: bits(one) for name, one in value.items()}
    return [bits(one) for one in value] if isinstance(value, list) else value


@pytest.fixture(params=["host", "aarch64"])
def jvm(request: pytest.FixtureRequest) -> Java:
    found: Java = request.getfixturevalue("java" if request.param == "host" else "emulated")
    return found


@pytest.mark.parametrize("precision", PRECISIONS)
def test_results_have_the_same_bits_as_the_python_package(
    jvm: Java, models: Path, inputs: Path, precision: str
) -> None:
    found = json.loads(jvm.run("Results", models, inputs, precision, options=CHECK_JNI))
    expected = python.tasks(models, precision)
    expected.pop("scores")  # of pairs in the order of the caller: Java has rank() alone
    assert bits(found["results"]) == bits(expected)
    assert bits(found["default"]) == bits(mbrt.TextEmbedder()(python.TEXTS).tolist())
    assert found["encodings"] == python.encodings(write_model(models, "embed", precision))


def test_the_library_and_a_model_say_what_they_are(java: Java, models: Path, inputs: Path) -> None:
    found = json.loads(java.run("Results", models, inputs, "int8"))
    model = mbrt.TextEmbedder().model
    assert found["version"] == mbrt.__version__
    assert found["isas"] == mbrt.available_isas()
    assert found["isa"] == model.isa
    assert found["threads"] == model.num_threads
    info = dict(re.findall(r"(\w+)=(\w+)", found["info"]))
    assert info["precision"] == "INT8"
    assert info["head"] == "NONE"
    assert info["embeddingSize"] == "384"
    assert info["vocabularySize"] == str(model.config.vocab_size)
    assert info["layers"] == str(model.config.num_layers)
    assert info["fileBytes"] == str(mbrt.default_model_path().stat().st_size)


def test_misuse_is_a_java_exception(jvm: Java, models: Path) -> None:
    assert re.fullmatch(r"\d\d+ checks, 0 failed\n", jvm.run("Misuse", models, options=CHECK_JNI))


def test_malformed_files_have_the_errors_of_the_python_package(java: Java, tmp_path: Path) -> None:
    expected = {
        name: error | {"name": error["name"].replace("Error", "Exception")}
        for name, error in python.hostile(tmp_path).items()
    }
    found = json.loads(java.run("Hostile", tmp_path))
    assert {name: error for name, error in found.items() if error != "opened"} == expected


def test_many_calls_need_no_more_memory(java: Java, models: Path) -> None:
    heap = ("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC")
    output = java.run("ManyCalls", write_model(models, "embed", "int8"), options=heap)
    assert output.endswith(" checks, 0 failed\n")


def test_threads_share_a_model_that_is_closed_during_use(jvm: Java, models: Path) -> None:
    assert jvm.run("Threads", write_model(models, "embed", "int8")) == "43 checks, 0 failed\n"


def test_the_native_library_needs_no_library_but_those_of_the_system(package: Path) -> None:
    [library] = (package / "classes").glob("io/github/mobilebert_rt/native/*/libmobilebert_rt_jni.so")
    symbols = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
    assert sorted(symbols) == ["JNI_OnLoad", "JNI_OnUnload"]
    dynamic = run("readelf", "-dW", library)
    needed = set(re.findall(r"Shared library: \[([\w+-]+)\.so", dynamic))
    assert needed <= {"libm", "libc", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert "NODELETE" in dynamic


def test_no_native_source_uses_more_than_the_c_api() -> None:
    folder = ROOT / "bindings/java/src/main/cpp"
    included = {
        name for path in folder.iterdir() for name in re.findall(r'^#include "(.*)"', path.read_text(), re.MULTILINE)
    }
    assert included == {"convert.h", "mobilebert_rt.h"}


def test_the_native_library_is_built_with_the_sources_of_this_tree_too(tmp_path: Path) -> None:
    """As an Android app does: nothing but the library and what it needs."""
    if message := missing_tool("javac", "cmake", "ninja"):
        pytest.skip(message)
    run("cmake", "-G", "Ninja", "-S", ROOT / "bindings/java", "-B", tmp_path)
    steps = run("ninja", "-C", tmp_path, "-n")
    assert "libmobilebert_rt.a" in steps
    assert "libmobilebert_rt_jni.so" in steps
    assert "libmobilebert_rt.so" not in steps
    assert "mbrt_tool" not in steps


BLOCKS = [block for block in blocks(ROOT / "docs/mobile.md") if block.language == "java"]
PLACEHOLDERS = {
    "minilm": "embed",
    "mnli": "zero-shot",
    "sst2": "classify",
    "ner": "tag",
    "squad": "answer",
    "mobilebert": "fill",
    "cross-encoder": "rank",
}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_code_blocks_of_the_documentation_run(java: Java, models: Path, tmp_path: Path, block: Block) -> None:
    for name, model in PLACEHOLDERS.items():
        shutil.copyfile(write_model(models, model, "int8"), tmp_path / f"{name}.safetensors")
    imports, body = re.fullmatch(r"((?:import [^\n]*\n)+)(.*)", block.text, re.DOTALL).groups()  # type: ignore[union-attr]
    program = "class Block {\n  public static void main(String[] arguments) throws Exception {\n%s  }\n}\n"
    (tmp_path / "Block.java").write_text(imports + program % body)
    path = ":".join(map(str, java.jars))
    run("javac", "-Xlint:all,-path", "-Werror", "-cp", path, "-d", tmp_path, tmp_path / "Block.java")
    printed = replace(java, programs=tmp_path).run("Block", folder=tmp_path).splitlines()
    for expected in re.findall(r"println\(.*\); // (.*)", body):
        assert expected in printed
