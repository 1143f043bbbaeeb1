"""The command: python -m benchmarks.serving --help."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import shlex
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common.environment import existing
from benchmarks.common.machine import allowed_cpus, describe
from benchmarks.common.options import say
from benchmarks.peers.artifacts import ModelFile, Store, model_folder
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.serving import servers, texts
from benchmarks.serving.client import Slice, Target, drive, same_bits, same_direction
from benchmarks.serving.servers import VARIANTS, Server, Variant
from scripts.common import BUILD, exit_with, make_parser

DESCRIPTION = """\
`mbrt serve` compared with FastAPI, tokenizers and ONNX Runtime int8 (plain.py), with the same model, all-MiniLM-L6-v2.

Connections that stay open send one sentence at a time to /embed; every answer is compared with the right one. The two
servers run in turns of some seconds, the other one paused (SIGSTOP); the client has its share of the same processors.
Every way to run the FastAPI server is tried for a few seconds, and the one that answers the most requests is compared.
"""
REPORTED = ("fastapi", "uvicorn", "httptools", "uvloop", "tokenizers", "onnxruntime", "orjson", "starlette", "numpy")
WARM_UP = 0.5


def parser() -> argparse.ArgumentParser:
    found = make_parser(DESCRIPTION, prog="benchmarks.serving")
    add = found.add_argument
    add("--model", type=Path, metavar="FOLDER", help="a sentence-transformers folder (all-MiniLM-L6-v2)")
    add("--texts", type=Path, metavar="FILE", help="one sentence a line (sentences of docs/)")
    add("--connections", type=int, default=64, metavar="N", help="connections, each with one request (%(default)s)")
    add("--seconds", type=float, default=60.0, metavar="S", help="time that each server is measured (%(default)g)")
    add("--slice", type=float, default=10.0, metavar="S", help="time of a turn (%(default)g)")
    add("--try", type=float, default=4.0, dest="attempt", metavar="S", help="time to try a variant (%(default)g)")
    add("--variant", metavar="W,T,P", help="try only this one: workers, threads of ONNX Runtime, threads that answer")
    add(
        "--option",
        action="append",
        default=[],
        metavar="WORD",
        help="a word for mbrt serve, such as --option=--threads=1",
    )
    add("--out", type=Path, default=BUILD / "serving", metavar="FOLDER", help="results (build/serving)")
    return found


class Files:
    """The model in both forms, the sentences, and the right answers of both."""

    def __init__(self, options: argparse.Namespace) -> None:
        folder, self.weights = (options.model, "given") if options.model else model_folder("minilm", say)
        here = existing("here", sys.executable)
        store = Store({"peers": here, OURS: here}, {"model": folder}, say)
        files = [ModelFile(PEERS["ours-int8"], "model"), ModelFile(PEERS["ort-int8"], "model", masked=True)]
        store.make(files)
        self.ours, self.plain = map(store.ready, files)
        self.tokenizer = folder / "tokenizer.json"
        self.texts = texts.from_file(options.texts) if options.texts else texts.from_documentation()

    def targets(self) -> tuple[Any, Any]:
        """What makes a Target of a port, for both servers. The right answers are those of texts that run alone."""
        from benchmarks.serving.plain import Embedder  # noqa: PLC0415 - imports ONNX Runtime
        from mobilebert_rt import TextEmbedder  # noqa: PLC0415 - compiled on import

        embedder = TextEmbedder.from_pretrained(self.ours, num_threads=1)
        peer = Embedder(str(self.plain), str(self.tokenizer), threads=1)
        right = [embedder(text, normalize=True) for text in self.texts]
        peers = [peer([text])[0] for text in self.texts]
        return (
            lambda port: Target(port, self.texts, right, same_bits),
            lambda port: Target(port, self.texts, peers, same_direction),
        )


def measured(server: Server, target: Target, options: argparse.Namespace, seconds: float) -> dict[str, Any]:
    server.resume()
    cpu = server.cpu_seconds()
    found = drive(target, options.connections, WARM_UP, seconds)
    used = (server.cpu_seconds() - cpu) / (found.seconds + WARM_UP)
    server.pause()
    return summary(found) | {"server_cpu": used}


def summary(found: Slice) -> dict[str, Any]:
    times = sorted(found.latencies) or [float("nan")]
    share = {f"p{n}": 1e3 * times[min(len(times) - 1, len(times) * n // 100)] for n in (50, 90, 99)}
    return {
        "requests": len(found.latencies),
        "rate": found.rate,
        **share,
        "wrong": found.wrong,
        "errors": found.errors,
        "client_cpu": found.client_cpu,
    }


def median(slices: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over slices; sums of requests, wrong answers and errors."""
    names = ("rate", "p50", "p90", "p99", "server_cpu", "client_cpu")
    found: dict[str, Any] = {name: statistics.median(one[name] for one in slices) for name in names}
    found |= {name: sum(one[name] for one in slices) for name in ("requests", "wrong")}
    return found | {"errors": sum(sum(one["errors"].values()) for one in slices), "slices": list(slices)}


