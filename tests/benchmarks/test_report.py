"""From results to ratios and tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.common import markdown
from benchmarks.common.results import Result, Run, read
from benchmarks.peers import checks, measure, ratios, report
from benchmarks.peers.catalogue import PEERS

OURS = Result("latency", "latency/128", "ours-int8", "mobilebert", "int8", 1, 1, 1, 128, 1)


def timed(peer: str, seconds: float, **changes: object) -> Result:
    rounds = [0.9 * seconds, seconds, 1.1 * seconds]
    times = {"median": seconds, "first_quartile": rounds[0], "third_quartile": rounds[2], "rounds": rounds}
    return replace(OURS, peer=peer, **times, **changes)  # type: ignore[arg-type]


def run(*results: Result) -> Run:
    found = Run("python benchmarks/peers", "2026-01-01", {"processor": "a processor", "used": [1]}, {})
    found.results = list(results)
    found.labels = dict.fromkeys(["ours-int8", "ours-fp32", "litert-int8", "ort-int8", "ort-fp32"], "")
    found.labels = {name: name.upper() for name in found.labels}
    found.ratios = ratios.all_ratios(found)
    return found


def ratio_of(found: Run, name: str, other: str = "") -> float:
    (value,) = [one["value"] for one in found.ratios if one["name"] == name and other in one["other"]]
    return float(value)


def test_ratio_is_the_peers_median_over_ours() -> None:
    found = run(timed("ours-int8", 0.01), timed("litert-int8", 0.015), timed("ort-int8", 0.03))
    assert ratio_of(found, "int8, 128 tokens, 1 thread", "litert") == pytest.approx(1.5)
    assert ratio_of(found, "int8, 128 tokens, 1 thread", "ort") == pytest.approx(3)


def test_quartiles_of_a_ratio_are_of_the_ratios_per_round() -> None:
    # Both slow down together, as on a busy machine: the ratio stays the same.
    found = run(timed("ours-int8", 0.01), timed("litert-int8", 0.02))
    (one,) = found.ratios
    assert (one["low"], one["high"]) == (pytest.approx(2), pytest.approx(2))


def test_best_peer_on_two_threads_may_use_one() -> None:
    found = run(
        timed("ours-int8", 0.006, threads=2),
        timed("ours-int8", 0.01),
        timed("litert-int8", 0.012),
        timed("litert-int8", 0.018, threads=2),
        timed("ort-int8", 0.015, threads=2),
    )
    assert ratio_of(found, "128 tokens, 2 threads, best peer on 1 or 2 threads") == pytest.approx(2)
    assert ratio_of(found, "our scaling from 1 to 2 threads, 128 tokens") == pytest.approx(10 / 6)


def test_texts_are_compared_each_in_its_best_configuration() -> None:
    many = {"case": "texts", "group": "texts", "texts": 64, "threads": 2}
    found = run(
        timed("ours-int8", 0.10, **many),
        timed("ours-int8", 0.08, batch=64, **many),
        timed("ort-int8", 0.20, **many),
        timed("ort-int8", 0.16, copies=2, **many),
    )
    assert ratio_of(found, "64 texts of 5 to 60 tokens, 2 threads, each in its best configuration") == pytest.approx(2)
    assert "800" in report.report(found)


def test_mobilebert_is_compared_with_bert_base() -> None:
    found = run(timed("ours-int8", 0.01, case="family"), timed("ort-fp32", 0.25, case="family", model="bert-base"))
    assert ratio_of(found, "MobileBERT int8, BERT-base fp32, 128 tokens, 1 thread") == pytest.approx(25)


def test_no_ratio_without_both_sides() -> None:
    failed = replace(OURS, peer="litert-int8", error="litert-int8: ended by SIGSEGV")
    found = run(timed("ours-int8", 0.01), failed)
    assert found.ratios == []
    assert "- latency/128, litert-int8, 1 thread: litert-int8: ended by SIGSEGV" in report.report(found)


def test_cold_start_is_relative_to_the_steady_call() -> None:
    assert replace(timed("ours-int8", 0.01), load_time=0.02, first_call=0.03).cold_start == pytest.approx(5)
    assert timed("ours-int8", 0.01).cold_start is None


def test_table_has_median_and_half_the_interquartile_range() -> None:
    text = report.report(run(timed("ours-int8", 0.01, cosine=0.9961), timed("ort-int8", 0.03)))
    assert "| OURS-INT8 | 10.00 ±1.00 | 0.9961 |" in text
    assert "LITERT" not in text


def test_tables_are_markdown() -> None:
    assert markdown.table(["a", "bb"], [["c", "1"]]).splitlines() == ["| a | bb |", "| - | -: |", "| c |  1 |"]


def test_run_survives_writing_and_reading(tmp_path: Path) -> None:
    found = run(timed("ours-int8", 0.01))
    found.write(tmp_path / "sub" / "results.json")
    assert read(tmp_path / "sub" / "results.json") == found


def states(seed: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    random = np.random.default_rng(seed)
    return [random.standard_normal((n, 16), np.float32) for n in (3, 5)]


def test_same_model_passes_and_another_does_not() -> None:
    same = checks.compare(states(0), states(0))
    assert same["relative_error"] == 0
    assert same["cosine"] == pytest.approx(1)
    assert checks.mismatch(same, "fp32", padded=False) is None
    other = checks.compare(states(1), states(0))
    for precision in ("fp32", "bf16", "int8"):
        assert "other output than the reference: mean cosine" in str(checks.mismatch(other, precision, padded=False))


def test_fp32_has_a_stricter_limit() -> None:
    near = [1.01 * state for state in states(0)]
    found = checks.compare(near, states(0))
    assert "relative error 1.0e-02" in str(checks.mismatch(found, "fp32", padded=False))
    assert checks.mismatch(found, "int8", padded=False) is None


def test_vectors_of_another_model_are_compared_with_the_mean_state_and_never_refused() -> None:
    reference = states(0)
    means = [state.mean(axis=0, keepdims=True) for state in reference]
    same = measure._checked(PEERS["words"], OURS, means, reference)
    assert (same.error, same.cosine) == (None, pytest.approx(1))
    other = measure._checked(PEERS["words"], OURS, [-mean for mean in means], reference)
    assert (other.error, other.cosine) == (None, pytest.approx(-1))
    assert measure._checked(PEERS["ct2-int8"], OURS, states(1), reference).error is not None


def test_nan_and_other_shapes_are_a_mismatch() -> None:
    broken = [state * np.float32("nan") for state in states(0)]
    for other in (broken, states(0)[:1]):
        assert checks.mismatch(checks.compare(other, states(0)), "int8", padded=True)
