"""The command: environments, models, measurement group by group, results as JSON, tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.common import documents
from benchmarks.common.environment import Environment, existing, installed
from benchmarks.common.options import command_parser, names, new_run, numbers, say
from benchmarks.common.results import Run
from benchmarks.peers import plan, report
from benchmarks.peers.artifacts import ModelFile, Store, model_folder
from benchmarks.peers.catalogue import OURS, PACKAGES, PEERS, Peer
from benchmarks.peers.measure import Measurer
from benchmarks.peers.ratios import all_ratios

HELP = """MobileBERT in this engine and in others: one run, interleaved, pinned to the same CPUs, outputs compared.

    python benchmarks/peers                      everything: see the cases below; needs an otherwise idle machine
    python benchmarks/peers --quick              32 and 128 tokens on one thread: a first look in a minute or two
    python benchmarks/peers --peers ours-int8,litert-int8 --lengths 1,8 --threads 1
    python benchmarks/peers --cases load,memory,size

The first run installs the other engines in an environment of their own and converts the models for each (about 15
minutes); both are kept in $MBRT_CACHE, by default ~/.cache/mobilebert_rt (8 GB). Needs this project installed
(`pip install .`). Writes results.json and report.md to --out.

cases:  latency  one text of each length, all engines, each number of threads
        texts    64 texts of 5 to 60 tokens, several batch sizes, on the maximum number of threads
        family   MobileBERT_TINY, BERT-base, MiniLM and the default model in this engine and ONNX Runtime; the two BERTs
                 in CTranslate2, MiniLM in llama.cpp, and the mean of its word vectors
        load     in a fresh process: import, load, first call, steady call
        memory   peak resident memory at 512 tokens, above Python with numpy
        size     installed packages and model files
"""

ENVIRONMENTS = ("peers", OURS)
PLOT = "results_peers.svg"  # in docs


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
    add("--no-install", action="store_true", help="use what the cache folder has; report as missing what it has not")
    add("--threads", type=numbers, metavar="LIST", help="threads of a call (1,2)")
    add(
        "--python",
        type=override,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="use this Python as the environment NAME: peers or ours",
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
    given = {OURS: sys.executable, **dict(options.python)}
    wanted = dict.fromkeys(PEERS[name].environment for name in options.peers)
    found: dict[str, Environment] = {}
    for name in wanted:
        if name in given:
            found[name] = existing(name, given[name])
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
    store.make([file for group in groups for file in plan.model_files(group)])
    with Measurer(found, store, options, say) as measurer:
        for number, group in enumerate(groups):
            say(f"{group.name} ({number + 1} of {len(groups)}, {len(group.entries)} entries)")
            measurer.measure(group, run)
            run.ratios = all_ratios(run)
            run.write(options.out / "results.json")
        if "size" in options.cases:
            chosen = [PEERS[name] for name in peers]
            run.sizes = {**measurer.package_sizes(chosen)}
            if "mobilebert" in folders:
                run.sizes |= file_sizes(store, chosen, options.lengths[-1])


def file_sizes(store: Store, peers: Sequence[Peer], length: int) -> dict[str, dict[str, int]]:
    """Sizes of MobileBERT's model files by peer; of those for one length, that of `length`."""
    sizes = {}
    for peer in peers:
        path = store.path(ModelFile(peer, "mobilebert", length=length if peer.fixed_length else None))
        if path.is_file():
            parts = {path, path.with_suffix(".bin")}  # OpenVINO keeps its weights beside it
            sizes[peer.label] = {"file": sum(part.stat().st_size for part in parts if part.is_file())}
    return sizes


def draw(run: Run, file: Path) -> bool:
    """Plots latency and texts per second, if both were measured in int8."""
    if not (run.find("latency", precision="int8") and run.find("texts") and documents.can_plot(say)):
        return False
    from benchmarks.peers import plot  # noqa: PLC0415 - matplotlib is optional

    plot.latency_and_texts(run, file)
    return True


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
    if options.docs:
        text = f"{documents.provisional(run.machine, options.quick)}\n\n{text}"
        if draw(run, documents.RESULTS.with_name(PLOT)):
            text += f"\n![MobileBERT in int8: latency by length, and texts per second]({PLOT})"
        documents.put(documents.RESULTS, "peers", text)
    say(f"written to {options.out}")
    return 130 if interrupted else 0
