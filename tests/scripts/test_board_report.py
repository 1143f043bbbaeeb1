"""scripts/board_report.sh with the native tool of this machine, in every POSIX shell that is installed."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

import mobilebert_rt
from scripts.common import REPOSITORY
from tests.tools.native import Tool, build

SCRIPT = REPOSITORY / "scripts/board_report.sh"
MODEL = Path(mobilebert_rt.default_model_path())
SHELLS = [shell for shell in ("dash", "busybox sh", "bash --posix") if shutil.which(shell.split()[0])]


@pytest.fixture(scope="module")
def tool() -> Tool:
    return build("host")


def report(shell: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*shell.split(), str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def expected(name: str) -> str:
    found = re.search(rf"^{name}=([0-9a-f]{{64}})$", SCRIPT.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("shell", SHELLS)
def test_report_has_the_machine_latencies_and_hashes(shell: str, tool: Tool) -> None:
    done = report(shell, "--seconds", "0.01", MODEL, tool.path)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    info = json.loads(tool.run("info", "--json").stdout)
    assert found["info"] == info
    assert found["model_sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest() == expected("default_model")
    assert found["vectors_sha256"] == dict.fromkeys(info["isas"], expected("default_vectors"))
    assert found["vectors_as_expected"] is True
    lines = found["bench"]["lines"]
    assert {line["length"] for line in lines} == {8, 32, 64, 128, 256}
    assert max(line["threads"] for line in lines) == info["threads"]["usable"]
    assert len(lines) == 5 * len({line["threads"] for line in lines})
    assert set(found["celsius"]) == {"before", "after"}


def test_hash_is_that_of_the_python_package() -> None:
    """The same texts, taken out of the script by a shell, through `mbrt` of the Python package."""
    functions = SCRIPT.read_text().partition("texts() {")[2].partition("\n}\n")[0]
    texts = subprocess.run(("sh", "-c", functions), capture_output=True, check=True).stdout.decode().splitlines()
    assert len(texts) == 4
    assert len(texts[-1].split()) > 128
    vectors = mobilebert_rt.TextEmbedder()(texts)
    lines = []
    for text, vector in zip(texts, vectors, strict=True):
        numbers = ", ".join(f"{value:.9g}" for value in vector)
        lines.append(f'{{"text": {json.dumps(text, ensure_ascii=False)}, "embedding": [{numbers}]}}\n')
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == expected("default_vectors")


def test_other_vectors_of_the_default_model_are_an_error(tool: Tool, tmp_path: Path) -> None:
    other = tmp_path / "the mbrt of 'somebody'"
    other.write_text(f'#!/bin/sh\n{shlex.quote(str(tool.path))} "$@" --no-normalize\n')
    other.chmod(other.stat().st_mode | stat.S_IXUSR)
    done = report("sh", "--hash", MODEL, other)
    assert done.returncode == 1
    assert "not the default model's vectors" in done.stderr
    assert re.fullmatch("[0-9a-f]{64}\n", done.stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no model given"),
        (["no.safetensors"], "no.safetensors: no such file"),
        ([MODEL, "/no/mbrt"], "mbrt embed failed"),
    ],
)
def test_errors_say_what_is_missing(arguments: list[object], message: str) -> None:
    done = report("sh", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"board_report.sh: {message}" in done.stderr
