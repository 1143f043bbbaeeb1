"""Reading of checkpoints: old and new names, tied tensors, shards, dtypes; malformed files are named errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from mobilebert_rt.conversion.checkpoint import read_safetensors
from mobilebert_rt.errors import MobileBertError, ModelFormatError, UnsupportedModelError
from tests.conversion.reader import File
from tests.small_models.folders import Array, odd, random_tensors, safetensors_bytes, write_folder

CONFIG = odd()
QUERY = "encoder.layer.0.attention.self.query.weight"


def tensors_of(folder: Path) -> dict[str, Array]:
    return File(bytes(build(folder, "fp32"))).tensors


def same(a: dict[str, Array], b: dict[str, Array]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def renamed(change: Callable[[str], str]) -> dict[str, Array]:
    return {change(name): array for name, array in random_tensors(CONFIG).items()}


def test_prefix_and_old_norm_names_make_no_difference(tmp_path: Path) -> None:
    plain = tensors_of(write_folder(tmp_path / "plain", CONFIG))
    prefixed = renamed(lambda name: "mobilebert." + name)
    assert same(plain, tensors_of(write_folder(tmp_path / "prefixed", CONFIG, prefixed)))
    old = renamed(lambda n: n.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"))
    assert same(plain, tensors_of(write_folder(tmp_path / "old", CONFIG, old)))


@pytest.mark.parametrize(
    "change",
    [
        "module.{}",
        "_orig_mod.{}",
        "model.{}",
        "module._orig_mod.mobilebert.{}",
        "model.mobilebert._orig_mod.{}",
        "0.auto_model.{}",
    ],
)
def test_names_of_wrappers_make_no_difference(tmp_path: Path, change: str) -> None:
    plain = tensors_of(write_folder(tmp_path / "plain", CONFIG))
    wrapped = renamed(lambda name: change.format(name.replace("encoder.layer.1.", "encoder.layer.1._orig_mod.")))
    assert same(plain, tensors_of(write_folder(tmp_path / "wrapped", CONFIG, wrapped)))


def test_buffers_and_unused_heads_are_ignored(tmp_path: Path) -> None:
    plain = tensors_of(write_folder(tmp_path / "plain", CONFIG))
    tensors = random_tensors(CONFIG)
    tensors["embeddings.position_ids"] = np.arange(13)[None]
    tensors["cls.predictions.bias"] = np.zeros(37, np.float32)
    tensors["pooler.dense.weight"] = np.zeros((22, 22), np.float32)
    assert same(plain, tensors_of(write_folder(tmp_path / "more", CONFIG, tensors)))


def test_two_names_for_one_tensor_are_refused(tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG)
    tensors["mobilebert." + QUERY] = tensors[QUERY]
    with pytest.raises(ModelFormatError, match="are two names of the tensor"):
        build(write_folder(tmp_path, CONFIG, tensors))


@pytest.mark.parametrize(
    "name", ["encoder.layer.2.output.dense.weight", "encoder.layer.0.attention.self.query.lora_A.weight"]
)
def test_tensors_that_would_change_the_result_are_refused(tmp_path: Path, name: str) -> None:
    tensors = random_tensors(CONFIG) | {name: np.zeros((2, 2), np.float32)}
    with pytest.raises(UnsupportedModelError, match=f'"{name}" is not part of the model'):
        build(write_folder(tmp_path, CONFIG, tensors))


def test_missing_tensor_is_named(tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG)
    del tensors[QUERY]
    with pytest.raises(ModelFormatError, match=f'tensor "{QUERY}" is missing'):
        build(write_folder(tmp_path, CONFIG, tensors))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    tensors = random_tensors(CONFIG)
    tensors[QUERY][1, 1] = value
    with pytest.raises(ModelFormatError, match=f'"{QUERY}" has NaN or infinity'):
        build(write_folder(tmp_path, CONFIG, tensors))


def masked_lm_tensors() -> dict[str, Array]:
    tensors = random_tensors(CONFIG)
    random = np.random.default_rng(8)
    shapes = {
        "transform.dense.weight": (22, 22),
        "transform.dense.bias": (22,),
        "transform.LayerNorm.weight": (22,),
        "transform.LayerNorm.bias": (22,),
        "dense.weight": (15, 37),
        "bias": (37,),
    }
    for name, shape in shapes.items():
        tensors["cls.predictions." + name] = random.normal(0, 1, shape).astype(np.float32)
    return tensors


def test_tied_decoder_may_be_stored_once_or_twice(tmp_path: Path) -> None:
    config = odd(architectures=["MobileBertForMaskedLM"])
    once = masked_lm_tensors()
    twice = once | {
        "cls.predictions.decoder.weight": once["embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": once["cls.predictions.bias"],
    }
    own_bias = {k: v for k, v in twice.items() if k != "cls.predictions.bias"}
    wanted = tensors_of(write_folder(tmp_path / "once", config, once))
    assert same(wanted, tensors_of(write_folder(tmp_path / "twice", config, twice)))
    assert same(wanted, tensors_of(write_folder(tmp_path / "own", config, own_bias)))


def test_decoder_other_than_the_word_table_must_be_declared_untied(tmp_path: Path) -> None:
    config = odd(architectures=["MobileBertForMaskedLM"])
    tensors = masked_lm_tensors()
    tensors["cls.predictions.decoder.weight"] = tensors["embeddings.word_embeddings.weight"] + 1
    with pytest.raises(ModelFormatError, match='"tie_word_embeddings": false'):
        build(write_folder(tmp_path / "tied", config, tensors))
    untied = tensors_of(write_folder(tmp_path / "untied", config | {"tie_word_embeddings": False}, tensors))
    row, column = 36, 6
    stored = untied["mlm.decoder.weight"][row // 16, column, row % 16]
    assert stored == tensors["cls.predictions.decoder.weight"][row, column]


def test_untied_model_needs_its_decoder(tmp_path: Path) -> None:
    config = odd(architectures=["MobileBertForMaskedLM"], tie_word_embeddings=False)
    with pytest.raises(ModelFormatError, match=r'"cls\.predictions\.decoder\.weight" is missing'):
        build(write_folder(tmp_path, config, masked_lm_tensors()))


def test_float16_and_bfloat16_are_widened_exactly(tmp_path: Path) -> None:
    values = np.array([[1.5, -2.0, 2.0**-14, 65504.0]])
    bfloat16 = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes({"a": values.astype(np.float16), "b": bfloat16}))
    entries = read_safetensors(path)
    assert entries["a"].float32("a").tolist() == values.tolist()
    assert entries["b"].float32("b").tolist() == [[1.5, -2.0, 2.0**-14, 65280.0]]


def test_float64_is_rounded_to_the_nearest_float32(tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG)
    wide = {name: array * (1 + 1e-9) for name, array in tensors.items()}
    wide = {name: array.astype(np.float64) for name, array in wide.items()}
    rounded = {name: array.astype(np.float32) for name, array in wide.items()}
    found = tensors_of(write_folder(tmp_path / "wide", CONFIG, wide))
    assert same(found, tensors_of(write_folder(tmp_path / "rounded", CONFIG, rounded)))
    wide[QUERY] = np.full((15, 15), 1e300)
    with pytest.raises(ModelFormatError, match=f'"{QUERY}" has NaN or infinity'):
        build(write_folder(tmp_path / "too large", CONFIG, wide))


def test_unsupported_dtypes_are_refused(tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG) | {QUERY: np.zeros((15, 15), np.int8)}
    with pytest.raises(UnsupportedModelError, match=f'"{QUERY}" is I8; the converter reads F64, F32, F16 and BF16'):
        build(write_folder(tmp_path, CONFIG, tensors))


def test_folder_without_weights_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, CONFIG)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelFormatError, match=r"no model\.safetensors"):
        build(tmp_path)


def sharded(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A folder in two shards whose index was changed."""
    write_folder(folder, CONFIG)
    (folder / "model.safetensors").unlink()
    tensors = list(random_tensors(CONFIG).items())
    index: dict[str, Any] = {"metadata": {}, "weight_map": {}}
    for shard, part in (("a.safetensors", tensors[:9]), ("b.safetensors", tensors[9:])):
        (folder / shard).write_bytes(safetensors_bytes(dict(part)))
        index["weight_map"] |= dict.fromkeys(dict(part), shard)
    change(index)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_shards_are_read_together(tmp_path: Path) -> None:
    plain = tensors_of(write_folder(tmp_path / "plain", CONFIG))
    assert same(plain, tensors_of(sharded(tmp_path / "shards", lambda index: None)))


