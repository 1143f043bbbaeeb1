"""The regression guard: what passes, and the messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.arm import guard
from benchmarks.arm.blocks import Block
from benchmarks.arm.measure import Counted
from benchmarks.arm.program import Instruction
from scripts.common import ScriptError, UnavailableError

BASELINE = guard.Baseline("g++ 12", "dotprod", 32, 100_000, {"softmax": 40_000, "quantise": 60_000})


def with_count(instructions: int) -> guard.Baseline:
    parts = {"softmax": instructions - 60_000, "quantise": 60_000}
    return replace(BASELINE, instructions=instructions, parts=parts)


@pytest.mark.parametrize(("count", "passes"), [(100_000, True), (100_500, True), (100_501, False), (90_000, True)])
def test_increase_above_the_margin_fails(count: int, passes: bool) -> None:
    assert guard.compare(BASELINE, with_count(count))[0] is passes


def test_failure_names_the_parts_and_the_fix() -> None:
    _, lines = guard.compare(BASELINE, with_count(110_000))
    assert "  softmax: 40,000 -> 50,000 (+10,000)" in lines
    assert not any("quantise" in line for line in lines)
    assert guard.REFRESH in lines[-1]


def test_decrease_asks_for_a_new_baseline() -> None:
    _, lines = guard.compare(BASELINE, with_count(90_000))
    assert guard.REFRESH in lines[-1]


def test_another_compiler_is_an_error() -> None:
    guard.check_compiler(BASELINE, "g++ 12")
    with pytest.raises(UnavailableError, match=r"made with g\+\+ 12; found g\+\+ 13"):
        guard.check_compiler(BASELINE, "g++ 13")


def test_baseline_survives_writing_and_reading(tmp_path: Path) -> None:
    guard.write(tmp_path / "baseline.json", BASELINE)
    assert guard.read(tmp_path / "baseline.json") == BASELINE


@pytest.mark.parametrize("text", ["", "[]", '{"compiler": "g++"}'])
def test_damaged_baseline_names_the_command_to_write_one(text: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScriptError, match="--refresh"):
        guard.read(path)


def test_committed_baseline_is_consistent() -> None:
    baseline = guard.read(Path(guard.__file__).with_name("baseline.json"))
    assert sum(baseline.parts.values()) == pytest.approx(baseline.instructions, abs=len(baseline.parts))


def test_baseline_is_made_from_counts() -> None:
    block = Block("mbrt::neon::softmax(mbrt::Softmax const&)", [Instruction(0, "nop")], 7, 7)
    baseline = guard.take("g++ 12", Counted(32, "dotprod", [block, block]))
    assert baseline == guard.Baseline("g++ 12", "dotprod", 32, 14, {"softmax": 14})
