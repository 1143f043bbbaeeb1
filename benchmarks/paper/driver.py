"""The command: models, interleaved measurement, tables, plot, documentation."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import documents
from benchmarks.common.environment import existing
from benchmarks.common.options import command_parser, names, new_run, say
from benchmarks.common.results import Run
from benchmarks.paper import systems, tables
from benchmarks.peers.artifacts import Store, model_folder
from benchmarks.peers.catalogue import OURS, PEERS, Peer
from benchmarks.peers.measure import Measurer
from benchmarks.peers.plan import Entry, Group, one_text

HELP = """Tables 4 and 7 of the MobileBERT paper (Sun et al. 2020), with columns measured on this machine.

    python benchmarks/paper                 both tables; needs an otherwise idle machine
    python benchmarks/paper --docs          the same, written into docs/results.md, with a plot
    python benchmarks/paper --quick         three rounds, without the two largest systems: a first look
    python benchmarks/paper --systems mobilebert,bert-base
    python benchmarks/paper --only-sizes    run nothing: parameters and FLOPs beside the published ones

Table 4: parameters and FLOPs computed from each configuration, latency of one text of 128 tokens in this engine in
fp32 and int8, beside the published columns. Table 7: MobileBERT with LayerNorm or NoNorm, GELU or ReLU. Weights are
random, which does not change the time. Runs of all systems of a table are interleaved and pinned to the same CPUs;
figures are medians. ELMo runs in PyTorch, as a baseline; all others in this engine.

Needs this project installed (`pip install .`), and for ELMo torch and safetensors. The models (11 GB for all) are kept
in $MBRT_CACHE, by default ~/.cache/mobilebert_rt. Writes results.json and report.md to --out, and glue.svg with
matplotlib.
"""

ELMO_PEER = Peer("elmo", "PyTorch fp32", "elmo", "fp32", "torch", environment=OURS)
LARGE = ("bert-large", "ib-bert-large")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = [system.key for system in systems.SYSTEMS]
    parser = command_parser("paper", HELP)
    add = parser.add_argument
    add("--quick", action="store_true", help="3 rounds, without BERT_LARGE and its teacher")
    add("--systems", type=names(known, "system"), metavar="LIST", help=f"of table 4: {','.join(known)} (all)")
    add("--threads", type=int, default=1, metavar="N", help="threads of a call (%(default)s)")
    add("--only-sizes", action="store_true", help="run nothing: parameters and FLOPs beside the published columns")
    options = parser.parse_args(arguments)
    options.rounds = (3 if options.quick else 15) if options.rounds is None else options.rounds
    options.systems = options.systems or [key for key in known if not (options.quick and key in LARGE)]
    if not 1 <= options.threads <= len(options.cpus) or options.rounds < 1:
        parser.error(f"--threads must be 1 to {len(options.cpus)}, the number of CPUs, and --rounds at least 1")
    return options


def measure(options: argparse.Namespace, run: Run) -> None:
    """Both tables; results are written after each."""
    ours = existing(OURS, sys.executable)
    if reason := ours.missing_reason("mobilebert-rt"):
        raise SystemExit(f"{reason}: run `pip install .` in the root of this project")
    run.versions["mobilebert-rt"] = ours.versions["mobilebert-rt"]
    if "torch" in ours.versions:
        run.versions["torch"] = ours.versions["torch"]
    groups = groups_of(options)
    folders = {entry.model: model_folder(entry.model, say)[0] for group in groups for entry in group.entries}
    with Measurer({OURS: ours}, Store({OURS: ours}, folders, say), options, say) as measurer:
        for group in groups:
            say(f"{group.name}: {len(group.entries)} entries, {options.rounds} rounds")
            measurer.measure(group, run)
            run.write(options.out / "results.json")


def groups_of(options: argparse.Namespace) -> list[Group]:
    """A group for each table: every system in this engine in both precisions, and ELMo in PyTorch."""
    chosen = [system for system in systems.SYSTEMS if system.key in options.systems]
    ours = [PEERS[f"ours-{precision}"] for precision in tables.PRECISIONS]
    groups = []
    for name, rows in (("table7", systems.OPTIMISATIONS), ("table4", chosen)):
        pairs = [(peer, row.key) for row in rows for peer in ([ELMO_PEER] if row.key == "elmo" else ours)]
        entries = tuple(Entry(peer, key, options.threads) for peer, key in pairs)
        groups.append(Group(name, name, one_text(systems.LENGTH), entries, checked=False))
    return groups


def draw(run: Run, file: Path) -> Path | None:
    """The plot of table 4; None without matplotlib."""
    if not documents.can_plot(say):
        return None
    from benchmarks.paper import plot  # noqa: PLC0415 - matplotlib is optional

    plot.glue(run, file)
    return file


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    options.out = options.out.absolute()
    run = new_run("paper", arguments, options, "quick", "threads", "rounds", "turn_ms")
    if not options.only_sizes:
        measure(options, run)
    chosen = [system for system in systems.SYSTEMS if system.key in options.systems]
    table4, table7 = tables.table4(run, chosen), tables.table7(run, systems.OPTIMISATIONS)
    report = f"## Table 4\n\n{table4}\n\n## Table 7\n\n{table7}\n"
    print(report)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.md").write_text(report, encoding="utf-8")
    plot = None if options.only_sizes else draw(run, options.out / "glue.svg")
    if options.docs:
        if plot is not None:
            copy = shutil.copyfile(plot, documents.RESULTS.with_name("results_glue.svg"))
            table4 += f"\n\n![Latency of one text against the published GLUE score]({copy.name})"
        documents.put(documents.RESULTS, "table-4", table4)
        documents.put(documents.RESULTS, "table-7", table7)
    say(f"written to {options.out}")
    return 0