@pytest.mark.parametrize(
    "shard", ["../a.safetensors", "/etc/passwd", "sub/a.safetensors", "..\\a.safetensors", 3, ".safetensors"]
)
def test_shards_outside_the_folder_are_refused(tmp_path: Path, shard: Any) -> None:
    folder = sharded(tmp_path / "x", lambda index: index["weight_map"].update({QUERY: shard}))
    with pytest.raises(ModelFormatError, match=r"expected the name of a \.safetensors file"):
        build(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: index.pop("weight_map"), '"weight_map" is missing or empty'),
        (
            lambda index: index["weight_map"].update({QUERY: "c.safetensors"}),
            "the shard c.safetensors is missing",
        ),
        (
            lambda index: index["weight_map"].update({QUERY: "b.safetensors"}),
            r"is not in b\.safetensors",
        ),
    ],
)
def test_wrong_index_is_refused(tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str) -> None:
    with pytest.raises(ModelFormatError, match=message):
        build(sharded(tmp_path, change))


def file_with(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


EIGHT = b"\0" * 8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file; expected the file itself"),
        (b"1234567", "7 bytes; a safetensors file has at least 8"),
        ((1 << 60).to_bytes(8, "little") + b"{}", "header of 1,152,921,504,606,846,976 bytes; the file has 2 left"),
        (file_with(b"\xff\xff"), "the header is not UTF-8"),
        (file_with(b"{"), "not valid JSON"),
        (file_with(b"[" * 100_000), "not valid JSON"),
        (file_with([]), "found a JSON list; expected an object"),
        (file_with({"a": 3}), 'tensor "a" has no valid dtype'),
        (file_with({"a": entry(dtype=3)}, EIGHT), "has no valid dtype, shape and data_offsets"),
        (file_with({"a": entry(shape=[-2])}, EIGHT), "has no valid dtype, shape and data_offsets"),
        (file_with({"a": entry(shape=[True, 2])}, EIGHT), "has no valid dtype, shape and data_offsets"),
        (file_with({"a": entry(shape=[1] * 9)}, EIGHT), "has no valid dtype, shape and data_offsets"),
        (file_with({"a": entry(offsets=[0])}, EIGHT), "has no valid dtype, shape and data_offsets"),
        (file_with({"a": entry(offsets=[8, 0])}, EIGHT), "is at bytes 8 to 0; the file has 8"),
        (file_with({"a": entry(offsets=[0, 16])}, EIGHT), "is at bytes 0 to 16; the file has 8"),
        (file_with({"a": entry(shape=[3])}, EIGHT), "has 8 bytes; its shape .3. F32 requires 12"),
        (file_with({"a": entry(shape=[1 << 62, 4])}, EIGHT), "has 8 bytes; its shape"),
        (file_with({"a": entry("X9")}, EIGHT), "is X9; the converter reads"),
        (
            file_with({"a": entry(), "b": entry()}, EIGHT),
            'tensor "b" begins at byte 0; the previous one ends at 8',
        ),
        (file_with({"a": entry(offsets=[4, 12])}, EIGHT * 2), 'tensor "a" begins at byte 4'),
        (file_with({"a": entry()}, EIGHT * 2), "8 bytes after the last tensor"),
    ],
)
def test_malformed_safetensors_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(MobileBertError, match=message) as caught:
        read_safetensors(path)
    assert str(path) in str(caught.value)


def test_every_truncation_is_a_named_error(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, CONFIG)
    whole = (folder / "model.safetensors").read_bytes()
    for size in [0, 5, 8, 9, 100, *range(1000, len(whole), 7919), len(whole) - 1]:
        (folder / "model.safetensors").write_bytes(whole[:size])
        with pytest.raises(ModelFormatError):
            build(folder)


@pytest.mark.parametrize(("text", "message"), [("{", "not valid JSON"), ("[]", "found a JSON list")])
def test_malformed_config_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write_folder(tmp_path, CONFIG)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelFormatError, match=rf"config\.json.*{message}"):
        build(tmp_path)
    (tmp_path / "config.json").write_bytes(b"\xff")
    with pytest.raises(ModelFormatError, match="not UTF-8"):
        build(tmp_path)
