"""The reader: valid files open, from disk and from memory; malformed ones fail with an error that names the cause."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt._core import Model
from mobilebert_rt.errors import InputError, ModelFormatError, UnsupportedModelError
from tests.model.make_model_file import MOBILEBERT, SMALL, make_file, make_tensors
from tests.model.malformed import CASES, UNSUPPORTED
from tests.model.malformed_sentence import SENTENCE


def in_memory(image: bytes) -> Model:
    return Model(memoryview(image))


@pytest.mark.parametrize("name", SMALL)
def test_every_kind_of_model_opens(tmp_path: Path, name: str) -> None:
    image = make_file(SMALL[name], seed=3)
    path = tmp_path / "model.safetensors"
    path.write_bytes(image)
    for model in (Model(str(path)), in_memory(image)):
        assert model.file_bytes == len(image)
        tensors = make_tensors(SMALL[name], seed=3)
        types = {"float32": "F32", "int8": "I8"}
        assert model.tensors() == [
            (key, types[array.dtype.name], list(array.shape), array.nbytes) for key, array in tensors.items()
        ]


@pytest.mark.parametrize("case", CASES | SENTENCE)
def test_malformed_file_fails_with_its_cause(case: str) -> None:
    build, words = (CASES | SENTENCE)[case]
    with pytest.raises(ModelFormatError) as raised:
        in_memory(build())
    message = str(raised.value)
    assert words in message
    assert "mbrt convert" in message.splitlines()[-1]  # how to fix it
    assert len(message) < 1000
    assert message.replace("\n", "").isprintable()


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_file_of_a_later_release_asks_for_an_upgrade(case: str) -> None:
    build, words = UNSUPPORTED[case]
    with pytest.raises(UnsupportedModelError, match="Upgrade") as raised:
        in_memory(build())
    assert words in str(raised.value)


def test_every_truncated_file_is_an_error() -> None:
    image = make_file(SMALL["one_of_everything_int8"], seed=0)
    for length in range(0, len(image), 7):
        with pytest.raises(ModelFormatError):
            in_memory(image[:length])


def test_error_begins_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "student.safetensors"
    path.write_bytes(CASES["nan_scale"][0]())
    with pytest.raises(ModelFormatError) as raised:
        Model(str(path))
    assert str(raised.value).startswith(f"{path}: tensor ")


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no\.safetensors: cannot be opened: No such file"):
        Model(str(tmp_path / "no.safetensors"))


def test_folder_pipe_and_device_are_input_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        Model(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero"):
        with pytest.raises(InputError, match="is not a regular file"):
            Model(path)


def test_empty_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "empty.safetensors"
    path.touch()
    with pytest.raises(ModelFormatError, match=r"empty\.safetensors: found an empty file"):
        Model(str(path))


def test_link_is_followed_and_open_file_may_be_deleted(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(make_file(SMALL["mobilebert_int8"], seed=0))
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    model = Model(str(link))
    path.unlink()
    assert model.metadata["format"] == "mobilebert_rt"


@pytest.mark.parametrize("shift", [0, 1, 16, 63])
def test_bytes_at_any_address_open(shift: int) -> None:
    image = make_file(SMALL["mobilebert_int8"], seed=0)
    buffer = np.zeros(len(image) + 128, np.uint8)
    begin = -buffer.ctypes.data % 64 + shift
    buffer[begin : begin + len(image)] = np.frombuffer(image, np.uint8)
    assert Model(memoryview(buffer[begin : begin + len(image)])).file_bytes == len(image)


def test_metadata_are_returned_unchanged() -> None:
    # json writes non-ASCII characters as escapes, with surrogate pairs where needed
    text = 'quote " backslash \\ slash / \b\f\n\r\t \x7f ü 中 \U0001f600 \u2028' * 300 + "\x01"
    model = in_memory(make_file(SMALL["bert"], 0, {"vocab.txt": text, "free key": ""}))
    assert model.metadata["vocab.txt"] == text
    assert model.metadata["free key"] == ""


def test_threads_open_one_file_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(make_file(SMALL["mobilebert"], seed=0))
    models: list[Model] = []
    threads = [threading.Thread(target=lambda: models.append(Model(str(path)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(models) == 8


def test_full_size_mobilebert_opens() -> None:
    config = MOBILEBERT | {"precision": "int8", "head": "masked_lm", "num_layers": 1}
    assert len(in_memory(make_file(config, seed=0)).tensors()) == 67
