"""The whole pipeline with the toy recipes: prepare, train a teacher, distil, export, run in the engine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training import runs
from tests.training.runs import train
from tests.training.small import models, torch
from tests.training.text import documents, write_text

mbrt = pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
exporting = pytest.importorskip("mbrt_train.export")
heads = pytest.importorskip("mbrt_train.heads")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """corpus, teacher and student of the shipped toy recipes, by the command line."""
    base = tmp_path_factory.mktemp("pipeline")
    write_text(base / "text.txt", 200)
    at = lambda name: str(base / name)  # noqa: E731
    commands = [
        ["prepare", at("text.txt"), "--out", at("corpus"), "--new-vocabulary", "150", "--max-tokens", "48"],
        ["train", "test_teacher", "--corpus", at("corpus"), "--out", at("teacher_run")],
        ["export", at("teacher_run"), at("teacher"), "--corpus", at("corpus"), "--agreement", "0.8"],
        ["train", "test_student", "--corpus", at("corpus"), "--teacher", at("teacher"), "--out", at("run")],
        ["export", at("run"), at("model"), "--corpus", at("corpus"), "--agreement", "0.8"],
    ]
    commands[0] += ["--heldout", "0.1"]
    for command in commands:
        quiet = ["--quiet"] if command[0] in ("prepare", "train") else []
        assert cli.main([*command, *quiet]) == 0, command
    return base


def test_exported_student_runs_in_the_engine(folder: Path) -> None:
    tokenizer = exporting.load_tokenizer(folder / "model")
    ids = tokenizer.encode(documents(1)[0]).ids[:40]
    reference = heads.load_model(folder / "model")
    with torch.no_grad():
        wanted, _, out = reference(torch.tensor([ids]), alone=True)
    for source, cosine in ((folder / "model" / exporting.ENGINE_FILE, 0.95), (folder / "model", 0.95)):
        found = mbrt.Model.from_pretrained(source)([ids])
        a, b = found.last_hidden_state[0], out.last_hidden_state[0].numpy()
        assert (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b) > cosine
        assert found.logits[0].shape == wanted[0].shape
    exact = mbrt.Model.from_pretrained(folder / "model", precision="fp32")([ids])
    assert np.abs(exact.last_hidden_state[0] - out.last_hidden_state[0].numpy()).max() < 1e-4


def test_exported_student_loads_in_transformers(folder: Path) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForPreTraining.from_pretrained(folder / "model")
    assert type(model).__name__ == "MobileBertForPreTraining"
    words = transformers.AutoTokenizer.from_pretrained(folder / "model")
    ours = exporting.load_tokenizer(folder / "model")
    assert words("The cat reads.")["input_ids"] == ours.encode("The cat reads.").ids


def test_export_reports_every_layer(folder: Path) -> None:
    output = (folder / "model/parity.txt").read_text()
    for name in ("embeddings", "layer 1", "layer 2", "sentence", "logits", "most likely words", "int8", "fp32"):
        assert name in output


def test_model_that_does_not_match_is_not_written(folder: Path) -> None:
    with pytest.raises(TrainingError, match="nothing was written: fp32"):
        exporting.export(folder / "run", folder / "bad", folder / "corpus", bars=exporting.Bars(fp32=1e-12))
    with pytest.raises(TrainingError, match="mean cosine"):
        exporting.export(folder / "run", folder / "bad", folder / "corpus", bars=exporting.Bars(cosine=1.1))
    assert not [path.name for path in folder.iterdir() if "bad" in path.name]


def test_existing_folder_is_not_overwritten(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    assert cli.main(["export", str(folder / "run"), str(folder / "model"), "--corpus", str(folder / "corpus")]) == 2
    assert sorted(folder.rglob("*")) == before


def test_run_without_checkpoint_is_not_exported(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")
    with pytest.raises(TrainingError, match="no checkpoint"):
        exporting.export(tmp_path / "run", tmp_path / "out", folder / "corpus")


def test_sentence_model_is_exported_with_its_pooling(folder: Path, tmp_path: Path) -> None:
    plan = runs.recipe(objective="sentence", strategy="auxiliary")
    plan = replace(plan, budget=replace(plan.budget, embeddings=True))
    train(folder / "corpus", folder / "teacher", tmp_path / "run", plan)
    exporting.export(tmp_path / "run", tmp_path / "model", folder / "corpus")
    assert json.loads((tmp_path / "model/config.json").read_text())["architectures"] == ["MobileBertModel"]
    limits = json.loads((tmp_path / "model/sentence_bert_config.json").read_text())
    assert limits["max_seq_length"] == plan.data.max_length
    embedder = mbrt.TextEmbedder.from_pretrained(tmp_path / "model" / exporting.ENGINE_FILE)
    vector = embedder("The cat reads a map.")
    assert vector.shape == (48,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)

    exporting.export(tmp_path / "model", tmp_path / "longer", folder / "corpus", max_tokens=40)
    assert plan.data.max_length < 40
    assert json.loads((tmp_path / "longer/sentence_bert_config.json").read_text())["max_seq_length"] == 40
    with pytest.raises(TrainingError, match="supports 3 to"):
        exporting.export(tmp_path / "model", tmp_path / "none", folder / "corpus", max_tokens=100_000)
    with pytest.raises(TrainingError, match="sentence vectors"):
        exporting.export(folder / "run", tmp_path / "none", folder / "corpus", max_tokens=40)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "minilm", "--corpus", "/nowhere", "--out", "/tmp/none"],
        ["recipes", "nothing"],
        ["export", "/nowhere", "/tmp/none", "--corpus", "/nowhere"],
    ],
)
def test_errors_are_one_line_on_standard_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    output = capsys.readouterr()
    assert output.err.startswith("mbrt-train: ")
    assert output.err.count("\n") == 1
    assert not output.out


@pytest.mark.parametrize("command", ["recipes", "prepare", "train", "finetune", "evaluate", "export"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    output = capsys.readouterr().out
    assert "usage: mbrt-train" in output
    assert command == "recipes" or f"  mbrt-train {command} " in output


def test_models_with_heads_load_in_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    config = runs.recipe().student
    config = replace(config, vocab_size=120)
    for model, auto in (
        (heads.SequenceClassifier(config, 3), transformers.AutoModelForSequenceClassification),
        (heads.QuestionAnswering(config), transformers.AutoModelForQuestionAnswering),
        (models.Encoder(config), transformers.AutoModel),
    ):
        folder = tmp_path / type(model).__name__
        labels = {"id2label": {"0": "a", "1": "b", "2": "c"}}
        heads.save_model(model.eval(), folder, labels if isinstance(model, heads.SequenceClassifier) else None)
        theirs = auto.from_pretrained(folder).eval()
        ids = torch.randint(5, 120, (2, 9))
        ones, zeros = torch.ones_like(ids), torch.zeros_like(ids)
        again = heads.load_model(folder)
        with torch.no_grad():
            wanted = theirs(ids, output_hidden_states=True).hidden_states[-1]
            made = again(ids, ones, zeros)
        made = made if isinstance(model, models.Encoder) else made[1]
        assert (made.last_hidden_state - wanted).abs().max() < 1e-5
