"""Tables in Markdown: machine and versions, what is missing and why, times, memory, sizes."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.common.markdown import NOTHING, milliseconds, number, table
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


def latency(run: Run, threads: int) -> str:
    """Medians by length, and the min cosine to the reference."""
    found = run.find("latency", threads=threads)
    lengths = sorted({result.length for result in found})
    rows = []
    for peer in _peers(run, found):
        own = {result.length: result for result in found if result.peer == peer}
        cells = [_spread(own[length]) if length in own else NOTHING for length in lengths]
        cosines = [result.cosine for result in own.values() if result.cosine is not None]
        rows.append([run.labels[peer], *cells, f"{min(cosines):.4f}" if cosines else NOTHING])
    title = f"MobileBERT, one text, {threads} thread{'s' * (threads > 1)}: median in ms ± half the interquartile range"
    return f"### {title}\n\n" + table(["tokens", *map(str, lengths), "cosine"], rows)


def comparisons(run: Run) -> str:
    rows = [
        [
            one["name"],
            one["other"],
            f"{1e3 * one['ours_seconds']:.2f}",
            f"{1e3 * one['other_seconds']:.2f}",
            f"{one['value']:.2f}",
            f"{one['low']:.2f} - {one['high']:.2f}",
        ]
        for one in run.ratios
    ]
    header = ["comparison", "with", "ours, ms", "other, ms", "ratio", "quartiles"]
    return "### Ratios: other over ours\n\n" + table(header, rows) if rows else ""


def texts(run: Run) -> str:
    """Texts per second of every configuration, and the best."""
    found = run.find("texts")
    if not found:
        return ""
    configurations = sorted({(r.threads, r.copies, r.batch) for r in found})
    rows = []
    for peer in _peers(run, found):
        own = {(r.threads, r.copies, r.batch): r.texts_per_second for r in found if r.peer == peer}
        rows.append(
            [
                run.labels[peer],
                *(f"{own[way]:.0f}" if way in own else NOTHING for way in configurations),
                f"{max(own.values()):.0f}",
            ]
        )
    header = [f"{threads}t x{copies} b{batch}" for threads, copies, batch in configurations]
    title = "### 64 texts of 5 to 60 tokens (mean 20): texts per second, by threads, engines and batch size"
    return f"{title}\n\n" + table(["", *header, "best"], rows)


def family(run: Run) -> str:
    rows = [
        [
            run.labels[r.peer],
            ratios.SHAPES[r.model],
            run.models.get(r.model, ""),
            str(r.length),
            _spread(r),
            number(r.cosine, 4),
        ]
        for r in run.find("family")
    ]
    header = ["", "model", "weights", "tokens", "ms", "cosine"]
    return "### Other models, 1 thread\n\n" + table(header, rows) if rows else ""


def load(run: Run) -> str:
    rows = [
        [
            run.labels[r.peer],
            *(number(_scaled(x, 1e3), 1) for x in (r.import_time, r.load_time, r.first_call, r.median)),
            number(r.cold_start, 1),
        ]
        for r in run.find("load")
    ]
    header = ["ms", "import", "load", "first call", "steady call", "(load + first) / steady"]
    return "### In a fresh process, 128 tokens, 1 thread\n\n" + table(header, rows) if rows else ""


def memory(run: Run) -> str:
    rows = [[run.labels[r.peer], f"{r.memory / 2**20:.0f}"] for r in run.find("memory") if r.memory is not None]
    title = "### Peak resident memory above Python with numpy, 512 tokens, 1 thread"
    return f"{title}\n\n" + table(["", "MiB"], rows) if rows else ""


def sizes(run: Run) -> str:
    """Packages without numpy, and the model file."""
    rows = [
        [name, *(number(_scaled(found.get(key), 1e-6), 1) for key in ("own", "all"))]
        for name, found in run.sizes.items()
        if "own" in found
    ]
    files = [[name, f"{found['file'] / 1e6:.1f}"] for name, found in run.sizes.items() if "file" in found]
    parts = []
    if rows:
        parts.append("### Installed size, MB\n\n" + table(["", "own files", "with requirements, without numpy"], rows))
    if files:
        parts.append("### Model file of MobileBERT, MB\n\n" + table(["", "MB"], files))
    return "\n\n".join(parts)


def _peers(run: Run, found: Sequence[Result]) -> list[str]:
    """In the order of the catalogue."""
    present = {result.peer for result in found}
    return [peer for peer in run.labels if peer in present]


def _spread(result: Result) -> str:
    return milliseconds(result.median, result.first_quartile, result.third_quartile)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value
