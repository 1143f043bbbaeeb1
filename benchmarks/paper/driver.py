"""The command: models, turns, tables, plot, documentation."""

from __future__ import annotations

import argparse
import datetime
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.paper import systems, tables
from benchmarks.paper.systems import System
from benchmarks.paper.tables import PRECISIONS, Findings, Timing
from benchmarks.peers import documents, inputs
from benchmarks.peers.artifacts import Store, Wanted, model_folder
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.peers.driver import numbers, say
from benchmarks.peers.environment import existing, installed
from benchmarks.peers.machine import describe, processors
from benchmarks.peers.measure import Seat
from benchmarks.peers.session import SCRIPT, PeerError, Worker
from benchmarks.peers.turns import Record, take_turns

HELP = """Tables 4 and 7 of the MobileBERT paper (Sun et al. 2020), with the columns that this machine gives.

    python benchmarks/paper                 both tables; wants a machine that does nothing else
    python benchmarks/paper --docs          and writes them to docs/results.md, with the plot beside it
    python benchmarks/paper --quick         three rounds, without the two largest systems: for a first look
    python benchmarks/paper --systems mobilebert,bert-base

Table 4: parameters and FLOPs computed from each configuration, latency of one text of 128 tokens in this engine in
fp32 and int8, beside the published columns. Table 7: MobileBERT with LayerNorm or NoNorm, GELU or ReLU. Weights are
random, which changes no time. All systems of a table take turns in one run, pinned; medians. ELMo and GPT are quoted.

The Python that runs this must have this project installed (`pip install .`). The models (10 GB for all) are kept in
$MBRT_CACHE, else ~/.cache/mobilebert_rt. Written to --out: results.json, report.md, glue.svg.
"""

PLOT = documents.RESULTS.with_name("results_glue.svg")
LARGE = ("bert-large", "ib-bert-large")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    known = [system.key for system in systems.SYSTEMS if system.config is not None]
    parser = argparse.ArgumentParser(
        prog="benchmarks/paper", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="3 rounds, without BERT_LARGE and its teacher")
    add("--systems", metavar="LIST", help=f"of table 4: {','.join(known)} (all)")
    add("--threads", type=int, default=1, metavar="N", help="threads of a call (%(default)s)")
    add("--cpus", type=numbers, metavar="LIST", help="processors to run on (those that are allowed, the last first)")
    add("--rounds", type=int, metavar="N", help="turns of everybody (15)")
    add("--turn-ms", type=float, default=150.0, metavar="MS", help="length of a turn (%(default)g)")
    add(
        "--out",
        type=Path,
        default=documents.ROOT / "build" / "paper",
        metavar="FOLDER",
        help="for the results (build/paper)",
    )
    add("--only-sizes", action="store_true", help="run nothing: parameters and FLOPs beside the published columns")
    add("--docs", action="store_true", help="write docs/results.md and its plot")
    add("--no-install", action="store_true", help="do not install matplotlib in an environment of its own")
    add("--plot-python", metavar="PATH", help="a Python that has matplotlib, instead of that environment")
    options = parser.parse_args(arguments)
    options.cpus = options.cpus or processors()
    options.rounds = (3 if options.quick else 15) if options.rounds is None else options.rounds
    default = [key for key in known if not (options.quick and key in LARGE)]
    options.systems = options.systems.split(",") if options.systems else default
    if unknown := [key for key in options.systems if key not in known]:
        parser.error(f"no system {', '.join(unknown)}; there are {', '.join(known)}")
    if not 1 <= options.threads <= len(options.cpus) or options.rounds < 1:
        parser.error(f"--threads must be 1 to {len(options.cpus)}, the processors in use, and --rounds at least 1")
    return options


