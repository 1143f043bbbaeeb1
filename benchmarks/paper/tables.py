"""The paper's tables, with columns measured here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.common.documents import provisional
from benchmarks.common.markdown import NOTHING, number, table
from benchmarks.common.results import Result, Run
from benchmarks.paper.costs import flops, parameters
from benchmarks.paper.systems import LENGTH, OPTIMISATIONS, SYSTEMS, System

PRECISIONS = ("fp32", "int8")
BASE_OF_TABLE_4, BASE_OF_TABLE_7 = "bert-base", "mobilebert"  # what the relative columns are relative to

Relative = Callable[[float | None, float | None], str]


def table4(run: Run, systems: Sequence[System]) -> str:
    """Size, FLOPs and latency, published and measured; latencies also relative to BERT_BASE."""
    base = next(system.milliseconds for system in SYSTEMS if system.key == BASE_OF_TABLE_4)
    rows = []
    for system in systems:
        config = system.config
        rows.append(
            [
                system.name,
                number(system.parameters, 1),
                number(parameters(config) / 1e6, 1),
                number(system.flops, 1),
                number(flops(config, LENGTH) / 1e9, 2),
                number(system.milliseconds, 0),
                *_latencies(run, "table4", system.key),
                _percent(system.milliseconds, base),
                *_relative(run, "table4", system.key, BASE_OF_TABLE_4, _percent),
                number(system.glue, 1),
            ]
        )
    header = ["", "10^6 params, paper", "here", "GFLOPs, paper", "here", "ms, Pixel 4", "fp32 here", "int8 here"]
    header += ["of BERT_BASE, Pixel 4", "fp32 here", "int8 here", "GLUE, paper"]
    notes = [f"- {system.name}: {system.note}." for system in systems if system.note]
    return _page(run, "table4", table(header, rows), notes)


def table7(run: Run, systems: Sequence[System]) -> str:
    """Latency of the four variants, also as a multiple of NoNorm + ReLU's."""
    base = next(system.milliseconds for system in OPTIMISATIONS if system.key == BASE_OF_TABLE_7)
    rows = [
        [
            system.name,
            number(system.milliseconds, 0),
            *_latencies(run, "table7", system.key),
            _multiple(system.milliseconds, base),
            *_relative(run, "table7", system.key, BASE_OF_TABLE_7, _multiple),
        ]
        for system in systems
    ]
    header = ["", "ms, Pixel 4", "fp32 here", "int8 here", "times NoNorm + ReLU, Pixel 4", "fp32 here", "int8 here"]
    return _page(run, "table7", table(header, rows), [])


def _page(run: Run, case: str, text: str, notes: list[str]) -> str:
    """A table below the description of the run; notes and failures below it."""
    failed = [result for result in run.failed() if result.case == case]
    notes += [f"- not measured: {result.model} in {result.precision}: {result.error}" for result in failed]
    return "\n\n".join(part for part in (run_info(run), text, "\n".join(notes)) if part)


def run_info(run: Run) -> str:
    """Machine, version and command, after a warning if the figures are provisional."""
    if not run.results:
        return "Latencies have not been measured on a quiet machine yet."
    machine, threads = run.machine, run.options["threads"]
    versions = {"mobilebert_rt": run.versions.get("mobilebert-rt"), "PyTorch": run.versions.get("torch")}
    programs = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    where = (
        f"{machine.get('processor')} ({', '.join(machine.get('instructions', []))}), "
        f"{threads} thread{'s' * (threads > 1)}, {programs}, {run.date}: "
        f"medians of interleaved runs ± half the interquartile range of the rounds, {LENGTH} tokens, random weights."
    )
    warning = provisional(machine, run.options["quick"])
    return "\n\n".join(part for part in (warning, where, f"`{run.command}`") if part)


def _results(run: Run, case: str, key: str) -> list[Result | None]:
    return [run.one(case, model=key, precision=precision) for precision in PRECISIONS]


def _latencies(run: Run, case: str, key: str) -> list[str]:
    return [result.milliseconds if result else NOTHING for result in _results(run, case, key)]


def _relative(run: Run, case: str, key: str, base: str, show: Relative) -> list[str]:
    pairs = zip(_results(run, case, key), _results(run, case, base), strict=True)
    return [show(own.median if own else None, other.median if other else None) for own, other in pairs]


def _percent(value: float | None, base: float | None) -> str:
    return NOTHING if value is None or not base else f"{100 * value / base:.0f} %"


def _multiple(value: float | None, base: float | None) -> str:
    return NOTHING if value is None or not base else f"{value / base:.2f}"
