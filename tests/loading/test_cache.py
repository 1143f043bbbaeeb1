"""Converted folders in the cache: written once, checked at every start, renewed when something changes."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt import Model, TextEmbedder, conversion, loading
from mobilebert_rt.cache import cache_folder
from mobilebert_rt.errors import InputError, MobileBertError
from tests.small_models import save_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MBRT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_folder(tmp_path / "model", "bert", pooling="mean")


@pytest.fixture
def conversions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The targets of the conversions that were done."""
    found: list[object] = []
    convert = conversion.convert

    def record(source: object, target: object, *arguments: object, **options: object) -> None:
        found.append(target)
        convert(source, target, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(conversion, "convert", record)
    return found


def load(folder: Path, **options: object) -> Model:
    return Model.from_pretrained(folder, cache=True, **options)  # type: ignore[arg-type]


def test_second_start_maps_the_file_of_the_first(cache: Path, folder: Path, conversions: list[object]) -> None:
    first = load(folder)
    (file,) = cache.glob("*.safetensors")
    written = file.stat()
    second = load(folder)
    assert conversions == [file]
    assert file.stat().st_mtime_ns == written.st_mtime_ns
    ids = [[1, 2, 3]]
    plain = Model.from_pretrained(folder)(ids).last_hidden_state[0]
    for model in (first, second, pickle.loads(pickle.dumps(second))):
        assert model.path == folder
        np.testing.assert_array_equal(model(ids).last_hidden_state[0], plain)
    assert len(conversions) == 1


def test_tasks_use_the_cache(cache: Path, folder: Path, conversions: list[object]) -> None:
    vectors = [TextEmbedder.from_pretrained(folder, cache=True)("the cat") for _ in range(2)]
    assert len(conversions) == 1
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_precision_and_every_file_of_the_folder_decide(cache: Path, folder: Path, conversions: list[object]) -> None:
    load(folder)
    load(folder, precision="fp32")
    (folder / "1_Pooling/config.json").write_text('{"pooling_mode": "cls"}')
    assert '"cls"' in load(folder).metadata["pooling"]
    with (folder / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("\n")
    load(folder)
    copied = shutil.copytree(folder, folder.parent / "copy")
    load(copied)
    assert len(conversions) == 4
    assert len(list(cache.glob("*.safetensors"))) == 4


@pytest.mark.parametrize("damage", ["bit", "shorter", "empty", "other_model", "no_seal", "wrong_seal"])
def test_changed_file_is_written_again(
    cache: Path, folder: Path, conversions: list[object], damage: str, tmp_path: Path
) -> None:
    load(folder)
    (file,), (seal,) = cache.glob("*.safetensors"), cache.glob("*.sha256")
    whole = file.read_bytes()
    if damage == "bit":
        file.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])
    elif damage in ("shorter", "empty"):
        file.write_bytes(whole[:-64] if damage == "shorter" else b"")
    elif damage == "other_model":
        conversion.convert(save_folder(tmp_path / "other", "bert", num_hidden_layers=1), file, force=True)
        conversions.clear()
        conversions.append(file)
    elif damage == "no_seal":
        seal.unlink()
    else:
        seal.write_text("0" * 64)
    load(folder)
    assert len(conversions) == 2
    assert file.read_bytes() == whole
    load(folder)
    assert len(conversions) == 2


def test_failed_conversion_leaves_nothing(cache: Path, folder: Path) -> None:
    (folder / "config.json").write_text("{")
    with pytest.raises(MobileBertError):
        load(folder)
    assert not list(cache.iterdir())


def test_folder_that_cannot_be_written_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MBRT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match=r"cannot be written \(Not a directory\)\. Set MBRT_CACHE"):
        load(folder)


def test_cache_folder_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MBRT_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache/mobilebert_rt"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library/Caches/mobilebert_rt"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder() == tmp_path / "local/mobilebert_rt"
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/mobilebert_rt"


def test_slow_conversion_is_reported(
    cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mobilebert_rt")
    Model.from_pretrained(folder)
    monkeypatch.setattr(loading, "SLOW", 0.0)
    Model.from_pretrained(folder, "fp32")
    load(folder)
    load(folder)
    messages = [record.getMessage() for record in caplog.records]
    assert [message.partition(" in ")[0] for message in messages[-2:]] == [
        f"{folder}: converted to fp32",
        f"{folder}: converted to int8",
    ]
    assert os.fspath(folder) in messages[0]