def measure(options: argparse.Namespace, found: Findings) -> None:
    """Both tables, each written down when it is done."""
    chosen = [system for system in systems.SYSTEMS if system.key in options.systems]
    environment = existing(OURS, sys.executable)
    if reason := environment.why_missing("mobilebert-rt"):
        raise SystemExit(f"{reason}: run `pip install .` in the root of this project")
    found.version = environment.versions["mobilebert-rt"]
    keys = [system.key for system in (*chosen, *systems.OPTIMISATIONS)]
    folders = {key: model_folder(key, say)[0] for key in dict.fromkeys(keys)}
    store = Store({OURS: environment}, folders, say)
    store.make([Wanted(PEERS[f"ours-{precision}"], key) for key in folders for precision in PRECISIONS])
    for name, rows in (("table7", systems.OPTIMISATIONS), ("table4", chosen)):
        say(f"{name}: {len(rows)} systems in {' and '.join(PRECISIONS)}, {options.rounds} rounds")
        setattr(found, name, turns(options, store, rows))
        found.write(options.out / "results.json")


def turns(options: argparse.Namespace, store: Store, rows: Sequence[System]) -> dict[str, dict[str, Timing]]:
    """Everybody in both precisions, in one process, turn by turn."""
    command = [sys.executable, str(SCRIPT)]
    log = options.out / "logs" / "ours.log"
    seats: dict[str, Seat] = {}
    errors: dict[str, str] = {}
    with Worker("mobilebert_rt", command, options.cpus[-options.threads :], log) as worker:
        for row in rows:
            for precision in PRECISIONS:
                name = f"{row.key} {precision}"
                try:
                    _prepare(worker, name, store.ready(Wanted(PEERS[f"ours-{precision}"], row.key)), options.threads)
                    seats[name] = Seat(worker, name)
                except PeerError as error:
                    errors[name] = str(error)
        records = take_turns(seats, options.rounds, options.turn_ms / 1e3, _progress)
    return {
        row.key: {
            precision: _timing(records.get(name), errors.get(name))
            for precision in PRECISIONS
            if (name := f"{row.key} {precision}")
        }
        for row in rows
    }


def _prepare(worker: Worker, name: str, path: Path, threads: int) -> None:
    worker.ask(
        "prepare",
        program=name,
        runtime=OURS,
        options={},
        threads=threads,
        copies=1,
        files=[{"path": str(path)}],
        batches=[[inputs.text(systems.LENGTH, seed=systems.LENGTH)]],
    )


def _timing(record: Record | None, error: str | None) -> Timing:
    if record is None or record.error is not None:
        return Timing(None, error=error or (record.error if record else None) or "it was not measured")
    return Timing(record.median, *record.quartiles, calls=record.calls)


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[Kround {done + 1} of {of}")
        sys.stderr.flush()


def plot(options: argparse.Namespace) -> Path | None:
    """The plot's file, or None with a word on why."""
    python = options.plot_python
    environment = existing("plots", python) if python else installed("plots", say, not options.no_install)
    if reason := environment.why_missing("matplotlib"):
        say(f"no plot: {reason}")
        return None
    file: Path = options.out / "glue.svg"
    script = Path(__file__).with_name("plot.py")
    command = [environment.python, str(script), str(options.out / "results.json"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"no plot: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return file


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    options.out = options.out.absolute()
    given = sys.argv[1:] if arguments is None else arguments
    found = Findings(
        command=shlex.join(["python", "benchmarks/paper", *given]),
        date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        machine=describe(options.cpus[-options.threads :]),
        version="",
        threads=options.threads,
        quick=options.quick,
    )
    if not options.only_sizes:
        measure(options, found)
    # Quoted systems are shown beside the measured ones, not beside a choice of them.
    whole = [s for s in systems.SYSTEMS if s.config is None or s.key in options.systems]
    texts = {"table-4": tables.table4(found, whole), "table-7": tables.table7(found, systems.OPTIMISATIONS)}
    report = "\n\n".join(f"## {name.replace('-', ' ').capitalize()}\n\n{text}" for name, text in texts.items())
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "report.md").write_text(report + "\n", encoding="utf-8")
    print(report)
    drawn = None if options.only_sizes else plot(options)
    if options.docs:
        if drawn is not None:
            shutil.copyfile(drawn, PLOT)
            texts["table-4"] += f"\n\n![Latency of one text against the published GLUE score]({PLOT.name})"
        for name, text in texts.items():
            documents.put(documents.RESULTS, name, text)
    say(f"written to {options.out}" + (f" and {documents.RESULTS}" if options.docs else ""))
    return 0
