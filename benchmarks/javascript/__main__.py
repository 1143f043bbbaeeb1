"""The command: python -m benchmarks.javascript --help."""

from __future__ import annotations

import argparse
import datetime
import json
import math
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.machine import allowed_cpus, describe
from benchmarks.common.markdown import NOTHING, table
from benchmarks.common.options import say
from benchmarks.javascript.models import Texts, write_models
from benchmarks.peers.interleaved import quartiles
from scripts.common import BUILD, REPOSITORY, ScriptError, exit_with, find_tool, make_parser, run

DESCRIPTION = """\
The npm package compared with ONNX Runtime Web and transformers.js, in Node and Chromium, on one thread. For texts of
128 tokens, it is measured with two threads too.

Engines take turns in one process: in each round each one runs for some milliseconds. ONNX Runtime Web takes token ids
and returns the last hidden state; the others take text. transformers.js runs native code in Node.
The package must be built: make test-js. Peers are installed into build/javascript.
"""
PEERS = {"onnxruntime-web": "1.30.0", "@huggingface/transformers": "4.3.2"}
LABELS = ["sport", "politics", "science", "music", "travel"]
HYPOTHESIS = "This example is sport."  # the default template of both; every label is one token
OURS, PLAIN, TWO = "relaxed", "plain", "relaxed, 2 threads"
ORT, FLOAT, HUB = "ORT int8", "ORT fp32", "transformers.js q8"
COLUMNS = (OURS, PLAIN, TWO, ORT, FLOAT, HUB)
TITLES = {
    "default-32": "default model, 32 tokens",
    "default-128": "default model, 128 tokens",
    "mobilebert-128": "24 layers, 128 tokens",
    "zero-shot-32": "zero-shot, 24 layers, 5 labels, 32 tokens",
    "first": "`import` to first embedding",
}


def parser() -> argparse.ArgumentParser:
    found = make_parser(DESCRIPTION, prog="benchmarks.javascript")
    add = found.add_argument
    add("--node", action="append", metavar="PATH", help="a Node to measure in; may be repeated (the one of the PATH)")
    add("--chromium", default="chromium", metavar="PATH", help='a Chromium; "" for none (%(default)s)')
    add("--rounds", type=int, default=11, metavar="N", help="turns of each engine (%(default)s)")
    add("--turn-ms", type=float, default=150.0, metavar="MS", help="time of a turn (%(default)g)")
    add("--warm-up-ms", type=float, default=3000.0, metavar="MS", help="time before the first turn (%(default)g)")
    add("--starts", type=int, default=5, metavar="N", help="new processes of each engine (%(default)s)")
    add("--rest-ms", type=float, default=2000.0, metavar="MS", help="age of a Chromium at such a start (%(default)g)")
    add("--out", type=Path, default=BUILD / "javascript", metavar="FOLDER", help="files and results (build/javascript)")
    return found


