"""Machines that never meet agree: the outputs' hashes are in hashes.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mobilebert_rt as mbrt
from tests.engine.golden import TABLE, hashes_of
from tests.model.make_model_file import SMALL


def test_hash_table_has_every_model() -> None:
    assert list(json.loads(TABLE.read_text())) == list(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_output_hashes_are_the_same_on_every_machine(tmp_path: Path, name: str) -> None:
    expected = json.loads(TABLE.read_text())[name]
    for isa in mbrt.available_isas():
        found = hashes_of(tmp_path, name, isa)
        # Not a fault of the engine: this machine's numpy makes other random weights.
        assert found["model"] == expected["model"], "tests/model/make_model_file.py made another file than elsewhere"
        assert found["outputs"] == expected["outputs"], isa
