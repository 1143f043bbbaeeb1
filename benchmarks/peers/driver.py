"""The command: environments, models, measurement group by group, results as JSON, tables and plots."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.common import documents
from benchmarks.common.environment import Environment, existing, installed
from benchmarks.common.options import command_parser, document, draw, names, new_run, numbers, say
from benchmarks.common.results import Run
from benchmarks.peers import plan, report
from benchmarks.peers.artifacts import Store, Wanted, model_folder
from benchmarks.peers.catalogue import OURS, PACKAGES, PEERS
from benchmarks.peers.measure import Measurer, Settings
from benchmarks.peers.ratios import all_ratios

HELP = """MobileBERT in this engine and in others: one run, interleaved, pinned to the same CPUs, outputs compared.

    python benchmarks/peers                      everything: see the cases below; needs an otherwise idle machine
    python benchmarks/peers --quick              32 and 128 tokens on one thread: a first look in a minute or two
    python benchmarks/peers --peers ours-int8,litert-int8 --lengths 1,8 --threads 1
    python benchmarks/peers --cases load,memory,size

The first run installs the other engines in an environment of their own and converts the models for each (about 15
minutes); both are kept in $MBRT_CACHE, by default ~/.cache/mobilebert_rt (8 GB). Needs this project installed
(`pip install .`). Writes results.json, report.md and plots to --out.

cases:  latency  one text of each length, all engines, each number of threads
        texts    64 texts of 5 to 60 tokens, several batch sizes, on the maximum number of threads
        family   MobileBERT_TINY, BERT-base, MiniLM and the default model in this engine and ONNX Runtime
        load     in a fresh process: import, load, first call, steady call
        memory   peak resident memory at 512 tokens, above Python with numpy
        size     installed packages and model files
"""

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = ("peers", "plots", OURS)


def override(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or name not in ENVIRONMENTS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=PATH, NAME one of {', '.join(ENVIRONMENTS)}")
    return name, path


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser("peers", HELP)
    add = parser.add_argument
    add("--quick", action="store_true", help="32 and 128 tokens, 1 thread, few rounds; other options override it")
    add("--cases", type=names(plan.CASES, "case"), metavar="LIST", help=f"of {','.join(plan.CASES)} (all)")
    add("--peers", type=names(tuple(PEERS), "peer"), metavar="LIST", help=f"of {','.join(PEERS)} (all)")
    add("--lengths", type=numbers, metavar="LIST", help=f"tokens, 1 to 512 ({','.join(map(str, plan.LENGTHS))})")
    add("--threads", type=numbers, metavar="LIST", help="threads of a call (1,2)")
    add(
        "--python",
        type=override,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="use this Python as the environment NAME: peers, plots or ours",
    )
    options = parser.parse_args(arguments)
    quick = options.quick
    options.cases = options.cases or (["latency", "size"] if quick else list(plan.CASES))
    options.peers = options.peers or list(PEERS)
    options.lengths = options.lengths or list(plan.QUICK_LENGTHS if quick else plan.LENGTHS)
    options.threads = options.threads or ([1] if quick else [1, 2])
    options.rounds = (5 if quick else 15) if options.rounds is None else options.rounds
    if not 1 <= options.lengths[0] <= options.lengths[-1] <= 512:
        parser.error("--lengths must be within 1 and 512")
    if min(options.rounds, options.threads[0]) < 1:
        parser.error("--rounds and --threads must be at least 1")
    return options


def environments(options: argparse.Namespace) -> dict[str, Environment]:
    """The environments of the chosen peers, installed unless --no-install was given."""
    given = dict(options.python)
    wanted = dict.fromkeys(PEERS[name].environment for name in options.peers)
    found: dict[str, Environment] = {}
    for name in wanted:
        if name in given:
            found[name] = existing(name, given[name])
        elif name == OURS:
            found[name] = existing(name, sys.executable)
        else:
            found[name] = installed(name, PACKAGES, say, install=not options.no_install)
    return found


def present(options: argparse.Namespace, found: Mapping[str, Environment], run: Run) -> list[str]:
    """The peers that can be measured; the others are recorded in run.missing."""
    found_here = []
    for name in options.peers:
        peer = PEERS[name]
        run.labels[name] = peer.label
        reason = found[peer.environment].missing_reason(peer.distribution)
        if reason:
            run.missing[name] = reason
            say(f"missing: {peer.label}: {reason}")
        else:
            found_here.append(name)
            run.versions[peer.distribution] = found[peer.environment].versions[peer.distribution]
    return found_here


def measure(options: argparse.Namespace, run: Run) -> None:
    """All chosen cases; results are written after each group."""
    found = environments(options)
    peers = present(options, found, run)
    if OURS in found and found[OURS].missing_reason("mobilebert-rt"):
        say("this project is not installed: run `pip install .` in its root, or give --python ours=PATH")
    threads = [count for count in options.threads if count <= len(options.cpus)]
    for count in sorted(set(options.threads) - set(threads)):
        run.notes.append(f"Not measured: {count} threads; only {len(options.cpus)} CPUs may be used.")
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
    """Sizes of packages by what is imported, and of model files by peer."""
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


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    options.out = options.out.absolute()
    run = new_run("peers", arguments, options, "cases", "peers", "lengths", "threads", "rounds", "turn_ms")
    interrupted = False
    try:
        measure(options, run)
    except KeyboardInterrupt:
        interrupted = True
        run.notes.append("The run was interrupted: results are incomplete.")
    run.ratios = all_ratios(run)
    run.write(options.out / "results.json")
    text = report.report(run)
    (options.out / "report.md").write_text(text, encoding="utf-8")
    print(text)
    draw(options.out, dict(options.python).get("plots"), not options.no_install)
    if options.docs:
        plots = {"latency": "Latency by length", "throughput": "Texts per second by batch size"}
        document(options.out, "peers", plots, documents.provisional(run.machine, options.quick), text)
    say(f"written to {options.out}")
    return 130 if interrupted else 0
