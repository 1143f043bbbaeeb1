"""The command: python -m benchmarks.embedders --help."""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mobilebert_rt as mbrt
from benchmarks.common.documents import put
from benchmarks.common.machine import allowed_cpus, describe
from benchmarks.common.markdown import number, table
from benchmarks.common.options import say
from benchmarks.peers.interleaved import measure_interleaved
from mbrt_train.data.tokenizer import load_tokenizer
from mbrt_train.tuning.names import shortened, task_by_name
from mbrt_train.tuning.predict import with_engine
from mbrt_train.tuning.task import Array, Encoded, Predict
from mobilebert_rt.conversion.checkpoint import read_safetensors
from scripts.common import BUILD, REPOSITORY, ScriptError, exit_with, make_parser

DESCRIPTION = """\
Quality and latency of the default model, of its teacher and of a mean of word vectors.

Quality: STS-B (Spearman) and retrieval (nDCG@10 of the passage that answers a question, among all of the file), with
whole vectors and with their first numbers. Latency: from one text to its vector, on one thread; models take turns.
Needs the training package; --docs needs matplotlib.

  python -m benchmarks.embedders --teacher all-MiniLM-L6-v2 --similarity STS-B/dev.csv --questions mlqa-dev.json
"""
DIMENSIONS = (256, 128, 64)
LENGTHS = (32, 128)
MAX_TOKENS = 256
CANDIDATE = REPOSITORY / "mobilebert_rt/default_model/model.int8.safetensors"
WEIGHTS = REPOSITORY / "training/default_model/weights"
PAGE = REPOSITORY / "docs/default_model.md"
WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class Candidate:
    """A model: vectors of token ids, the vector of a text, and the bytes of its file."""

    predict: Predict
    embed: Callable[[str], Any]
    size: int


def parser() -> argparse.ArgumentParser:
    found = make_parser(DESCRIPTION, prog="benchmarks.embedders")
    add = found.add_argument
    add("--teacher", type=Path, required=True, metavar="FOLDER", help="the Hugging Face folder of the teacher")
    add("--similarity", type=Path, required=True, metavar="FILE", help="pairs with scores, in STS-B's format")
    add("--questions", type=Path, required=True, metavar="FILE", help="questions and passages, in SQuAD's format")
    add("--model", action="append", default=[], metavar="NAME=FILE", help="another model file; may be repeated")
    add("--rounds", type=int, default=15, metavar="N", help="turns of each model (%(default)s)")
    add("--turn-ms", type=float, default=150.0, metavar="MS", help="time of a turn (%(default)g)")
    add("--out", type=Path, default=BUILD / "embedders", metavar="FOLDER", help="results (build/embedders)")
    add("--docs", action="store_true", help="write the table and the plot into docs/default_model.md")
    return found


def candidates(options: argparse.Namespace) -> dict[str, Candidate]:
    """By name. Raises ScriptError for a --model without a name."""
    files = {"default model, int8": CANDIDATE}
    for name, folder, precision in (
        ("default model, fp32", WEIGHTS, "fp32"),
        ("teacher, fp32", options.teacher, "fp32"),
        ("teacher, int8", options.teacher, "int8"),
    ):
        files[name] = options.out / f"{name.replace(', ', '.')}.safetensors".replace(" ", "_")
        mbrt.convert(folder, files[name], precision=precision, force=True)
    for given in options.model:
        name, found, file = given.partition("=")
        if not found:
            raise ScriptError(f"--model is {given!r}; expected NAME=FILE.")
        files[name] = Path(file)
    made = {name: engine(file) for name, file in files.items()}
    made["mean of the teacher's word vectors"] = word_vectors(options.teacher)
    return made


def engine(file: Path) -> Candidate:
    embed = mbrt.TextEmbedder.from_pretrained(file, num_threads=1)
    return Candidate(with_engine(mbrt.Model.from_pretrained(file)), embed, file.stat().st_size)


