"""The file as a container: alignment, order, stock safetensors; and how it is written to disk."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt.conversion import build, convert
from mobilebert_rt.errors import InputError, ModelFormatError
from tests.conversion.reader import File
from tests.small_models.folders import BOTTLENECKS, odd, random_tensors, write_folder

PRECISIONS = ("fp32", "int8")


def document_order(names: list[str]) -> list[str]:
    """The names sorted as docs/model_format.md lists them."""
    parts = [
        "embeddings.word",
        "embeddings.projection",
        "embeddings.position",
        "embeddings.type",
        "embeddings.norm",
    ]
    parts += [
        "encoder.layer",
        "encoder.hidden_scale",
        "pooler",
        "mlm.transform",
        "mlm.decoder",
        "classifier",
        "next_sentence",
    ]
    inside = [
        "bottleneck.input",
        "bottleneck.attention",
        "attention.query",
        "attention.key",
        "attention.value",
    ]
    inside += ["attention.output", "ffn", "output_bottleneck"]
    in_ffn = ["intermediate", "activation_scale", "output"]
    in_linear = ["weight", "scale", "bias", "residual_scale", "norm.weight", "norm.bias"]

    def key(name: str) -> tuple[int, ...]:
        places = [next(i for i, part in enumerate(parts) if name.startswith(part))]
        if match := re.match(r"encoder\.layer\.(\d+)\.(.*)", name):
            layer, rest = int(match[1]), match[2]
            places += [layer, next(i for i, part in enumerate(inside) if rest.startswith(part))]
            if match := re.match(r"ffn\.(\d+)\.(\w+)", rest):
                places += [int(match[1]), in_ffn.index(match[2])]
        suffixes = [i for i, suffix in enumerate(in_linear) if name.endswith("." + suffix)]
        return (*places, max(suffixes, default=0))

    return sorted(names, key=key)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["no_norm", "layer_norm"])
@pytest.mark.parametrize("bottleneck", BOTTLENECKS)
def test_tensors_are_aligned_in_order_and_without_holes(
    tmp_path: Path, bottleneck: str, norm: str, activation: str, precision: str
) -> None:
    image = bytes(build(write_folder(tmp_path, odd(bottleneck, norm, hidden_act=activation)), precision))
    file = File(image)
    at = file.data_start
    assert at % 64 == 0
    for name, tensor in file.tensors.items():
        assert file.offsets[name] == at
        assert at % 64 == 0
        at += tensor.nbytes
    assert at == len(image)
    assert list(file.tensors) == document_order(list(file.tensors))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_build_and_convert_give_the_same_bytes(tmp_path: Path, precision: str) -> None:
    source = write_folder(tmp_path / "source", odd())
    memory = build(source, precision)
    assert isinstance(memory, mmap.mmap)
    assert np.frombuffer(memory, np.uint8).ctypes.data % mmap.PAGESIZE == 0
    convert(source, tmp_path / "model.safetensors", precision)
    assert (tmp_path / "model.safetensors").read_bytes() == bytes(memory)


def test_stock_safetensors_opens_the_file(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    source = write_folder(tmp_path / "source", odd())
    convert(source, tmp_path / "model.safetensors")
    file = File((tmp_path / "model.safetensors").read_bytes())
    with safetensors.safe_open(tmp_path / "model.safetensors", "np") as opened:
        assert opened.metadata() == file.metadata
        assert set(opened.keys()) == set(file.tensors)
        for name, tensor in file.tensors.items():
            assert np.array_equal(opened.get_tensor(name), tensor)


def test_conversion_is_deterministic(tmp_path: Path) -> None:
    source = write_folder(tmp_path, odd())
    assert bytes(build(source)) == bytes(build(source))


def test_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "source", odd())
    target = tmp_path / "model.safetensors"
    target.write_text("precious")
    with pytest.raises(InputError, match=r"model\.safetensors exists\. Pass force=True"):
        convert(source, target)
    assert target.read_text() == "precious"
    convert(source, target, force=True)
    assert target.read_bytes() == bytes(build(source))


def test_failed_conversion_leaves_no_partial_file(tmp_path: Path) -> None:
    config = odd()
    tensors = random_tensors(config)
    del tensors["encoder.layer.0.attention.self.query.weight"]
    source = write_folder(tmp_path / "source", config, tensors)
    target = tmp_path / "out" / "model.safetensors"
    target.parent.mkdir()
    target.write_text("precious")
    with pytest.raises(ModelFormatError, match=r'"encoder\.layer\.0\.attention\.self\.query\.weight" is missing'):
        convert(source, target, force=True)
    assert [path.name for path in target.parent.iterdir()] == ["model.safetensors"]
    assert target.read_text() == "precious"


def test_source_weights_are_never_overwritten(tmp_path: Path) -> None:
    source = write_folder(tmp_path, odd())
    before = (source / "model.safetensors").read_bytes()
    with pytest.raises(InputError, match="is the file of the source weights"):
        convert(source, source / "model.safetensors", force=True)
    assert (source / "model.safetensors").read_bytes() == before


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "source", odd())
    with pytest.raises(InputError, match="precision: 'int4'; expected fp32 or int8"):
        convert(source, tmp_path / "x", "int4")
    with pytest.raises(InputError, match="not a folder"):
        convert(source / "config.json", tmp_path / "x")
    with pytest.raises(InputError, match="give the name of a file"):
        convert(source, tmp_path)
    with pytest.raises(InputError, match="the folder does not exist"):
        convert(source, tmp_path / "no" / "x")
    (source / "config.json").unlink()
    with pytest.raises(ModelFormatError, match=r"no config\.json"):
        convert(source, tmp_path / "x")


def test_converted_file_as_source_is_refused(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "source", odd())
    again = tmp_path / "again"
    again.mkdir()
    (again / "config.json").write_bytes((source / "config.json").read_bytes())
    convert(source, again / "model.safetensors")
    with pytest.raises(InputError, match="already converted"):
        build(again)


def test_huge_config_is_an_error_not_a_crash(tmp_path: Path) -> None:
    sizes = {"hidden_size": 4096, "intra_bottleneck_size": 4096, "intermediate_size": 16384}
    config = odd(num_hidden_layers=128, num_feedforward_networks=16, num_attention_heads=4) | sizes
    with pytest.raises((ModelFormatError, MemoryError)):
        build(write_folder(tmp_path, config, random_tensors(odd())), "fp32")


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    build(write_folder(tmp_path, odd()), progress=lambda *step: seen.append(step))
    assert seen == [("embeddings", 1, 4), ("layer 0", 2, 4), ("layer 1", 3, 4), ("heads", 4, 4)]
