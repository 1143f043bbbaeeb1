"""Distillation from a file of vectors: from text to the engine, on a small set."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training import runs
from tests.training.runs import losses, prepared, recipes, train
from tests.training.small import torch
from tests.training.text import documents

mbrt = pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
agreeing = pytest.importorskip("mbrt_train.agreement")
batching = pytest.importorskip("mbrt_train.data.batches")
corpora = pytest.importorskip("mbrt_train.data.corpus")
objectives = pytest.importorskip("mbrt_train.objectives")
tokenizers = pytest.importorskip("mbrt_train.data.tokenizer")
files = pytest.importorskip("mbrt_train.data.vectors")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources of one text in each line, of 240 and 60 lines, with blank lines between some."""
    folder = tmp_path_factory.mktemp("texts")
    lines = [" ".join(text.split()) for text in documents(300)]
    (folder / "large.txt").write_text("\n".join(lines[:240]) + "\n")
    (folder / "small.txt").write_text("\n\n".join(lines[240:]) + "\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, texts: Path, model: Path) -> Path:
    """vectors.npy, corpus, run and exported model, by the command line."""
    base = tmp_path_factory.mktemp("vectors")
    at = lambda name: str(base / name)  # noqa: E731
    common = [str(texts), "--lines", "--quiet"]
    given = ["--corpus", at("corpus")]
    commands = [
        ["vectors", str(model), *common, "--max-length", "40", "--out", at("vectors.npy")],
        ["prepare", *common, "--whole", "--max-tokens", "40", "--heldout", "0.2", "--tokenizer", str(model)],
        ["train", "test_vectors", *given, "--teacher-vectors", at("vectors.npy"), "--out", at("run"), "--quiet"],
        ["export", at("run"), at("model"), *given],
    ]
    commands[1] += ["--out", at("corpus")]
    for command in commands:
        assert cli.main(command) == 0, command
    return base


def test_vectors_are_the_engines_in_fp32(folder: Path, texts: Path, model: Path) -> None:
    stored = np.load(folder / "vectors.npy")
    lines = [line for name in ("large", "small") for line in (texts / f"{name}.txt").read_text().splitlines() if line]
    wanted = mbrt.TextEmbedder.from_pretrained(model, precision="fp32", max_length=40, normalize=True).encode(lines)
    assert stored.shape == (300, 32)
    assert stored.dtype == np.float16
    assert np.abs(stored.astype(np.float32) - wanted).max() < 5e-4  # half a unit of float16 below 1


def test_training_and_the_engine_reach_the_same_agreement(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *_, last = (loss for _, loss in losses(folder / "run"))
    assert last < 0.7 * first
    given = (folder / "corpus", folder / "vectors.npy")
    ours = agreeing.agreement(folder / "run", *given)
    theirs = agreeing.agreement(folder / "model/model.int8.safetensors", *given)
    assert ours.texts == len(corpora.Corpus(folder / "corpus", "heldout"))
    assert set(ours.sources) == {"large.txt", "small.txt"}
    assert theirs.mean == pytest.approx(ours.mean, abs=0.02)
    assert ours.mean_of_sources == pytest.approx(np.mean(list(ours.sources.values())))
    command = ["agreement", str(folder / "run"), "--corpus", str(folder / "corpus"), "--json", "--teacher-vectors"]
    assert cli.main([*command, str(folder / "vectors.npy")]) == 0
    assert json.loads(capsys.readouterr().out)["mean"] == pytest.approx(ours.mean)


def test_held_out_texts_are_compared_with_their_own_vectors(folder: Path, texts: Path, model: Path) -> None:
    """The teacher itself agrees with its vectors."""
    found = agreeing.agreement(model, folder / "corpus", folder / "vectors.npy")
    assert found.mean > 0.9999
    assert min(found.sources.values()) > 0.9999


def test_the_teacher_itself_gives_the_same_agreement(folder: Path, model: Path) -> None:
    given = (folder / "run", folder / "corpus")
    from_file, from_teacher = (agreeing.agreement(*given, teacher) for teacher in (folder / "vectors.npy", model))
    assert from_teacher.mean == pytest.approx(from_file.mean, abs=1e-4)


def test_vectors_in_int8_are_close_to_fp32(tmp_path: Path, folder: Path, texts: Path, model: Path) -> None:
    out = tmp_path / "v.npy"
    options = ["--lines", "--quiet", "--max-length", "40", "--precision", "int8"]
    assert cli.main(["vectors", str(model), str(texts), *options, "--out", str(out)]) == 0
    ours, exact = (np.load(file).astype(np.float32) for file in (out, folder / "vectors.npy"))
    assert (ours != exact).any()
    assert (ours * exact).sum(1).min() > 0.98


def test_interrupted_vectors_are_continued(
    tmp_path: Path, texts: Path, model: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "GROUP", 64)
    request = files.Request(model, [texts], tmp_path / "v.npy", prepared.texts.Reading(lines=True), 40)
    encoded: list[int] = []
    real = mbrt.TextEmbedder.encode

    def encode(self: Any, group: list[str], **options: Any) -> Any:
        if len(encoded) == 2:
            encoded.append(0)
            raise KeyboardInterrupt
        encoded.append(len(group))
        return real(self, group, **options)

    monkeypatch.setattr(mbrt.TextEmbedder, "encode", encode)
    with pytest.raises(KeyboardInterrupt):
        files.write_vectors(request, quiet=True)
    assert not request.out.exists()
    assert files.write_vectors(request, quiet=True) == (300, 32)
    assert sum(encoded) == 300  # none twice
    assert (np.load(request.out) == np.load(folder / "vectors.npy")).all()
    assert [path.name for path in tmp_path.iterdir()] == ["v.npy"]
    with pytest.raises(TrainingError, match="exists"):
        files.write_vectors(request, quiet=True)


def test_vectors_that_do_not_fit_are_refused(tmp_path: Path, folder: Path, texts: Path, model: Path) -> None:
    corpus = corpora.Corpus(folder / "corpus")
    right = np.load(folder / "vectors.npy")

    def refused(array: Any, match: str) -> None:
        np.save(tmp_path / "v.npy", array)
        with pytest.raises(TrainingError, match=match):
            files.Vectors(tmp_path / "v.npy", corpus, 32).of(corpus.documents)

    refused(right[:-1], "299 vectors; .* has 300 documents")
    refused(right.astype(np.float64), "float16 or float32")
    refused(right[0], r"\[documents, width\]")
    refused(np.where(np.arange(300)[:, None] == corpus.documents[3], 0, right), "is zero")
    refused(np.where(np.arange(300)[:, None] == corpus.documents[3], np.nan, right), "not finite")
    (tmp_path / "text.npy").write_text("no array")
    with pytest.raises(TrainingError, match=r"text.npy: not a file of numpy\.save"):
        files.Vectors(tmp_path / "text.npy", corpus, 32)
    with pytest.raises(TrainingError, match="does not exist"):
        files.Vectors(tmp_path / "none.npy", corpus, 32)
    segments = replace(runs.OPTIONS, new_vocabulary=None, tokenizer=model, heldout=0.0)
    prepared.prepare(
        [texts], tmp_path / "segments", replace(segments, reading=prepared.texts.Reading(lines=True)), quiet=True
    )
    with pytest.raises(TrainingError, match="--whole"):
        files.Vectors(folder / "vectors.npy", corpora.Corpus(tmp_path / "segments"), 32)


def test_option_and_objective_belong_together(tmp_path: Path, folder: Path) -> None:
    plan = recipes.load_recipe("test_vectors")
    with pytest.raises(TrainingError, match="--teacher-vectors is None"):
        train(folder / "corpus", None, tmp_path / "run", plan)
    with pytest.raises(TrainingError, match='objective is "sentence"'):
        train(
            folder / "corpus",
            runs.make_teacher(tmp_path, folder / "corpus"),
            tmp_path / "run",
            runs.recipe(objective="sentence"),
            vectors=folder / "vectors.npy",
        )
    assert not (tmp_path / "run").exists()
    with pytest.raises(TrainingError, match="no states to transfer"):
        replace(plan, strategy="joint")


@pytest.mark.parametrize("width", [24, 32, 40])
def test_other_widths_keep_the_cosines(tmp_path: Path, folder: Path, width: int) -> None:
    """Narrower students get the best approximation: that of the singular value decomposition."""
    corpus = corpora.Corpus(folder / "corpus")
    exact = np.load(folder / "vectors.npy").astype(np.float64)
    found = files.Vectors(folder / "vectors.npy", corpus, width).of(np.arange(300)).astype(np.float64)
    assert found.shape == (300, width)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    u, s, _ = np.linalg.svd(exact)
    u, s = u[:, :width], s[:width]
    best = (u[:, : len(s)] * s**2) @ u[:, : len(s)].T
    assert np.abs(found @ found.T - best).max() < 1e-5


def test_similarity_is_the_squared_difference_of_cosines() -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(2, 5, 8))
    found = objectives.similarity_distance(torch.tensor(a), torch.tensor(b)).numpy()
    cos = lambda x, i, j: x[i] @ x[j] / np.linalg.norm(x[i]) / np.linalg.norm(x[j])  # noqa: E731
    for i in range(5):
        wanted = np.mean([(cos(a, i, j) - cos(b, i, j)) ** 2 for j in range(5) if j != i])
        assert found[i] == pytest.approx(wanted)
    assert objectives.similarity_distance(torch.ones(1, 4), torch.ones(1, 4)).tolist() == [0.0]


def test_prefixes_are_the_cosines_of_the_first_numbers() -> None:
    g = np.random.default_rng(0)
    a, b = g.normal(size=(2, 5, 8))
    found = objectives.prefix_cosine(torch.tensor(a), torch.tensor(b), (2, 4, 8)).numpy()
    cos = lambda x, y: (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)  # noqa: E731
    np.testing.assert_allclose(found, 1 - (cos(a[:, :2], b[:, :2]) + cos(a[:, :4], b[:, :4])) / 2)


def test_prefixes_are_trained(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = recipes.load_recipe("test_vectors")
    with pytest.raises(TrainingError, match=r"weights\.prefixes is 0\.5"):
        replace(plan, weights=replace(plan.weights, prefixes=0.5))  # the toy student has 48 numbers
    for module in ("recipes", "tasks"):
        monkeypatch.setattr(f"mbrt_train.{module}.PREFIXES", (8, 16))
    plan = replace(plan, weights=replace(plan.weights, prefixes=0.5), keeping=replace(plan.keeping, log_every=1))
    train(folder / "corpus", None, tmp_path / "run", plan, vectors=folder / "vectors.npy")
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    values = [line["prefixes"] for line in lines if "prefixes" in line]
    assert values[-1] < 0.8 * values[0]


@pytest.mark.parametrize(("balance", "share"), [(1.0, 0.2), (0.5, 1 / 3), (0.0, 0.5)])
def test_balance_of_sources(folder: Path, model: Path, balance: float, share: float) -> None:
    corpus = corpora.Corpus(folder / "corpus")
    words = tokenizers.vocabulary(corpus.tokenizer())
    options = replace(recipes.load_recipe("test_vectors").data, texts=1, balance=balance)
    rows = np.concatenate(batching.Batches(corpus, words, options).plan(0))
    small = corpus.sources()[rows] == 1
    assert abs(len(rows) - len(corpus)) <= 2
    sizes = np.bincount(corpus.sources())
    wanted = sizes[1] ** balance / (sizes**balance).sum()
    assert wanted == pytest.approx(share, abs=0.05)
    assert small.mean() == pytest.approx(wanted, abs=0.01)
    counts = np.bincount(rows[small], minlength=len(corpus))[corpus.sources() == 1]
    assert counts.max() - counts.min() <= 1


def test_bf16_weights_are_close_to_float32(tmp_path: Path, folder: Path) -> None:
    plan = recipes.load_recipe("test_vectors")
    plan = replace(plan, keeping=replace(plan.keeping, log_every=1), budget=replace(plan.budget, distil_steps=12))
    for precision in ("fp32", "bf16_weights"):
        other = replace(plan, precision=precision)
        train(folder / "corpus", None, tmp_path / precision, other, vectors=folder / "vectors.npy")
    for (_, a), (_, b) in zip(losses(tmp_path / "fp32"), losses(tmp_path / "bf16_weights"), strict=True):
        assert a == pytest.approx(b, rel=0.1)  # 12 steps with 8 bits of precision, in the passes and in Muon


def test_bf16_weights_resume_with_the_same_results(tmp_path: Path, folder: Path) -> None:
    plan = recipes.load_recipe("test_vectors")
    steps = replace(plan.budget, distil_steps=3, distil_schedule=replace(plan.budget.distil_schedule, warmup=1))
    plan = replace(plan, precision="bf16_weights", budget=steps)
    plan = replace(plan, keeping=replace(plan.keeping, log_every=1))
    train(folder / "corpus", None, tmp_path / "a", plan, vectors=folder / "vectors.npy")
    for _ in range(5):
        position = train(folder / "corpus", None, tmp_path / "b", plan, vectors=folder / "vectors.npy", stop_after=0.0)
        if position.step == 3:
            break
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
