"""Downloads: on request only, safetensors and small files only, of the revision that was asked for."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mobilebert_rt import Model
from mobilebert_rt.errors import InputError, MobileBertError
from tests import interpreter
from tests.loading.hub import Hub, serve
from tests.small_models import save_folder

NAME = "org/small-model"
OLD, NEW, PICKLED = "0" * 39 + "1", "0" * 39 + "2", "0" * 39 + "3"


def save_repository(folder: Path, layers: int) -> Path:
    """A model beside files that are never downloaded."""
    save_folder(folder, "bert", pooling="mean", num_hidden_layers=layers)
    for name in ("pytorch_model.bin", "onnx/model.onnx", "onnx/config.json", "README.md", "modeling.py", "model.h5"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"not wanted")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    root = tmp_path_factory.mktemp("repositories")
    pickled = save_repository(root / "pickled", 1)
    (pickled / "model.safetensors").unlink()
    return {
        NAME: {OLD: save_repository(root / "old", 1), NEW: save_repository(root / "new", 2)},
        "org/pickled": {PICKLED: pickled},
    }


@pytest.fixture
def hub(folders: dict[str, dict[str, Path]]) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    with serve(folders) as server:
        yield server


def run(hub: Hub, home: Path, *command: str, offline: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_OFFLINE": str(int(offline))}
    return subprocess.run(
        interpreter.command(*command), env=os.environ | environment, capture_output=True, text=True, check=False
    )


def mbrt(hub: Hub, home: Path, *words: str, offline: bool = False) -> subprocess.CompletedProcess[str]:
    return run(hub, home, "-m", "mobilebert_rt", *words, offline=offline)


def layers_of(folder: str) -> int:
    return Model.from_pretrained(folder).config.num_layers


def test_download_prints_the_folder_and_the_commit(hub: Hub, tmp_path: Path) -> None:
    done = mbrt(hub, tmp_path, "download", NAME, "--quiet")
    assert (done.returncode, done.stderr) == (0, f"{NAME}: revision {NEW}\n")
    folder = done.stdout.strip()
    assert layers_of(folder) == 2
    wanted = {"config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json"}
    wanted |= {"modules.json", "1_Pooling/config.json", "sentence_bert_config.json"}
    assert hub.transferred() <= wanted
    assert {"config.json", "model.safetensors", "vocab.txt"} <= hub.transferred()
    hub.requests.clear()
    again = mbrt(hub, tmp_path, "download", NAME, "--json")
    assert json.loads(again.stdout) == {"name": NAME, "commit": NEW, "folder": folder}
    assert hub.transferred() == set()


def test_revision_is_pinned(hub: Hub, tmp_path: Path) -> None:
    done = mbrt(hub, tmp_path, "download", NAME, "--revision", OLD, "--json")
    found = json.loads(done.stdout)
    assert (found["commit"], layers_of(found["folder"])) == (OLD, 1)
    wrong = mbrt(hub, tmp_path, "download", NAME, "--revision", "none")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith(f"mbrt: {NAME}: the download failed: ")


def test_from_pretrained_downloads_when_asked_and_works_offline_later(hub: Hub, tmp_path: Path) -> None:
    program = (
        "import mobilebert_rt as m\n"
        f"e = m.TextEmbedder.from_pretrained({NAME!r}, download=True, revision={OLD!r})\n"
        "print(e.model.config.num_layers, e('the cat').shape)"
    )
    assert run(hub, tmp_path, "-c", program, offline=True).returncode == 1
    assert hub.requests == []
    first = run(hub, tmp_path, "-c", program)
    assert first.stdout.startswith("1 ("), first.stderr
    hub.requests.clear()
    assert run(hub, tmp_path, "-c", program, offline=True).stdout == first.stdout
    assert hub.requests == []


def test_interrupted_transfer_continues_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    content = bytes(range(256)) * 100_000  # several times what the library keeps in memory
    (tmp_path / "large").mkdir()
    (tmp_path / "large/model.safetensors").write_bytes(content)
    hub.repositories = {"org/large": {NEW: tmp_path / "large"}}
    hub.cut.add("model.safetensors")
    done = mbrt(hub, tmp_path, "download", "org/large", "--quiet")
    if done.returncode != 0:  # versions of the library that do not try again themselves
        done = mbrt(hub, tmp_path, "download", "org/large", "--quiet")
    assert (Path(done.stdout.strip()) / "model.safetensors").read_bytes() == content
    parts = [begin for method, path, begin in hub.requests if method == "GET" and path.endswith("model.safetensors")]
    assert parts[0] is None
    assert parts[-1] is not None


def test_repository_without_safetensors_is_refused(hub: Hub, tmp_path: Path) -> None:
    done = mbrt(hub, tmp_path, "download", "org/pickled")
    assert done.returncode == 1
    assert f"org/pickled: revision {PICKLED} has no safetensors weights" in done.stderr
    assert "pytorch_model.bin" not in hub.transferred()


def test_unknown_name_is_an_error(hub: Hub, tmp_path: Path) -> None:
    done = mbrt(hub, tmp_path, "download", "org/none")
    assert done.returncode == 1
    assert done.stderr.startswith("mbrt: org/none: the download failed: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [NAME, "bert-base-uncased", "models/not-there"])
def test_nothing_is_downloaded_unasked(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: found no such file or folder; .* run `mbrt download {name}`"):
        Model.from_pretrained(name)
    program = (
        "import sys, mobilebert_rt\n"
        f"try: mobilebert_rt.Model.from_pretrained({name!r})\n"
        "except mobilebert_rt.InputError: print('huggingface_hub' in sys.modules)"
    )
    assert interpreter.run(program).stdout == "False\n"


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    with pytest.raises(MobileBertError, match="pip install huggingface_hub"):
        Model.from_pretrained(NAME, download=True)


def test_revision_without_a_download_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without download=True"):
        Model.from_pretrained(NAME, revision="main")
    with pytest.raises(InputError, match="which is on this machine"):
        Model.from_pretrained(tmp_path, download=True, revision="main")
