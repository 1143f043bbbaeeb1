"""Both command lines have the same options and JSON fields where they do the same thing."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from mobilebert_rt.cli import COMMANDS, main
from tests.small_models.files import write_model
from tests.tools.native import Tool

# Name: words behind MODEL that give at least one result of each kind.
WORDS = {
    "embed": ["Ada Lovelace"],
    "classify": ["Ada Lovelace"],
    "tag": ["Ada Lovelace lived in London.", "--aggregation", "none"],
    "answer": ["who", "--context", "Ada Lovelace"],
    "fill": ["the [MASK]"],
    "bench": ["--lengths", "4", "--repeats", "2"],
}


def options_of(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text.partition("examples:")[0]))


def python(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    with contextlib.suppress(SystemExit):  # argparse, after --help
        assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def keys_of(value: Any) -> Any:
    """The fields of a JSON value, all the way down; lists by their first element."""
    if isinstance(value, dict):
        return {key: keys_of(inner) for key, inner in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize("command", [*WORDS, "info"])
def test_same_options(host: Tool, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert command in COMMANDS
    native = options_of(host.run(command, "--help").stdout.decode())
    assert "--json" in native
    assert native == options_of(python(capsys, command, "--help"))


@pytest.mark.parametrize("command", WORDS)
def test_same_json_fields(host: Tool, models: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    model = write_model(models, "embed" if command == "bench" else command)
    words = [command, model, *WORDS[command], "--json"]
    native, wanted = (json.loads(text) for text in (host.run(*words).stdout, python(capsys, *words)))
    for report in (native, wanted):
        report.pop("machine", None)  # see below
    assert keys_of(native) == keys_of(wanted)


def test_info_has_the_same_json_fields_except_python_s(host: Tool, capsys: pytest.CaptureFixture[str]) -> None:
    native = json.loads(host.run("info", "--json").stdout)
    wanted = json.loads(python(capsys, "info", "--json"))
    assert native.keys() == wanted.keys() - {"python", "packages"}
    assert native["threads"] == wanted["threads"]
    assert native["isas"] == wanted["isas"]
