"""The command: options, environments, models, groups one after another, results as JSON, tables and plots."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.peers import documents, plan, report
from benchmarks.peers.artifacts import Store, Wanted, model_folder
from benchmarks.peers.catalogue import ENVIRONMENTS, OURS, PEERS
from benchmarks.peers.environment import Environment, existing, installed
from benchmarks.peers.machine import describe, processors
from benchmarks.peers.measure import Measurer, Settings
from benchmarks.peers.ratios import all_ratios
from benchmarks.peers.results import Run

HELP = """MobileBERT in this engine and in others, in one run, turn by turn, pinned, checked to compute the same.

    python benchmarks/peers                      everything: see --cases; wants a machine that does nothing else
    python benchmarks/peers --quick              32 and 128 tokens on one thread: a minute or two, for a first look
    python benchmarks/peers --peers ours-int8,litert-int8 --lengths 1,8 --threads 1
    python benchmarks/peers --cases load,memory,size

The first run installs the peers in an environment of their own and converts the models for each, which takes a quarter
of an hour; both are kept in $MBRT_CACHE (else ~/.cache/mobilebert_rt), 8 GB. The Python that runs this must have this
project installed (`pip install .`). Written to --out after every group: results.json, report.md, and plots as SVG.

cases:  latency  one text of each length, all peers, each number of threads
        texts    64 texts of 5 to 60 tokens, batches of several sizes, on the most threads
        family   MobileBERT_TINY, BERT-base, MiniLM and the default model in this engine and ONNX Runtime
        load     from a fresh process: import, load, first call, steady call
        memory   peak resident memory at 512 tokens, above Python with numpy
        size     installed packages and model files
