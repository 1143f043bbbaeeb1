"""The WebAssembly modules in Node: the same bits as the native library, the same errors, and their sizes."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.emulation import EMULATED

if EMULATED:
    pytest.skip("[emulated] Node runs on the host", allow_module_level=True)

from mobilebert_rt._core import Model
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError
from tests.capi.test_installed import CASES, dump_of
from tests.model import make_model_file
from tests.model.malformed import CASES as MALFORMED
from tests.model.malformed import UNSUPPORTED
from tests.model.malformed_sentence import SENTENCE
from tests.small_models.files import MODELS, write_model
from tests.wasm.conftest import NO_FMA, RELAXED
from tests.wasm.record import write_records

PLAIN = "wasm_simd128"
# The shapes of real models, with few words.
LARGE = {
    "MobileBERT": make_model_file.MOBILEBERT | {"vocab_size": 37},
    "MiniLM": make_model_file.PLAIN
    | {
        **dict.fromkeys(("hidden_size", "body_size", "embedding_size"), 384),
        "num_layers": 6,
        "num_heads": 12,
        "intermediate_size": 1536,
    },
}
# How the relaxed dot product reads its second operand is found out when the module is loaded: x86 with AVX-VNNI has
# unsigned bytes, ARM signed ones, other x86 neither, nor has V8 of Node 20, whose compilers disagree.
ALL = "wasm_simd128 wasm_relaxed( wasm_relaxed_[su]dot)?"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "records"
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert write_records(path, monkeypatch) > 4000
    return path


@pytest.mark.parametrize(
    ("flags", "sets"), [((RELAXED,), ALL), ((RELAXED, NO_FMA), PLAIN)], ids=["one rounding", "two roundings"]
)
def test_every_kernel_has_the_bits_of_the_native_scalar_kernel(
    node: Callable[..., str], records: Path, flags: tuple[str, ...], sets: str
) -> None:
    """And reads nothing after its arguments, and writes only its results."""
    assert "calls:" in node("replay.mjs", "tests/wasm/replay.wasm", records, sets, flags=flags)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="V8 says it for x86 only")
def test_relaxed_dot_product_is_the_default_where_it_is_one_instruction(
    node: Callable[..., str], tmp_path: Path
) -> None:
    """V8 says whether it uses AVX-VNNI, and can be told not to; that of Node 20 does not know it."""
    options = subprocess.run(["node", "--v8-options"], capture_output=True, text=True, check=True).stdout
    (tmp_path / "jobs").write_text("[]")

    def default(*flags: str) -> str:
        return node("dump.mjs", "mobilebert_rt_relaxed.wasm", tmp_path / "jobs", flags=(RELAXED, *flags)).split()[-1]

    assert default() == ("wasm_relaxed_udot" if "AVX_VNNI=1" in options else "wasm_relaxed")
    if "--enable-avx-vnni " in options:
        assert default("--no-enable-avx-vnni") == "wasm_relaxed"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """Files of LARGE in both precisions, and the native outputs."""
    folder = tmp_path_factory.mktemp("large")
    found = {}
    for name, config in LARGE.items():
        for precision in ("fp32", "int8"):
            path = folder / f"{name}-{precision}.safetensors"
            path.write_bytes(make_model_file.make_file(config | {"precision": precision}, 5))
            expected = dump_of(path)
            assert np.isfinite(expected).all(), path
            found[path] = expected[: -2 * config["hidden_size"]].tobytes()
    return found


every_way = pytest.mark.parametrize(
    ("module", "flags", "sets"),
    [
        ("mobilebert_rt.wasm", (), PLAIN),
        ("mobilebert_rt_relaxed.wasm", (RELAXED,), ALL),
        ("mobilebert_rt_relaxed.wasm", (RELAXED, NO_FMA), PLAIN),
    ],
    ids=["plain", "relaxed", "relaxed, two roundings"],
)


@every_way
def test_outputs_have_the_same_bits_as_the_python_package(
    node: Callable[..., str], tmp_path: Path, module: str, flags: tuple[str, ...], sets: str
) -> None:
    jobs = [(str(write_model(tmp_path, *case)), str(tmp_path / f"out{i}")) for i, case in enumerate(CASES)]
    (tmp_path / "jobs").write_text(json.dumps(jobs))
    found_sets = node("dump.mjs", module, tmp_path / "jobs", flags=flags)
    assert re.fullmatch(sets, found_sets)
    for (name, _), (model, out) in zip(CASES, jobs, strict=True):
        found, expected = np.fromfile(out, np.int32), dump_of(Path(model))
        tail = 2 * MODELS[name][0]["hidden_size"]  # the embedding, which numpy adds in another order
        assert (found[:-tail] == expected[:-tail].view(np.int32)).all(), (name, module)
        np.testing.assert_allclose(found[-tail:].view(np.float32), expected[-tail:], rtol=1e-6, atol=1e-7)


@every_way
def test_models_of_real_shapes_have_the_same_bits_as_the_python_package(
    node: Callable[..., str], large: dict[Path, bytes], module: str, flags: tuple[str, ...], sets: str
) -> None:
    """On one thread and on two."""
    jobs = next(iter(large)).with_name("jobs")
    jobs.write_text(json.dumps([(str(path), str(path.with_suffix(".out"))) for path in large]))
    for threads in (1, 2):
        assert re.fullmatch(sets, node("dump.mjs", module, jobs, threads, flags=flags))
        for path, expected in large.items():
            assert path.with_suffix(".out").read_bytes().startswith(expected), (path, module, threads)


def test_malformed_files_have_the_same_errors(node: Callable[..., str], tmp_path: Path) -> None:
    cases = MALFORMED | SENTENCE | UNSUPPORTED
    images = [build() for build, _ in cases.values()]
    paths = []
    for i, image in enumerate(images):
        paths.append(str(tmp_path / f"{i}.safetensors"))
        Path(paths[-1]).write_bytes(image)
    (tmp_path / "files").write_text(json.dumps(paths))
    valid = write_model(tmp_path, *CASES[0])
    found = json.loads(node("malformed.mjs", "mobilebert_rt.wasm", tmp_path / "files", valid, flags=()))
    for case, image, (status, message) in zip(cases, images, found, strict=True):
        with pytest.raises((ModelFormatError, UnsupportedModelError)) as raised:
            Model(memoryview(image))
        assert status == (3 if isinstance(raised.value, UnsupportedModelError) else 2), case
        expected = str(raised.value).partition(": ")[2]
        largest = f"{2**64 - 1:,}", f"{2**32 - 1:,}"  # a size has 32 bits
        assert message.partition(": ")[2].replace(*reversed(largest)) == expected.replace(*reversed(largest)), case


@pytest.mark.parametrize(
    ("module", "max_kib", "max_compressed_kib"),
    [("mobilebert_rt.wasm", 550, 145), ("mobilebert_rt_relaxed.wasm", 600, 150)],
)
def test_module_is_small(node: Callable[..., str], module: str, max_kib: int, max_compressed_kib: int) -> None:
    size, compressed = map(int, node("size.mjs", module, flags=()).split())
    assert size <= 1024 * max_kib, f"{size} bytes"
    assert compressed <= 1024 * max_compressed_kib, f"{compressed} bytes, compressed with brotli"