def prepare(folder: Path) -> None:
    """Models, peers, and links to the package and to these programs, all below `folder`: a server's root."""
    if not (REPOSITORY / "js/dist/wasm").is_dir():
        raise ScriptError("js/dist: not found; expected the built package. Build it with `make test-js`.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, target in (("mobilebert-rt", REPOSITORY / "js"), ("benchmark", Path(__file__).parent)):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    development = json.loads((REPOSITORY / "js/package.json").read_text(encoding="utf-8"))["devDependencies"]
    wanted = PEERS | {"playwright-core": development["playwright-core"]}
    package = json.dumps({"private": True, "dependencies": wanted}, indent=1)
    record = folder / "package.json"
    if not record.exists() or record.read_text(encoding="utf-8") != package:
        say("installing the peers")
        words = [f"{name}@{version}" for name, version in wanted.items()]
        run([find_tool("npm"), "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", *words])
        record.write_text(package, encoding="utf-8")
    write_models(folder / "models", say)


def plan(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """What run.mjs measures."""
    texts = Texts()
    ort = {"engine": "onnxruntime", "file": "model_quantized.onnx"}
    hub = {"engine": "transformers"}
    ours = {OURS: {"engine": "ours", "variant": "relaxed"}, PLAIN: {"engine": "ours", "variant": "simd"}}
    two = {TWO: {"engine": "ours", "variant": "relaxed", "threads": 2}}
    default = {**ours, ORT: ort, FLOAT: ort | {"file": "model.onnx"}, HUB: hub}

    def case(name: str, entries: Mapping[str, Any], tokens: int, model: str, **more: Any) -> dict[str, Any]:
        text, ids = texts.of(tokens, HYPOTHESIS if more else None)
        task = "zeroShot" if more else "embed"
        return {
            "name": name,
            "entries": entries,
            "input": {"model": model, "task": task, "text": text, "ids": ids, **more},
        }

    cases = [
        case("default-32", default, 32, "default"),
        case("default-128", default | two, 128, "default"),
        case("mobilebert-128", {**ours, **two, ORT: ort, HUB: hub}, 128, "mobilebert"),
        case("zero-shot-32", {**ours, HUB: hub}, 32, "nli", labels=LABELS),
    ]
    return {
        "folder": str(folder),
        "rounds": options.rounds,
        "turn": options.turn_ms,
        "warmUp": options.warm_up_ms,
        "starts": options.starts,
        "rest": options.rest_ms,
        "cases": cases,
        "first": case("first", {OURS: {"engine": "ours"}, ORT: ort, HUB: hub}, 32, "default"),
    }


def measured(program: str, where: str, plan_file: Path) -> dict[str, Any]:
    """The results of run.mjs."""
    version = run([program, "--version"]).strip()
    flags = ["--experimental-wasm-relaxed-simd"] if version.startswith("v20.") else []
    command = [program, *flags, str(Path(__file__).with_name("run.mjs")), str(plan_file), where]
    say(version if where == "node" else where)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise ScriptError(f"{shlex.join(command)}: exit code {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for name, engines in found["cases"].items():
        reference = engines.get(FLOAT, engines[OURS]).get("vector")
        for engine in engines.values():
            summarise(engine, engines[OURS]["rounds"])
            if vector := engine.get("vector"):
                engine["cosine"] = cosine(vector, reference)
        for engine in engines.values():
            engine.pop("vector", None)
        if name != "first":
            say(f"  {name}, cosines: " + ", ".join(f"{key} {engine['cosine']:.5f}" for key, engine in engines.items()))
    return found


def summarise(engine: dict[str, Any], ours: Sequence[float]) -> None:
    """Add the median, and median and quartiles of the rounds' ratios. ours: the rounds of the relaxed module."""
    ratios = [other / own for other, own in zip(engine["rounds"], ours, strict=True)]
    engine["median"] = statistics.median(engine["rounds"])
    engine["ratio"] = statistics.median(ratios)
    engine["quartiles"] = quartiles(ratios)


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(map(float.__mul__, a, b)) / (math.hypot(*a) * math.hypot(*b))


def rows(found: Mapping[str, Any]) -> list[list[str]]:
    """A row for each case: milliseconds, then times of the peers over ours with quartiles."""
    lines = []
    for name, engines in found["cases"].items():
        times = [
            f"{engines[key]['median']:.{0 if name == 'first' else 1}f}" if key in engines else NOTHING
            for key in COLUMNS
        ]
        lines.append([TITLES[name], *times, *(ratio(engines.get(key)) for key in (ORT, HUB))])
    return lines


def ratio(engine: Mapping[str, Any] | None) -> str:
    if engine is None:
        return NOTHING
    low, high = engine["quartiles"]
    return f"{engine['ratio']:.2f} ({low:.2f} to {high:.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    folder = options.out.absolute()
    prepare(folder)
    plan_file = folder / "plan.json"
    plan_file.write_text(json.dumps(plan(folder, options)), encoding="utf-8")
    given = sys.argv[1:] if arguments is None else arguments
    result: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.javascript", *given]),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": describe(allowed_cpus()),
        "versions": PEERS,
        "runs": [],
    }
    nodes = [find_tool(name) for name in options.node or ["node"]]
    places = [(node, "node") for node in nodes]
    if options.chromium:
        places.append((nodes[0], find_tool(options.chromium)))
    for program, where in places:
        found = measured(program, where, plan_file)
        result["runs"].append(found)
        header = [found["version"], *COLUMNS, f"{ORT} / {OURS}", f"{HUB} / {OURS}"]
        print(f"Milliseconds\n\n{table(header, rows(found))}\n", flush=True)
    out = folder / "results.json"
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    say(f"written to {out}")
    return 0


if __name__ == "__main__":
    exit_with(main)