def best_variant(files: Files, make_target: Any, options: argparse.Namespace) -> tuple[Variant, list[dict[str, Any]]]:
    """The variant of the FastAPI server that answers the most requests, and what each one did."""
    chosen = [Variant(*map(int, options.variant.split(",")))] if options.variant else VARIANTS
    tried: list[tuple[float, Variant, dict[str, Any]]] = []
    for variant in chosen:
        with servers.plain(files.plain, files.tokenizer, variant, options.out / "plain.log") as server:
            found = measured(server, make_target(server.port), options, options.attempt)
        tried.append((found["rate"], variant, found))
        say(f"  {variant}: {found['rate']:.0f} requests/s, p99 {found['p99']:.0f} ms")
    best = max(tried, key=lambda one: one[0])[1]
    return best, [asdict(variant) | found for _, variant, found in tried]


def compare(files: Files, options: argparse.Namespace) -> dict[str, Any]:
    make_ours, make_plain = files.targets()
    variant, tried = best_variant(files, make_plain, options)
    slices: dict[str, list[dict[str, Any]]] = {"mbrt serve": [], "FastAPI": []}
    with (
        servers.ours(files.ours, options.out / "ours.log", *options.option) as ours,
        servers.plain(files.plain, files.tokenizer, variant, options.out / "plain.log") as plain,
    ):
        turns = [("mbrt serve", ours, make_ours(ours.port)), ("FastAPI", plain, make_plain(plain.port))]
        ours.pause()
        plain.pause()
        for _ in range(max(1, round(options.seconds / options.slice))):
            for name, server, target in turns:
                found = measured(server, target, options, options.slice)
                slices[name].append(found)
                say(f"  {name}: {found['rate']:.0f} requests/s, p99 {found['p99']:.1f} ms")
    return {"variant": str(variant), "tried": tried} | {name: median(found) for name, found in slices.items()}


def table(found: dict[str, Any]) -> str:
    lines = [
        "| server | requests/s | p50 ms | p90 ms | p99 ms | wrong | errors | server's cores | client's cores |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in ("mbrt serve", "FastAPI"):
        row = found[name]
        times = " | ".join(f"{row[p]:.1f}" for p in ("p50", "p90", "p99"))
        cores = f"{row['server_cpu']:.2f} | {row['client_cpu']:.2f}"
        lines.append(f"| {name} | {row['rate']:.0f} | {times} | {row['wrong']} | {row['errors']} | {cores} |")
    ratio = found["mbrt serve"]["rate"] / found["FastAPI"]["rate"]
    return "\n".join([*lines, "", f"Requests/s: {ratio:.2f} times. FastAPI: {found['variant']}."])


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    options.out = options.out.absolute()
    files = Files(options)
    given = sys.argv[1:] if arguments is None else arguments
    words = [len(text.split()) for text in files.texts]
    run = {
        "command": shlex.join(["python", "-m", "benchmarks.serving", *given]),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": describe(allowed_cpus()),
        "versions": {name: importlib.metadata.version(name) for name in REPORTED},
        "model": files.weights,
        "texts": {"count": len(words), "words": [min(words), statistics.median(words), max(words)]},
        "connections": options.connections,
    }
    found = compare(files, options)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(run | found, indent=1) + "\n", encoding="utf-8")
    print(table(found))
    say(f"written to {options.out}/results.json")
    return 1 if any(found[name]["wrong"] or found[name]["errors"] for name in ("mbrt serve", "FastAPI")) else 0


if __name__ == "__main__":
    exit_with(main)
