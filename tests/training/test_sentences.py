"""Tasks of sentence vectors: retrieval, and vectors of which the first numbers are used."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.small import torch
from tests.training.test_tuning import OPTIONS, write_similar, write_sst
from tests.training.text import sentence

mbrt = pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
metrics = pytest.importorskip("mbrt_train.tuning.metrics")
evaluating = pytest.importorskip("mbrt_train.tuning.evaluate")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError
names = pytest.importorskip("mbrt_train.tuning.names")
sentences = pytest.importorskip("mbrt_train.tuning.sentences")
task = pytest.importorskip("mbrt_train.tuning.task")
tokenizers = pytest.importorskip("mbrt_train.data.tokenizer")
tuning = pytest.importorskip("mbrt_train.tuning.finetune")
sklearn = pytest.importorskip("sklearn.metrics")


def write_questions(path: Path, count: int, seed: int) -> Path:
    """Two questions for each passage, its first words and its last ones, and one without an answer."""
    rng = random.Random(seed)
    articles = []
    for i in range(count):
        passage = " ".join(sentence(rng) for _ in range(3))
        words = passage.split(" ")
        answer = [{"text": words[0], "answer_start": 0}]
        asked = [
            {"id": f"{i}{part}", "question": " ".join(words[part]) + "?", "answers": answer}
            for part in (slice(0, 4), slice(-4, None))
        ]
        asked.append({"id": f"{i}-", "question": "Nothing?", "answers": [], "is_impossible": True})
        articles.append({"paragraphs": [{"context": passage, "qas": asked}]})
    path.write_text(json.dumps({"data": articles}))
    return path


def test_ndcg_is_that_of_scikit_learn() -> None:
    scores = np.random.default_rng(3).normal(size=(40, 25))
    right = np.arange(40) % 25
    ranks = (scores >= scores[np.arange(40), right][:, None]).sum(1) - 1
    expected = 100 * sklearn.ndcg_score(np.eye(25)[right], scores, k=10)
    assert metrics.ndcg(ranks, 10) == pytest.approx(expected)


def test_equal_vectors_find_nothing(model: Path, tmp_path: Path) -> None:
    file = write_questions(tmp_path / "q.json", 12, 1)
    examples = sentences.Retrieval().read(file, tokenizers.load_tokenizer(model), 64, training=False)
    assert len(examples) == 24
    assert {example.target for example in examples} == set(range(12))
    nothing = sentences.Retrieval().evaluate(lambda found: [np.ones(4)] * len(found), examples)
    assert nothing == {"ndcg@10": 0.0, "first": 0.0}
    known = {id(sequence): example.target for example in examples for sequence in example.sequences}
    perfect = lambda found: [np.eye(12)[known[id(sequence)]] for sequence in found]  # noqa: E731
    assert sentences.Retrieval().evaluate(perfect, examples) == {"ndcg@10": 100.0, "first": 100.0}
    # The first six numbers of these vectors say nothing of the other passages.
    half = sentences.Retrieval(dimensions=6).evaluate(perfect, examples)
    assert half["first"] == 50.0


def test_command_line_evaluates_with_the_first_numbers(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against numpy on the engine's vectors."""
    file = write_similar(tmp_path / "pairs.csv", 60, 4)
    folder = tmp_path / "engine.safetensors"
    mbrt.convert(model, folder)
    command = ["evaluate", str(folder), "--task", "similarity", "--data", str(file)]
    assert cli.main([*command, "--dimensions", "5"]) == 0
    found = float(capsys.readouterr().out.splitlines()[0].split()[-1])
    embed = mbrt.TextEmbedder.from_pretrained(folder)
    rows = [line.strip('"').split('","') for line in file.read_text().splitlines()]
    pairs = [(row[0], *row[1].rsplit('",', 1)) for row in rows]
    a, b = (embed([pair[i] for pair in pairs])[:, :5] for i in (0, 1))
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    expected = metrics.METRICS["spearman"](np.array([float(pair[2]) for pair in pairs]), cosines)
    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("task_name", "dimensions", "message"),
    [
        ("similarity", 1000, "expected at least 1000"),
        ("similarity", -1, "expected at least 1"),
        ("SST-2", 8, "SST-2 has no vectors"),
    ],
)
def test_wrong_dimensions_are_named(model: Path, tmp_path: Path, task_name: str, dimensions: int, message: str) -> None:
    file = write_similar(tmp_path / "a.csv", 4, 0) if task_name == "similarity" else write_sst(tmp_path / "a.tsv", 4, 0)
    with pytest.raises(TrainingError, match=message):
        evaluating.evaluate(model, evaluating.Exam(names.shortened(names.task_by_name(task_name), dimensions), file))


def test_retrieval_is_learned(model: Path, tmp_path: Path) -> None:
    file = write_questions(tmp_path / "q.json", 40, 2)  # to be memorised
    retrieval = names.task_by_name("retrieval")
    before = evaluating.evaluate(model, evaluating.Exam(retrieval, file))
    options = replace(OPTIONS, learning_rate=1e-3, epochs=6)
    job = tuning.Job(model, retrieval, file, tmp_path / "out", file, options=options, quiet=True)
    after = tuning.finetune(job).seeds[0]
    assert after["ndcg@10"] > before["ndcg@10"]


def test_another_question_of_the_same_passage_is_no_wrong_answer() -> None:
    first, second = torch.eye(3), torch.eye(3)
    example = lambda target: task.Example((), target)  # noqa: E731
    apart = sentences.Retrieval().truth(first, second[[0, 0, 2]], [example(i) for i in (0, 1, 2)])
    same = sentences.Retrieval().truth(first[[0, 0, 2]], second[[0, 0, 2]], [example(i) for i in (0, 0, 2)])
    assert apart == pytest.approx((math.log(2) + math.log(3)) / 3, abs=1e-6)  # two equal passages; three equally far
    assert same < 1e-6
