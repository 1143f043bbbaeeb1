"""The command: invalid options, missing peers, files that are written."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.common import environment
from benchmarks.common.results import read
from benchmarks.peers import driver
from tests import interpreter

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MBRT_CACHE", str(folder))
    return folder


def test_missing_peers_are_reported_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--no-install", "--cases", "latency", "--peers", "litert-int8,ort-fp32", "--lengths", "8"]
    assert driver.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    for text in (said.out, (tmp_path / "out" / "report.md").read_text()):
        assert "Not measured:" in text
        assert "- LiteRT int8 dynamic: " in text
        assert "--no-install was given" in text
    assert "missing: ONNX Runtime fp32" in said.err
    run = read(tmp_path / "out" / "results.json")
    assert set(run.missing) == {"litert-int8", "ort-fp32"}
    assert run.machine["used"]
    assert run.command.startswith("python benchmarks/peers --no-install")


def test_missing_interpreter_is_reported(tmp_path: Path) -> None:
    arguments = ["--cases", "latency", "--peers", "ours-int8", "--python", f"ours={tmp_path}/none", "--no-install"]
    assert driver.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "failed to list its packages" in read(tmp_path / "out" / "results.json").missing["ours-int8"]


def test_more_threads_than_cpus_are_skipped_with_a_note(tmp_path: Path) -> None:
    arguments = ["--no-install", "--cases", "latency", "--peers", "litert-int8", "--cpus", "0", "--threads", "1,2"]
    driver.main([*arguments, "--out", str(tmp_path / "out")])
    notes = read(tmp_path / "out" / "results.json").notes
    assert notes == ["Not measured: 2 threads; only 1 CPUs may be used."]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--cases", "speed"], "unknown case speed; expected latency"),
        (["--peers", "tvm"], "unknown peer tvm; expected ours-int8"),
        (["--lengths", "0,8"], "within 1 and 512"),
        (["--lengths", "513"], "within 1 and 512"),
        (["--threads", "two"], "not a list of numbers"),
        (["--rounds", "0"], "at least 1"),
        (["--python", "torch=/usr/bin/python3"], "NAME one of peers, ours"),
    ],
)
def test_invalid_options_name_valid_ones(arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        driver.parse(arguments)
    assert reason in " ".join(capsys.readouterr().err.split())


def test_options_override_those_of_a_quick_run() -> None:
    quick = driver.parse(["--quick", "--threads", "2", "--cases", "texts"])
    assert (quick.lengths, quick.threads, quick.rounds, quick.cases) == ([32, 128], [2], 5, ["texts"])
    assert driver.parse([]).lengths == [1, 8, 16, 32, 64, 128, 256, 384, 512]


def test_driver_imports_no_engine() -> None:
    code = "import sys, benchmarks.peers.driver; print([m for m in ('torch', 'mobilebert_rt') if m in sys.modules])"
    done = interpreter.run(code, PYTHONPATH=str(ROOT))
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_missing_reason_is_the_failed_installation_step() -> None:
    failures = ["pip install torch failed: no space", "pip install openvino>=2025.0 failed: no wheel"]
    found = environment.Environment("peers", sys.executable, {"onnxruntime": "1.32.0"}, failures)
    assert found.missing_reason("onnxruntime") is None
    assert found.missing_reason("openvino") == failures[1]
    assert found.missing_reason("ai-edge-litert") == "; ".join(failures)


def test_environment_lists_versions() -> None:
    found = environment.existing("ours", sys.executable)
    assert found.versions["pytest"] == pytest.__version__


def test_converted_files_depend_on_the_converter_not_only_the_version() -> None:
    versions = environment.existing("ours", sys.executable).versions
    assert len(versions["converter of mobilebert-rt"]) == 64


def test_results_of_another_format_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="format 0; expected results of benchmarks in format 2"):
        read(tmp_path / "old.json")
