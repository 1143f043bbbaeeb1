"""Terminals and arguments that are not UTF-8: escapes and errors, but no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_models import save_model

WORD = b"caf\xe9"  # Latin-1


def mbrt(encoding: str, *words: str | bytes | Path) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    environment["PYTHONIOENCODING"] = encoding
    command = [sys.executable, "-m", "mobilebert_rt", *words]
    done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=120)
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    return done


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["embed", "default", WORD], b"text 1: byte 3 is 0xE9; expected UTF-8 text"),
        (["embed", "default", b"--" + WORD], b"caf\\xe9"),
        (["embed", "default", "a", "--on-overflow", WORD], b"caf\\xe9"),
        (["embed", "default", "--file", WORD], b"caf\\xe9"),
        (["embed", WORD, "a"], b"caf\\xe9"),
        (["inspect", WORD], b"caf"),
        ([WORD], b"caf\\udce9: no such command"),
    ],
)
def test_wrong_argument_of_other_bytes_is_an_error(words: list[str | bytes], message: bytes) -> None:
    done = mbrt("ascii", *words)
    assert done.returncode in (1, 2)
    assert message in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_labels_that_the_terminal_lacks_are_escaped(tmp_path: Path, encoding: str) -> None:
    labels = ["caf\xe9", "\u4f60", "\U0001f600"]
    path = save_model(tmp_path / "m.safetensors", head="ForSequenceClassification", labels=labels)
    done = mbrt(encoding, "inspect", path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u4f60" in done.stdout
    done = mbrt(encoding, "inspect", path, "--json")
    assert json.loads(done.stdout)["metadata"]["labels"] == labels


def test_model_in_a_folder_of_other_bytes_runs(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/" + WORD + b".safetensors"
    os.rename(save_model(tmp_path / "m.safetensors"), path)
    done = mbrt("ascii", "embed", path, "the cat", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