def word_vectors(teacher: Path) -> Candidate:
    """The mean of the rows of the teacher's word table, without an encoder."""
    (entry,) = (e for name, e in read_safetensors(teacher / "model.safetensors").items() if name.endswith(WORDS))
    rows = entry.float32(WORDS)
    tokenizer = load_tokenizer(teacher)

    def vector(ids: Sequence[int]) -> Array:
        mean: Array = rows[np.array(ids)].mean(axis=0)
        return mean

    def predict(sequences: Sequence[Encoded]) -> list[Array]:
        return [vector(sequence.ids) for sequence in sequences]

    return Candidate(predict, lambda text: vector(tokenizer.encode(text).ids), rows.size)


def quality(candidate: Candidate, options: argparse.Namespace) -> dict[str, float]:
    """Spearman of similarity and nDCG@10 of retrieval; "similarity 128": of the first 128 numbers."""
    tokenizer = load_tokenizer(options.teacher)
    found = {}
    for name, file in (("similarity", options.similarity), ("retrieval", options.questions)):
        task = task_by_name(name)
        examples = task.read(file, tokenizer, MAX_TOKENS, training=False)
        predict = remembered(candidate.predict)
        for dimensions in (0, *DIMENSIONS):
            metrics = shortened(task, dimensions).evaluate(predict, examples)
            found[f"{name} {dimensions}" if dimensions else name] = metrics[task.main_metric]
    return found


def remembered(predict: Predict) -> Predict:
    """The same, computed once for the same objects."""
    known: dict[tuple[int, ...], list[Array]] = {}

    def found(sequences: Sequence[Encoded]) -> list[Array]:
        key = tuple(map(id, sequences))
        if key not in known:
            known[key] = predict(sequences)
        return known[key]

    return found


@dataclass(frozen=True)
class Timed:
    """One candidate with one text."""

    embed: Callable[[str], Any]
    text: str

    def run(self, calls: int) -> list[float]:
        seconds = []
        for _ in range(calls):
            begin = time.perf_counter()
            self.embed(self.text)
            seconds.append(time.perf_counter() - begin)
        return seconds

    def pause(self) -> None:
        """Nothing runs between the turns."""


def latencies(found: Mapping[str, Candidate], options: argparse.Namespace) -> dict[str, dict[int, Any]]:
    """For each candidate and each of LENGTHS the summary of its times."""
    times: dict[str, dict[int, Any]] = {name: {} for name in found}
    for length in LENGTHS:
        text = " ".join(["time"] * (length - 2))  # [CLS] and [SEP]; each word is one token
        runners = {name: Timed(candidate.embed, text) for name, candidate in found.items()}
        for name, record in measure_interleaved(runners, options.rounds, options.turn_ms / 1e3).items():
            times[name][length] = record.summary()
    return times


def report(results: Mapping[str, Any]) -> str:
    """The table of a run."""
    names = {"similarity": "STS-B dev", "retrieval": "retrieval"}
    header = ["", "MB"]
    for title in names.values():
        header += [title, *(f"first {n}" for n in DIMENSIONS)]
    header += [f"ms, {length} tokens" for length in LENGTHS]
    rows = []
    for name, entry in results["models"].items():
        row = [name, number(entry["bytes"], 1, 1e-6)]
        for task in names:
            row += [number(entry["quality"][f"{task} {n}" if n else task], 2) for n in (0, *DIMENSIONS)]
        row += [number(entry["times"][length].get("median"), 2, 1e3) for length in LENGTHS]
        rows.append(row)
    machine = results["machine"]
    source = f"`{results['command']}`, {results['date']}, {machine['processor']}, {', '.join(machine['instructions'])}."
    return f"{table(header, rows)}\n\n{source}"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    found = candidates(options)
    say("latency")
    times = latencies(found, options)
    models = {}
    for name, candidate in found.items():
        say(name)
        models[name] = {"bytes": candidate.size, "quality": quality(candidate, options), "times": times[name]}
    given = sys.argv[1:] if arguments is None else arguments
    results = {
        "command": shlex.join(["python", "-m", "benchmarks.embedders", *given]),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "machine": describe(allowed_cpus()),
        "models": models,
    }
    (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = report(results)
    print(text)
    if options.docs:
        from benchmarks.embedders.plot import draw  # noqa: PLC0415 - needs matplotlib

        draw(models, PAGE.with_suffix(".svg"))
        put(PAGE, "embedders", text)
    return 0


if __name__ == "__main__":
    exit_with(main)