"""

HERE = Path(__file__).resolve().parent
DRAWN = ("latency", "throughput", "threads", "load_memory_size")  # by plots.py


def say(what: str) -> None:
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{what}", file=sys.stderr, flush=True)


def names(known: Sequence[str], what: str) -> Callable[[str], list[str]]:
    """A parser of comma-separated names out of `known`."""

    def parse(text: str) -> list[str]:
        found = [part.strip() for part in text.split(",") if part.strip()]
        unknown = [name for name in found if name not in known]
        if unknown or not found:
            raise argparse.ArgumentTypeError(f"no {what} {', '.join(unknown) or 'given'}; there are {', '.join(known)}")
        return found

    return parse


def numbers(text: str) -> list[int]:
    """A parser of comma-separated counts."""
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers such as 1,8,128") from None
    if found[0] < 0:
        raise argparse.ArgumentTypeError(f"{found[0]} is negative")
    return found


def override(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or name not in (*ENVIRONMENTS, OURS):
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=PATH, NAME one of {', '.join((*ENVIRONMENTS, OURS))}")
    return name, path


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks/peers", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="32 and 128 tokens, 1 thread, few rounds; what is given besides holds")
    add("--cases", type=names(plan.CASES, "case"), metavar="LIST", help=f"of {','.join(plan.CASES)} (all)")
    add("--peers", type=names(tuple(PEERS), "peer"), metavar="LIST", help=f"of {','.join(PEERS)} (all)")
    add("--lengths", type=numbers, metavar="LIST", help=f"tokens, 1 to 512 ({','.join(map(str, plan.LENGTHS))})")
    add("--threads", type=numbers, metavar="LIST", help="threads of a call (1,2)")
    add("--cpus", type=numbers, metavar="LIST", help="processors to run on (those that are allowed, the last first)")
    add("--rounds", type=int, metavar="N", help="turns of everybody (15; 7 with many texts, 5 fresh processes)")
    add("--turn-ms", type=float, default=150.0, metavar="MS", help="length of a turn; one call at least (%(default)g)")
    add(
        "--out",
        type=Path,
        default=documents.ROOT / "build" / "peers",
        metavar="FOLDER",
        help="for the results (build/peers)",
    )
    add("--docs", action="store_true", help="write the tables to docs/results.md, two plots beside it")
    add("--no-install", action="store_true", help="use what is in the cache; what is not there is named as missing")
    add(
        "--python",
        type=override,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="use this Python for the environment NAME: peers, plots or ours",
    )
    options = parser.parse_args(arguments)
    quick = options.quick
    options.cases = options.cases or (["latency", "size"] if quick else list(plan.CASES))
    options.peers = options.peers or list(PEERS)
    options.lengths = options.lengths or list(plan.QUICK_LENGTHS if quick else plan.LENGTHS)
    options.threads = options.threads or ([1] if quick else [1, 2])
    options.rounds = (5 if quick else 15) if options.rounds is None else options.rounds
    options.cpus = options.cpus or processors()
    if not 1 <= options.lengths[0] <= options.lengths[-1] <= 512:
        parser.error("--lengths must be within 1 and 512")
    if min(options.rounds, options.threads[0]) < 1:
        parser.error("--rounds and --threads must be at least 1")
    return options


def environments(options: argparse.Namespace) -> dict[str, Environment]:
    """Of every chosen peer, installed where that is wanted."""
    given = dict(options.python)
    wanted = dict.fromkeys(PEERS[name].environment for name in options.peers)
    found: dict[str, Environment] = {}
    for name in wanted:
        if name in given:
            found[name] = existing(name, given[name])
        elif name == OURS:
            found[name] = existing(name, sys.executable)
        else:
            found[name] = installed(name, say, install=not options.no_install)
    return found


def present(options: argparse.Namespace, found: Mapping[str, Environment], run: Run) -> list[str]:
    """The peers that can be measured; the others go to run.missing."""
    found_here = []
    for name in options.peers:
        peer = PEERS[name]
        run.labels[name] = peer.label
        reason = found[peer.environment].why_missing(peer.distribution)
        if reason:
            run.missing[name] = reason
            say(f"missing: {peer.label}: {reason}")
        else:
            found_here.append(name)
            run.versions[peer.distribution] = found[peer.environment].versions[peer.distribution]
    return found_here


def measure(options: argparse.Namespace, run: Run) -> None:
    """Everything that was asked for, written down after each group."""
    found = environments(options)
    peers = present(options, found, run)
    if OURS in found and found[OURS].why_missing("mobilebert-rt"):
        say("this project is not installed here: run `pip install .` in its root, or give --python ours=PATH")
    threads = [count for count in options.threads if count <= len(options.cpus)]
    for count in sorted(set(options.threads) - set(threads)):
        run.notes.append(f"Not measured: {count} threads, since only {len(options.cpus)} processors may be used.")
    groups = list(plan.groups(options.cases, peers, options.lengths, threads or [1]))
    folders = {}
    for model in dict.fromkeys(entry.model for group in groups for entry in group.entries):
        folders[model], run.models[model] = model_folder(model, say)
    store = Store(found, folders, say)
    store.make([file for group in groups for entry in group.entries for file in plan.wanted(group, entry)])
    settings = Settings(options.cpus, options.rounds, options.turn_ms / 1e3, options.out / "logs")
    with Measurer(found, store, settings, say) as measurer:
        for number, group in enumerate(groups):
            say(f"{group.name} ({number + 1} of {len(groups)}, {len(group.entries)} entries)")
            measurer.measure(group, run)
            run.ratios = all_ratios(run)
            run.write(options.out / "results.json")
    if "size" in options.cases:
        run.sizes = sizes(options, peers, found, store if "mobilebert" in folders else None)


def sizes(
    options: argparse.Namespace, peers: Sequence[str], found: Mapping[str, Environment], store: Store | None
) -> dict[str, dict[str, object]]:
    """Of packages, by what is imported; of model files, by peer."""
    sizes: dict[str, dict[str, object]] = {}
    for name, environment in found.items():
        chosen = [PEERS[peer] for peer in peers if PEERS[peer].environment == name]
        imported = dict.fromkeys("+".join([peer.distribution, *peer.also]) for peer in chosen)
        command = [environment.python, str(HERE / "package_size.py"), *imported]
        done = subprocess.run(command, capture_output=True, text=True, cwd=os.sep, check=False)
        if done.returncode == 0:
            sizes |= json.loads(done.stdout)
        else:
            say(f"no package sizes from {environment.python}: {done.stderr.strip().splitlines()[-1:]}")
    for peer in (PEERS[name] for name in peers if store is not None):
        assert store is not None
        path = store.path(Wanted(peer, "mobilebert", length=options.lengths[-1] if peer.fixed_length else None))
        if path.is_file():  # OpenVINO keeps its weights beside it
            parts = {path, path.with_suffix(".bin")}
            sizes[peer.label] = {"file": sum(part.stat().st_size for part in parts if part.is_file())}
    return sizes


def plots(options: argparse.Namespace) -> None:
    for name in DRAWN:  # what is there is of another run
        (options.out / f"{name}.svg").unlink(missing_ok=True)
    given = dict(options.python)
    environment = (
        existing("plots", given["plots"]) if "plots" in given else installed("plots", say, not options.no_install)
    )
    reason = environment.why_missing("matplotlib")
    if reason:
        say(f"no plots: {reason}")
        return
    command = [environment.python, str(HERE / "plots.py"), str(options.out / "results.json"), str(options.out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"no plots: {done.stderr.strip().splitlines()[-1:]}")


def pictures(out: Path) -> list[str]:
    """The plots that belong to the tables, copied beside the document; what shows them there."""
    shown = []
    for name, title in (("latency", "Latency by length"), ("throughput", "Texts a second by batch")):
        if (out / f"{name}.svg").is_file():
            copy = documents.RESULTS.with_name(f"results_{name}.svg")
            shutil.copyfile(out / f"{name}.svg", copy)
            shown.append(f"![{title}]({copy.name})")
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    run = Run(
        command=shlex.join(["python", "benchmarks/peers", *given]),
        date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        machine=describe(options.cpus),
        options={
            name: getattr(options, name) for name in ("cases", "peers", "lengths", "threads", "rounds", "turn_ms")
        },
    )
    interrupted = False
    options.out = options.out.absolute()
    try:
        measure(options, run)
    except KeyboardInterrupt:
        interrupted = True
        run.notes.append("The run was interrupted: what is missing was not measured.")
    run.ratios = all_ratios(run)
    run.write(options.out / "results.json")
    text = report.report(run)
    (options.out / "report.md").write_text(text, encoding="utf-8")
    print(text)
    plots(options)
    if options.docs:
        warning = documents.provisional(run.machine, options.quick)
        parts = [part for part in (warning, text, *pictures(options.out)) if part]
        documents.put(documents.RESULTS, "peers", "\n\n".join(parts))
    say(f"written to {options.out}")
    return 130 if interrupted else 0
