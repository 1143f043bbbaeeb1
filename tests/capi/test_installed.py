"""The installed C library: found by CMake and by pkg-config, for this machine and for 64-bit ARM.

The oracle is the Python package, which shares the engine but nothing of the C library: the same bits.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.capi.trees import PATH, REPOSITORY, Tree, install, run
from tests.emulation import EMULATED
from tests.small_models.files import MODELS, write_model

if EMULATED:
    pytest.skip("[emulated] the C library is built and emulated by the host", allow_module_level=True)

import mobilebert_rt as mbrt

EXAMPLES = REPOSITORY / "examples/native"
HEADER = REPOSITORY / "csrc/include/mobilebert_rt.h"
TEXTS = ["The cat was in Paris.", "", "Who wrote the notes? Ada Lovelace!", "zebra \u00e9\u4e2d cats"]
# Bytes of the shared library: engine, kernels of every instruction set, tokenizer, tasks. It was 700,000 before
# sentence-transformers' modules, prompts and truncated dimensions (20 KB), the tokenizers' settings and added tokens
# (16 KB), zero-shot classification and reranking (9 KB, and as tasks of the C API 16 KB) came into the library.
MAX_SIZE = 775_000
CASES = [(name, precision) for name in MODELS if name not in ("deep", "sentence") for precision in ("fp32", "int8")]


@pytest.fixture(scope="module", params=["host", "aarch64"])
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return install(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def examples(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by find_package, with the shared library."""
    build = tmp_path_factory.mktemp("examples")
    return tree.build_with_cmake(EXAMPLES, build, "mobilebert_rt::mobilebert_rt")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def functions() -> set[str]:
    declared = set(re.findall(r"^MBRT_API [\w ]+\*? ?(mbrt_\w+)\(", HEADER.read_text("utf-8"), re.MULTILINE))
    assert len(declared) > 30
    return declared


def floats(words: list[str]) -> Any:
    return np.array([float(word) for word in words], dtype=np.float32)


def assert_same_bits(found: Any, expected: Any) -> None:
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


