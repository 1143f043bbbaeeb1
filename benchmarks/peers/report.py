"""Tables in Markdown: machine and versions, what is missing and why, times, memory, sizes."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.common.markdown import NOTHING, number, table
from benchmarks.common.results import Result, Run
from benchmarks.peers import ratios


def report(run: Run) -> str:
    """All tables for which the run has results."""
    parts = [run_info(run), missing(run)]
    for threads in sorted({result.threads for result in run.find("latency")}):
        parts.append(latency(run, threads))
    parts += [comparisons(run), texts(run), family(run), load(run), memory(run), sizes(run)]
    return "\n\n".join(part for part in parts if part) + "\n"


def run_info(run: Run) -> str:
    machine = run.machine
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    lines = [
        f"{machine.get('processor')} ({', '.join(machine.get('instructions', []))}), {machine.get('system')}, "
        f"CPUs {machine.get('used')}, load average {machine.get('load_average', ['?'])[0]} at the start, "
        f"{run.date}.",
        f"Versions: {versions}.",
        f"Command: `{run.command}`",
        *run.notes,
    ]
    return "\n\n".join(lines)


def missing(run: Run) -> str:
    """Peers that are missing and entries that failed, each with the reason."""
    lines = [f"- {run.labels.get(name, name)}: {reason}" for name, reason in run.missing.items()]
    lines += [f"- {result.group}, {ratios.label(result)}: {result.error}" for result in run.failed()]
    return "Not measured:\n\n" + "\n".join(lines) if lines else ""


def section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A titled table; nothing without rows."""
    return f"### {title}\n\n{table(header, rows)}" if rows else ""


def latency(run: Run, threads: int) -> str:
    """Medians by length, and the min cosine to the reference."""
    found = run.find("latency", threads=threads)
    lengths = sorted({result.length for result in found})
    rows = []
    for peer in _peers(run, found):
        own = {result.length: result for result in found if result.peer == peer}
        cells = [own[length].milliseconds if length in own else NOTHING for length in lengths]
        cosines = [result.cosine for result in own.values() if result.cosine is not None]
        rows.append([run.labels[peer], *cells, number(min(cosines, default=None), 4)])
    title = f"MobileBERT, one text, {threads} thread{'s' * (threads > 1)}: median in ms ± half the interquartile range"
    return section(title, ["tokens", *map(str, lengths), "cosine"], rows)


def comparisons(run: Run) -> str:
    rows = []
    for one in run.ratios:
        times = [number(one[side], 2, 1e3) for side in ("ours_seconds", "other_seconds")]
        digits = 2 if one["value"] >= 0.1 else 4
        spread = f"{one['low']:.{digits}f} - {one['high']:.{digits}f}"
        rows.append([one["name"], one["other"], *times, number(one["value"], digits), spread])
    header = ["comparison", "with", "ours, ms", "other, ms", "ratio", "quartiles"]
    return section("Ratios: other over ours", header, rows)


def texts(run: Run) -> str:
    """Texts per second of every configuration, and the best."""
    found = run.find("texts")
    ways = sorted({(r.threads, r.copies, r.batch) for r in found})
    rows = []
    for peer in _peers(run, found):
        own = {(r.threads, r.copies, r.batch): r.texts_per_second for r in found if r.peer == peer}
        rows.append([run.labels[peer], *(number(own.get(way), 0) for way in ways), number(max(own.values()), 0)])
    header = ["", *(f"{threads}t x{copies} b{batch}" for threads, copies, batch in ways), "best"]
    title = "64 texts of 5 to 60 tokens (mean 20): texts per second, by threads, engines and batch size"
    return section(title, header, rows)


def family(run: Run) -> str:
    rows = []
    for r in run.find("family"):
        weights = run.models.get(r.model, "")
        rows.append(
            [run.labels[r.peer], ratios.SHAPES[r.model], weights, str(r.length), r.milliseconds, number(r.cosine, 4)]
        )
    return section("Other models, 1 thread", ["", "model", "weights", "tokens", "ms", "cosine"], rows)


def load(run: Run) -> str:
    rows = []
    for r in run.find("load"):
        times = [number(time, 1, 1e3) for time in (r.import_time, r.load_time, r.first_call, r.median)]
        rows.append([run.labels[r.peer], *times, number(r.cold_start, 1)])
    header = ["ms", "import", "load", "first call", "steady call", "(load + first) / steady"]
    return section("In a fresh process, 128 tokens, 1 thread", header, rows)


def memory(run: Run) -> str:
    rows = [[run.labels[r.peer], number(r.memory, 0, 2**-20)] for r in run.find("memory") if r.memory is not None]
    return section("Peak resident memory above Python with numpy, 512 tokens, 1 thread", ["", "MiB"], rows)


def sizes(run: Run) -> str:
    """Packages without numpy, and the model file."""
    packages = [
        [name, number(found["own"], 1, 1e-6), number(found["all"], 1, 1e-6)]
        for name, found in run.sizes.items()
        if "own" in found
    ]
    files = [[name, number(found["file"], 1, 1e-6)] for name, found in run.sizes.items() if "file" in found]
    header = ["", "own files", "with requirements, without numpy"]
    parts = section("Installed size, MB", header, packages), section("Model file of MobileBERT, MB", ["", "MB"], files)
    return "\n\n".join(part for part in parts if part)


def _peers(run: Run, found: Sequence[Result]) -> list[str]:
    """In the order of the catalogue."""
    present = {result.peer for result in found}
    return [peer for peer in run.labels if peer in present]
