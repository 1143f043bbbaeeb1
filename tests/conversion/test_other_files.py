"""Files and folders that are no model: what they are is named, with a command that works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mobilebert_rt import Model
from mobilebert_rt.conversion import build
from mobilebert_rt.errors import MobileBertError
from tests.conversion.reader import File
from tests.emulation import import_on_host
from tests.small_models.folders import odd, random_tensors, write_folder

CONFIG = odd()
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 98468376\n"
PAGE = b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n"

# Name: the first bytes of a real file of the format.
FORMATS = {
    "a Git LFS pointer": POINTER,
    "a web page": PAGE,
    "an empty file": b"",
    "an ONNX model": b"\x08\x08\x12\x07pytorch\x1a\x052.4.0:\xa6\xce\x07" + bytes(64),
    "a TensorFlow Lite model": b"\x1c\x00\x00\x00TFL3\x14\x00\x20\x00" + bytes(64),
    "a GGUF model": b"GGUF\x03\x00\x00\x00" + bytes(64),
    "a pickle file": b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19." + bytes(64),
    "a zip file, as torch.save writes": b"PK\x03\x04\x00\x00\x08\x08\x00\x00" + bytes(64),
    "an HDF5 file, as TensorFlow writes": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "a TensorFlow SavedModel": b"\x08\x01\x12\xf1\xa2\x05" + bytes(64),
    "a TensorFlow checkpoint": bytes(64) + bytes.fromhex("57fb808b247547db"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_model_file_of_another_format_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(FORMATS[name])
    with pytest.raises(MobileBertError) as caught:
        Model.from_pretrained(path)
    assert str(caught.value).startswith(f"{path}: found {name}; expected a model file. ")
    assert "`" in str(caught.value)  # a command


@pytest.mark.parametrize("name", FORMATS)
def test_weights_of_another_format_are_named(tmp_path: Path, name: str) -> None:
    folder = write_folder(tmp_path / "a folder", CONFIG)
    (folder / "model.safetensors").write_bytes(FORMATS[name])
    fix = "Run: git -C '{}' lfs pull" if name == "a Git LFS pointer" else "Download it again."
    with pytest.raises(MobileBertError) as caught:
        build(folder)
    assert str(caught.value) == (
        f"{folder}/model.safetensors: found {name}; expected the file itself. {fix.format(folder)}"
    )


@pytest.mark.parametrize("file", ["config.json", "vocab.txt", "tokenizer.json"])
@pytest.mark.parametrize(("content", "name"), [(POINTER, "a Git LFS pointer"), (PAGE, "a web page")])
def test_text_file_of_another_format_is_named(tmp_path: Path, file: str, content: bytes, name: str) -> None:
    folder = write_folder(tmp_path, CONFIG)
    (folder / file).write_bytes(content)
    with pytest.raises(MobileBertError, match=f"{file}: found {name}; expected the file itself"):
        build(folder)


def put(name: str, content: bytes) -> Callable[[Path], None]:
    """Writes a file in place of the weights."""

    def write(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)

    return write


def without_config(change: Callable[[Path], None]) -> Callable[[Path], None]:
    def both(folder: Path) -> None:
        change(folder)
        (folder / "config.json").unlink()

    return both


def as_inner_folder(name: str) -> Callable[[Path], None]:
    def move(folder: Path) -> None:
        (folder / name).mkdir(parents=True)
        for file in ("config.json", "model.safetensors"):
            (folder / file).rename(folder / name / file)

    return move


SSTABLE = FORMATS["a TensorFlow checkpoint"]
FOLDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "only_json": (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors nor its index"),
    "onnx": (put("onnx/model.onnx", FORMATS["an ONNX model"]), "found onnx/model.onnx, an ONNX model; expected"),
    "tflite": (put("model.tflite", FORMATS["a TensorFlow Lite model"]), "model.tflite, a TensorFlow Lite model"),
    "gguf": (put("bert-q8_0.gguf", FORMATS["a GGUF model"]), "found bert-q8_0.gguf, a GGUF model; expected"),
    "h5": (put("tf_model.h5", FORMATS["an HDF5 file, as TensorFlow writes"]), "from_tf=True).save_pretrained("),
    "flax": (put("flax_model.msgpack", b"\x81"), "from_flax=True).save_pretrained("),
    "pointer_to_pickle": (put("pytorch_model.bin", POINTER), "pytorch_model.bin: found a Git LFS pointer"),
    "tensorflow": (
        put("model.ckpt-1000.index", SSTABLE),
        "convert_mobilebert_original_tf_checkpoint_to_pytorch --tf_checkpoint_path",
    ),
    "adapter": (put("adapter_model.safetensors", b""), "an adapter without its base model"),
    "other_name": (put("student.safetensors", b""), "found student.safetensors; expected model.safetensors"),
    "empty_folder": (without_config(put("README.md", b"#")), "no config.json. Give the folder of a saved model."),
    "only_onnx": (
        without_config(put("model.onnx", FORMATS["an ONNX model"])),
        "no config.json; found model.onnx, an ONNX model.",
    ),
    "only_tensorflow": (
        without_config(put("bert_model.ckpt.index", SSTABLE)),
        "convert_bert_original_tf_checkpoint_to_pytorch --tf_checkpoint_path",
    ),
    "hub_cache": (as_inner_folder("snapshots/0123abc"), "/snapshots/0123abc."),
    "inner_folder": (as_inner_folder("my-model"), "/my-model."),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_folder_that_cannot_be_converted_says_what_it_has(tmp_path: Path, case: str) -> None:
    change, message = FOLDERS[case]
    folder = write_folder(tmp_path / "saved", CONFIG | {"intra_bottleneck_size": 15})
    change(folder)
    with pytest.raises(MobileBertError) as caught:
        build(folder)
    assert str(caught.value).startswith(str(folder))
    assert message in str(caught.value)


def command_of(error: MobileBertError) -> list[str]:
    """The words of the command in a message."""
    words = shlex.split(re.split(r"(?:with|it): ", str(error), maxsplit=1)[1])
    return [sys.executable, *words[1:]] if words[0] == "python" else words


def test_renaming_command_works(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "it's here", CONFIG)
    (folder / "model.safetensors").rename(folder / "student.safetensors")
    with pytest.raises(MobileBertError) as caught:
        build(folder)
    subprocess.run(command_of(caught.value), check=True)
    build(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "best.ckpt"])
def test_command_that_converts_pickles_works(tmp_path: Path, name: str) -> None:
    torch = import_on_host("torch")
    import_on_host("transformers")
    config = CONFIG | {"num_attention_heads": 5}
    tensors = random_tensors(config)
    expected = File(bytes(build(write_folder(tmp_path / "plain", config, tensors), "fp32")))
    folder = write_folder(tmp_path / "it's here", config)
    (folder / "model.safetensors").unlink()
    state = {key: torch.from_numpy(array) for key, array in tensors.items()}
    torch.save(state if name == "pytorch_model.bin" else {"state_dict": state, "epoch": 3}, folder / name)
    with pytest.raises(MobileBertError, match="can run code when opened and is never read") as caught:
        build(folder)
    subprocess.run(command_of(caught.value), check=True, capture_output=True)
    found = File(bytes(build(folder, "fp32")))
    assert found.tensors.keys() == expected.tensors.keys()
    assert all((found.tensors[key] == array).all() for key, array in expected.tensors.items())