def sequences() -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Ids, types and masks of dump.c."""
    ids = [(3 * i * i + i + 5) % 37 for i in range(17)]
    types = [int(i >= 8) for i in range(17)]
    mask = [int(i != 4) for i in range(17)]
    return [ids[:9], ids], [[0] * 9, types], [[1] * 9, mask]


def outputs_of(path: Path) -> Iterator[Any]:
    """The outputs of the sequences of dump.c from the Python package."""
    model = mbrt.Model.from_pretrained(path, num_threads=1)
    ids, types, masks = sequences()
    whole = np.zeros((2, 17), dtype=np.int64), np.zeros((2, 17), dtype=np.int64), np.zeros((2, 17), dtype=np.int64)
    for row, values in enumerate(zip(ids, types, masks, strict=True)):
        for array, value in zip(whole, values, strict=True):
            array[row, : len(value)] = value
    if model.config.type_vocab_size < 2:
        whole[1][:] = 0
    # A mask with a hole cannot mark padding, so the sequences run one at a time.
    for row, length in enumerate(map(len, ids)):
        part = [array[row : row + 1, :length] for array in whole]
        yield model(part[0], attention_mask=part[2], token_type_ids=part[1], output_hidden_states=True)


def dump_of(path: Path) -> Any:
    outputs = list(outputs_of(path))
    parts: list[Any] = [out.last_hidden_state[0] for out in outputs]
    parts += [layer[0] for out in outputs for layer in out.hidden_states]
    parts += [out.pooler_output[0] for out in outputs if out.pooler_output is not None]
    for out in outputs:
        if out.logits is not None:
            parts.append(out.logits[0])
        if out.start_logits is not None:
            parts.append(np.stack([out.start_logits[0], out.end_logits[0]], axis=1))
    parts += [out.seq_relationship_logits[0] for out in outputs if out.seq_relationship_logits is not None]
    pooling = json.loads(mbrt.Model.from_pretrained(path).metadata.get("pooling", '{"normalize": false}'))
    for out in outputs:
        mean = out.last_hidden_state[0].astype(np.float64).mean(axis=0)
        parts.append((mean / np.linalg.norm(mean) if pooling["normalize"] else mean).astype(np.float32))
    return np.concatenate([np.ascontiguousarray(part).ravel() for part in parts])


@pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
def test_outputs_have_the_same_bits_as_the_python_package(
    tree: Tree, models: Path, tmp_path: Path, static: bool
) -> None:
    program = tree.build_with_pkg_config(REPOSITORY / "tests/capi/dump.c", tmp_path / "dump", static)
    for name, precision in CASES:
        path = write_model(models, name, precision)
        tree.execute(program, path, tmp_path / "out")
        found, expected = np.fromfile(tmp_path / "out", dtype=np.float32), dump_of(path)
        # numpy adds the mean of the embedding in another order: it is compared approximately here, and bit for bit
        # with TextEmbedder below.
        tail = 2 * MODELS[name][0]["hidden_size"]
        assert_same_bits(found[:-tail], expected[:-tail])
        np.testing.assert_allclose(found[-tail:], expected[-tail:], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("name", ["embed", "sentence"])
def test_embed_server_has_the_same_bits_as_the_python_package(
    tree: Tree, examples: Path, models: Path, name: str, precision: str
) -> None:
    path = write_model(models, name, precision)
    long = "cat " * 50
    lines = tree.execute(examples / "embed_server", path, text="\n".join([*TEXTS, long]) + "\n").splitlines()
    answers = [json.loads(line) for line in lines]
    assert len(answers) == len(TEXTS) + 1
    expected = mbrt.TextEmbedder.from_pretrained(path)([*TEXTS, long])  # which is cut
    assert_same_bits(np.array([answer["embedding"] for answer in answers], dtype=np.float32), expected)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_classifier_has_the_same_results_as_the_python_package(
    tree: Tree, examples: Path, models: Path, precision: str
) -> None:
    path = write_model(models, "classify", precision)
    expected = mbrt.TextClassifier.from_pretrained(path)(TEXTS)
    for text, labels in zip(TEXTS, expected, strict=True):
        rows = [line.split("\t") for line in tree.execute(examples / "classify", path, text).splitlines()]
        assert [label for label, _ in rows] == [found.label for found in labels]
        scores = np.array([found.score for found in labels], dtype=np.float32)
        assert_same_bits(floats([score for _, score in rows]), scores)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_tasks_with_choices_have_the_same_results_as_the_python_package(
    tree: Tree, models: Path, tmp_path: Path, precision: str
) -> None:
    program = tree.build_with_pkg_config(REPOSITORY / "tests/capi/choose.c", tmp_path / "choose", static=False)

    def rows(task: str, model: str, *arguments: str) -> list[list[str]]:
        output = tree.execute(program, task, write_model(models, model, precision), *arguments)
        return [line.split("\t") for line in output.splitlines()]

    labels = ["cats", "Ada Lovelace", "notes"]
    classify = mbrt.ZeroShotClassifier.from_pretrained(write_model(models, "zero-shot", precision))
    for mode in ("single", "multi"):
        expected = classify(TEXTS[2], labels, multi_label=mode == "multi")
        found = rows("zero-shot-" + mode, "zero-shot", TEXTS[2], *labels)
        assert [(label, labels[int(index)]) for label, index, _ in found] == [(x, x) for x in expected.labels]
        assert_same_bits(floats([score for *_, score in found]), np.array(expected.scores, dtype=np.float32))

    best = mbrt.Reranker.from_pretrained(write_model(models, "rank", precision)).rank(TEXTS[0], TEXTS, top_k=3)
    found = rows("rank", "rank", TEXTS[0], *TEXTS)  # item, place, score
    assert sorted((int(place), int(item)) for item, place, _ in found) == [(i, r.corpus_id) for i, r in enumerate(best)]
    scores = {int(item): score for item, _, score in found}
    assert_same_bits(floats([scores[r.corpus_id] for r in best]), np.array([r.score for r in best], dtype=np.float32))

    fill = mbrt.FillMask.from_pretrained(write_model(models, "fill", precision))
    [filled] = fill("the [MASK] was in paris", targets=["notes", "cat"])
    found = rows("fill", "fill", "the [MASK] was in paris", "notes", "cat")
    assert [(token, int(id_)) for token, id_, _ in found] == [(f.token, f.token_id) for f in filled]
    assert_same_bits(floats([score for *_, score in found]), np.array([f.score for f in filled], np.float32))


def test_c_example_embeds_with_a_model_without_labels(tree: Tree, models: Path, tmp_path: Path) -> None:
    program = tree.build_with_pkg_config(EXAMPLES / "classify.c", tmp_path / "classify", static=False)
    path = write_model(models, "embed", "int8")
    found = floats(tree.execute(program, path, TEXTS[0]).split())
    assert_same_bits(found, mbrt.TextEmbedder.from_pretrained(path)(TEXTS[0]))


def test_static_library_needs_no_shared_library(tree: Tree, models: Path, tmp_path: Path) -> None:
    build = tree.build_with_cmake(EXAMPLES, tmp_path / "build", "mobilebert_rt::static")
    assert "mobilebert_rt" not in run(tree.tool("readelf"), "-d", build / "embed_server")
    path = write_model(models, "embed", "fp32")
    answer = json.loads(tree.execute(build / "embed_server", path, text=TEXTS[0] + "\n"))
    assert_same_bits(np.array(answer["embedding"], dtype=np.float32), mbrt.TextEmbedder.from_pretrained(path)(TEXTS[0]))


def test_only_functions_of_the_header_are_exported(tree: Tree) -> None:
    library = tree.libraries / "libmobilebert_rt.so"
    symbols = [line.split() for line in run(tree.tool("nm"), "-D", "--defined-only", library).splitlines()]
    exported = {name.split("@")[0] for *_, kind, name in symbols if kind != "A"}  # A: the version itself
    assert exported == functions()
    archive = run(tree.tool("nm"), "--defined-only", tree.libraries / "libmobilebert_rt.a")
    assert functions() <= {line.split()[2] for line in archive.splitlines() if len(line.split()) == 3}


def test_shared_library_has_its_soname_and_needs_only_system_libraries(tree: Tree) -> None:
    dynamic = run(tree.tool("readelf"), "-dW", tree.libraries / "libmobilebert_rt.so")
    assert "Library soname: [libmobilebert_rt.so.1]" in dynamic
    needed = set(re.findall(r"Shared library: \[([\w+-]+)\.so", dynamic))
    assert needed <= {"libstdc++", "libm", "libgcc_s", "libc", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert "NODELETE" in dynamic
    assert "TEXTREL" not in dynamic
    assert "RPATH" not in dynamic
    assert "RUNPATH" not in dynamic


def test_stripped_shared_library_is_small(tree: Tree, tmp_path: Path) -> None:
    stripped = tmp_path / "library"
    run(tree.tool("strip"), "-o", stripped, tree.libraries / "libmobilebert_rt.so")
    size = stripped.stat().st_size
    assert size <= MAX_SIZE, f"{size} bytes; see `nm --size-sort -S -C` of the unstripped library"


def test_installed_tree_is_complete(tree: Tree) -> None:
    names = {path.name for path in tree.prefix.rglob("*") if not path.is_dir()}
    assert {"mobilebert_rt.h", "mobilebert_rt.hpp", "mobilebert_rt.pc", "libmobilebert_rt.so.1"} <= names
    assert {"mobilebert_rt-config.cmake", "mobilebert_rt-config-version.cmake"} <= names
    version = re.search(r"project\(mobilebert_rt VERSION ([0-9.]+)", (REPOSITORY / "CMakeLists.txt").read_text("utf-8"))
    assert version is not None
    assert tree.pkg_config("--modversion") == [version[1]]


def configure(project: Path, build: Path, *options: str) -> None:
    if any(shutil.which(tool, path=PATH) is None for tool in ("cmake", "ninja")):
        pytest.skip("cmake or ninja is not installed")
    run("cmake", "-G", "Ninja", "-S", project, "-B", build, *options)


def test_add_subdirectory_has_the_same_targets_and_builds_only_used_ones(tmp_path: Path) -> None:
    project = tmp_path / "outer"
    project.mkdir()
    (project / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\n"
        "project(outer LANGUAGES C CXX)\n"
        f"add_subdirectory({REPOSITORY} mobilebert_rt)\n"
        f"add_executable(classify {EXAMPLES / 'classify.c'})\n"
        "target_link_libraries(classify PRIVATE mobilebert_rt::static)\n",
        encoding="utf-8",
    )
    configure(project, tmp_path / "build")
    steps = run("ninja", "-C", tmp_path / "build", "-n")
    assert "libmobilebert_rt.a" in steps
    assert "classify" in steps
    assert "libmobilebert_rt.so" not in steps
    run("cmake", "--install", tmp_path / "build", "--prefix", tmp_path / "prefix")
    assert not (tmp_path / "prefix").exists()


def test_wheel_has_only_the_extension_module(tmp_path: Path) -> None:
    """scikit-build-core sets SKBUILD."""
    python = [f"-DPython_EXECUTABLE={shutil.which('python3')}"] if shutil.which("python3") else []
    configure(REPOSITORY, tmp_path / "build", "-DSKBUILD=2", f"-Dpybind11_DIR={pybind11_dir()}", *python)
    steps = run("ninja", "-C", tmp_path / "build", "-n")
    assert "_core" in steps
    assert "capi" not in steps
    assert "mbrt_tool" not in steps  # the native program; its commands are part of the module
    assert "csrc" not in (tmp_path / "build/cmake_install.cmake").read_text().replace("csrc/bindings", "")


def pybind11_dir() -> str:
    pybind11 = pytest.importorskip("pybind11")
    return str(pybind11.get_cmake_dir())
