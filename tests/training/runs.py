"""Toy corpora, teachers and runs, in this process and in others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.small import models, spread, teachers, torch
from tests.training.text import write_text

mbrt_train = pytest.importorskip("mbrt_train")
prepared = pytest.importorskip("mbrt_train.data.prepare")
recipes = pytest.importorskip("mbrt_train.recipes")
running = pytest.importorskip("mbrt_train.run")

OPTIONS = prepared.Preparation(new_vocabulary=130, max_tokens=32, heldout=0.1)


def make_corpus(folder: Path) -> Path:
    prepared.prepare([write_text(folder / "text.txt", 150)], folder / "corpus", OPTIONS, quiet=True)
    return folder / "corpus"


def vocabulary_size(corpus: Path) -> int:
    return int(json.loads((corpus / "corpus.json").read_text())["vocab_size"])


def make_teacher(folder: Path, corpus: Path) -> Path:
    """A random IB-BERT of the toy recipe's sizes, with the corpus's tokenizer."""
    config = replace(recipes.load_recipe("test_teacher").student, vocab_size=vocabulary_size(corpus))
    torch.manual_seed(5)
    models.save(spread(models.PreTraining(config)), folder / "teacher")
    for file in (corpus / "tokenizer").iterdir():
        (folder / "teacher" / file.name).write_bytes(file.read_bytes())
    assert teachers.load_teacher(folder / "teacher").predictions is not None
    return folder / "teacher"


def recipe(**changes: Any) -> Any:
    """The toy student's recipe with few steps and a log line for each; changes by dotted names."""
    found = recipes.load_recipe("test_student")
    keeping = replace(found.keeping, checkpoint_every=4, log_every=1, heldout_batches=1)
    budget = replace(found.budget, transfer_steps=6, distil_steps=8)
    data = replace(found.data, max_length=32)
    return replace(found, **{"keeping": keeping, "budget": budget, "data": data} | changes)


def train(corpus: Path, teacher: Path | None, out: Path, plan: Any, **options: Any) -> Any:
    return running.train(running.Request(plan, corpus, out, teacher, quiet=True, **options))


def losses(out: Path) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


def write_recipe(path: Path, plan: Any) -> Path:
    """A recipe as TOML; its numbers, strings and booleans are those of JSON."""

    def table(values: dict[str, Any], name: str) -> str:
        plain = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
        inner = [table(value, f"{name}.{key}".strip(".")) for key, value in values.items() if isinstance(value, dict)]
        return "\n".join([f"[{name}]" if name else "", *plain, *inner])

    path.write_text(table(plan.resolved(), ""))
    return path


def start(*arguments: str, processes: int = 1) -> subprocess.Popen[str]:
    """Run `mbrt-train` in a subprocess, or under torchrun in several."""
    paths = [str(Path(mbrt_train.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m"]
    if processes > 1:
        # --log-dir: without it torchrun leaves a folder in /tmp
        out = Path(arguments[arguments.index("--out") + 1]).with_name("torchrun")
        command += ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", f"--log-dir={out}", "-m"]
    return subprocess.Popen(
        [*command, "mbrt_train.cli", *arguments],
        cwd=os.sep,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
