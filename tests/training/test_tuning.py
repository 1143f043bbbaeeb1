"""Fine-tuning and evaluation: files, metrics, seeds, early stopping, distillation, metrics of the engine."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.text import documents, sentence

pytest.importorskip("torch")
mbrt = pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
tuning = pytest.importorskip("mbrt_train.tuning.finetune")
names = pytest.importorskip("mbrt_train.tuning.names")
training = pytest.importorskip("mbrt_train.tuning.training")
squad = pytest.importorskip("mbrt_train.tuning.squad")
metrics = pytest.importorskip("mbrt_train.tuning.metrics")
evaluating = pytest.importorskip("mbrt_train.tuning.evaluate")
exporting = pytest.importorskip("mbrt_train.export")
tokenizers = pytest.importorskip("mbrt_train.data.tokenizer")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError

OPTIONS = training.Options(epochs=4, batch=16, learning_rate=5e-3, max_length=32, patience=4)
PUBLIC = Path(os.environ.get("MBRT_PUBLIC_DATA", "/nonexistent"))


def write_sst(path: Path, count: int, seed: int) -> Path:
    """Sentences about a captain are positive."""
    rng = random.Random(seed)
    lines = [sentence(rng) for _ in range(count)]
    path.write_text("\n".join(f"{line}\t{int('aptain' in line or 'cat' in line)}" for line in lines) + "\n")
    return path


def write_similar(path: Path, count: int, seed: int) -> Path:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        a, b = sentence(rng), sentence(rng)
        same = len(set(a.lower().split()) & set(b.lower().split())) / len(set(a.split()))
        rows.append(f'"{a}","{b}",{5 * min(1, same):.3f}')
    path.write_text("\n".join(rows) + "\n")
    return path


def write_squad(path: Path, count: int, seed: int, empty: bool = False) -> Path:
    rng = random.Random(seed)
    entries = []
    for i in range(count):
        context = " ".join(sentence(rng) for _ in range(3))
        answer = context.split(". ")[0].split(" ")[-1].strip(".?!")
        entry = {
            "id": str(i),
            "question": "What?",
            "answers": [{"text": answer, "answer_start": context.index(answer)}],
        }
        if empty and i % 3 == 0:
            entry |= {"is_impossible": True, "answers": []}
        entries.append({"paragraphs": [{"context": context, "qas": [entry]}]})
    path.write_text(json.dumps({"data": entries}))
    return path


@pytest.fixture(scope="module")
def sst(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("sst")
    return write_sst(folder / "train.tsv", 160, 1), write_sst(folder / "dev.tsv", 60, 2)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, model: Path, sst: tuple[Path, Path]) -> Path:
    out = tmp_path_factory.mktemp("tuned") / "sst2"
    options = replace(OPTIONS, seeds=(0, 1))
    tuning.finetune(tuning.Job(model, names.task_by_name("sst-2"), sst[0], out, sst[1], options=options, quiet=True))
    return out


def test_results_of_several_seeds_are_summarised(tuned: Path) -> None:
    results = json.loads((tuned / "results.json").read_text())
    values = [results["seeds"][seed]["accuracy"] for seed in ("0", "1")]
    assert results["summary"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
    assert results["summary"]["accuracy"]["deviation"] == pytest.approx(np.std(values, ddof=1))
    assert results["seeds"][str(results["kept"])]["accuracy"] == max(values)
    assert max(values) > 80


def test_metrics_of_the_engine_match_pytorch(tuned: Path, sst: tuple[Path, Path], tmp_path: Path) -> None:
    exam = evaluating.Exam(names.task_by_name("SST-2"), sst[1], 32)
    reports = exporting.export(tuned, tmp_path / "out", texts=documents(5), exam=exam)
    for report in reports:
        theirs, ours = report.metrics["accuracy"]
        assert abs(ours - theirs) <= 2.0
    by_file = evaluating.evaluate(tmp_path / "out" / exporting.ENGINE_FILE, exam)
    assert by_file["accuracy"] == reports[1].metrics["accuracy"][1]
    found = mbrt.TextClassifier.from_pretrained(tmp_path / "out" / exporting.ENGINE_FILE)(sentence(random.Random(7)))
    assert {label.label for label in found} == {"negative", "positive"}


def test_quantised_training_predicts_the_engines_metrics(model: Path, sst: tuple[Path, Path], tmp_path: Path) -> None:
    task = names.task_by_name("SST-2")
    options = replace(OPTIONS, quantised=True, epochs=2)
    job = tuning.Job(model, task, sst[0], tmp_path / "tuned", sst[1], options=options, quiet=True)
    promised = tuning.finetune(job).seeds[0]
    exporting.export(tmp_path / "tuned", tmp_path / "out", texts=documents(5), bars=exporting.Bars(agreement=0.0))
    exam = evaluating.Exam(task, sst[1], 32)
    assert evaluating.evaluate(tmp_path / "out" / exporting.ENGINE_FILE, exam) == promised


def test_model_with_worse_metrics_is_not_written(tuned: Path, sst: tuple[Path, Path], tmp_path: Path) -> None:
    exam = evaluating.Exam(names.task_by_name("SST-2"), sst[1], 32)
    with pytest.raises(TrainingError, match="limit -1 points"):
        exporting.export(tuned, tmp_path / "out", texts=documents(5), exam=exam, bars=exporting.Bars(metric=-1.0))
    assert not any(tmp_path.iterdir())


def test_distillation_from_a_teacher_of_the_same_task(
    model: Path, tuned: Path, sst: tuple[Path, Path], tmp_path: Path
) -> None:
    task = names.task_by_name("SST-2")
    options = replace(OPTIONS, alpha=0.0)
    job = tuning.Job(model, task, sst[0], tmp_path / "out", sst[1], teacher=tuned, options=options, quiet=True)
    result = tuning.finetune(job)
    assert result.seeds[0]["accuracy"] > 75
    similar = write_similar(tmp_path / "similar.csv", 9, 0)
    with pytest.raises(TrainingError, match="does not have the head of STS-B"):
        tuning.finetune(replace(job, task=names.task_by_name("STS-B"), out=tmp_path / "no", train=similar, dev=similar))


def test_command_line(model: Path, sst: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--task", "SST-2", "--train", str(sst[0]), "--dev", str(sst[1]), "--out", str(tmp_path / "out")]
    options = ["--epochs", "1", "--seeds", "3,4", "--max-length", "32", "--learning-rate", "5e-3", "--quiet"]
    assert cli.main(["finetune", str(model), *data, *options]) == 0
    output = capsys.readouterr().out
    assert "over 2 seeds" in output
    assert cli.main(["evaluate", str(tmp_path / "out"), "--task", "SST-2", "--data", str(sst[1])]) == 0
    results = json.loads((tmp_path / "out/results.json").read_text())
    best = results["seeds"][str(results["kept"])]["accuracy"]
    assert capsys.readouterr().out == f"SST-2 accuracy: {best:.2f}\n"
    assert cli.main(["finetune", str(model), *data, *options]) == 2
    assert "exists. Remove it" in capsys.readouterr().err


def test_training_stops_early_without_improvement(model: Path, sst: tuple[Path, Path], tmp_path: Path) -> None:
    options = replace(OPTIONS, epochs=30, patience=1, learning_rate=0.0)
    job = tuning.Job(model, names.task_by_name("SST-2"), sst[0], tmp_path / "out", options=options, quiet=True)
    tuning.finetune(job)
    assert len((tmp_path / "out/log.jsonl").read_text().splitlines()) == 2


def test_similarity_is_learned(model: Path, tmp_path: Path) -> None:
    train = dev = write_similar(tmp_path / "train.csv", 120, 1)  # random scores, to be memorised
    task = names.task_by_name("similarity")
    before = evaluating.evaluate(model, evaluating.Exam(task, dev, 32))
    options = replace(OPTIONS, learning_rate=1e-3, epochs=8)
    job = tuning.Job(model, task, train, tmp_path / "out", dev, options=options, quiet=True)
    after = tuning.finetune(job).seeds[0]
    assert after["spearman"] > before["spearman"]
    exporting.export(tmp_path / "out", tmp_path / "engine", texts=documents(3))
    embedder = mbrt.TextEmbedder.from_pretrained(tmp_path / "engine" / exporting.ENGINE_FILE)
    assert np.linalg.norm(embedder("The cat reads.")) == pytest.approx(1, abs=1e-5)


def test_regression_is_learned(model: Path, tmp_path: Path) -> None:
    train, dev = write_similar(tmp_path / "train.csv", 200, 1), write_similar(tmp_path / "dev.csv", 60, 2)
    job = tuning.Job(
        model,
        names.task_by_name("STS-B"),
        train,
        tmp_path / "out",
        dev,
        options=replace(OPTIONS, pooler=True),
        quiet=True,
    )
    assert tuning.finetune(job).seeds[0].keys() == {"pearson", "spearman"}
    assert json.loads((tmp_path / "out/config.json").read_text())["problem_type"] == "regression"


@pytest.mark.parametrize("empty", [False, True], ids=["v1", "v2"])
def test_questions_are_answered(model: Path, tmp_path: Path, empty: bool) -> None:
    train, dev = (write_squad(tmp_path / f"{i}.json", 40, i, empty) for i in (1, 2))
    task = names.task_by_name("SQuAD")
    options = replace(OPTIONS, epochs=1, max_length=64)
    job = tuning.Job(model, task, train, tmp_path / "out", dev, options=options, quiet=True)
    found = tuning.finetune(job).seeds[0]
    assert 0 <= found["exact_match"] <= found["f1"] <= 100
    exam = evaluating.Exam(task, dev, 64)
    (_, int8) = exporting.export(
        tmp_path / "out",
        tmp_path / "m",
        texts=documents(3),
        exam=exam,
        bars=exporting.Bars(agreement=0.0, metric=100.0),
    )
    assert int8.metrics.keys() == {"f1", "exact_match"}


def test_windows_contain_every_answer_and_the_best_span_is_chosen(model: Path, tmp_path: Path) -> None:
    file = write_squad(tmp_path / "q.json", 12, 5)
    examples = squad.Squad().read(file, tokenizers.load_tokenizer(model), 24, training=False)
    assert len(examples) > 12
    assert {e.origin.number for e in examples if e.target != (0, 0)} == set(range(12))

    def perfect(sequences: Any) -> list[Any]:
        found = []
        for example, s in zip(examples, sequences, strict=True):
            logits = np.zeros((len(s.ids), 2))
            logits[example.target[0], 0] = logits[example.target[1], 1] = 9.0 if example.target != (0, 0) else 1.0
            found.append(logits)
        return found

    assert squad.Squad().evaluate(perfect, examples) == {"f1": 100.0, "exact_match": 100.0}


def test_unanswerable_questions_have_an_empty_answer(tmp_path: Path, model: Path) -> None:
    file = write_squad(tmp_path / "q.json", 6, 5, empty=True)
    examples = squad.Squad().read(file, tokenizers.load_tokenizer(model), 64, training=False)
    nothing = [np.stack([np.eye(len(e.sequences[0].ids))[0]] * 2, axis=1) for e in examples]
    found = squad.Squad().evaluate(lambda _: nothing, examples)
    assert found["exact_match"] == pytest.approx(100 / 3)


@pytest.mark.parametrize(
    ("found", "answers", "em", "f1"),
    [
        ("The Cat!", ["cat"], 1, 1),
        ("black cat", ["the cat"], 0, 2 / 3),
        ("", [], 1, 1),
        ("cat", [], 0, 0),
        ("a b", ["b c", "x y z b"], 0, 2 / 3),
    ],
)
def test_answers_are_compared_as_in_the_official_script(found: str, answers: list[str], em: float, f1: float) -> None:
    assert metrics.exact_match(found, answers) == em
    assert metrics.token_f1(found, answers) == pytest.approx(f1)


def test_metrics_match_their_definitions() -> None:
    truth, found = np.array([1, 1, 0, 0, 1]), np.array([1, 0, 0, 1, 1])
    tp, fp, fn, tn = 2, 1, 1, 1
    mcc = (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    assert metrics.METRICS["matthews"](truth, found) == pytest.approx(100 * mcc)
    assert metrics.METRICS["f1"](truth, found) == pytest.approx(100 * 2 * tp / (2 * tp + fp + fn))
    x, y = np.array([1.0, 2, 3, 4]), np.array([1.0, 4, 9, 100])
    assert metrics.METRICS["spearman"](x, y) == pytest.approx(100)
    assert metrics.METRICS["pearson"](x, np.zeros(4)) == 0.0


FILES = {
    "CoLA": ("gj04\t1\t\tThe cat reads.\n", 1),
    "SST-2": ('sentence\tlabel\nThe cat " reads .\t0\n', 0),
    "MRPC": ('\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tA "cat"\tB\n', 1),
    "STS-B": ("a,b,2.5\n", 2.5),
    "QQP": ("id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\ta\tb\t1\n", 1),
    "MNLI": ("\t".join("abcdefghij") + "\tk\tcontradiction\n", 2),
    "QNLI": ("index\tquestion\tsentence\tlabel\n0\tq\ts\tnot_entailment\n", 1),
    "RTE": ("index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n", 0),
}


@pytest.mark.parametrize("name", FILES)
def test_every_task_reads_its_files(name: str, model: Path, tmp_path: Path) -> None:
    text, target = FILES[name]
    file = tmp_path / ("f.csv" if name == "STS-B" else "f.tsv")
    file.write_text(text)
    (example,) = names.task_by_name(name).read(file, tokenizers.load_tokenizer(model), 32, training=True)
    assert example.target == target
    assert set(example.sequences[0].types) == ({0} if name in ("CoLA", "SST-2") else {0, 1})


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        ("SST-2", "fine\t2\n", "f.tsv:1: the label is '2'; expected one of negative, positive"),
        ("RTE", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tmaybe\n", "f.tsv:2"),
        ("MNLI", "\t".join("abcdefghij") + "\tk\t-\n", "entailment, neutral, contradiction"),
        ("STS-B", "a\tb\t5.5\n", "from 0 to 5"),
        ("STS-B", "a\tb\tx\n", "from 0 to 5"),
        ("CoLA", "too\tshort\n", "column 4 is required"),
        ("SST-2", "", "is empty"),
        ("SST-2", "sentence\tlabel\n", "no lines after the header"),
        ("SQuAD", "{}", "not SQuAD's JSON"),
        ("SQuAD", '{"data": []}', "no questions"),
        (
            "SQuAD",
            '{"data": [{"paragraphs": [{"context": "abc", "qas": '
            '[{"id": "7", "question": "?", "answers": [{"text": "x", "answer_start": 1}]}]}]}]}',
            "'7'",
        ),
    ],
)
def test_invalid_files_are_refused_and_nothing_is_written(
    task: str, text: str, message: str, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "f.tsv").write_text(text)
    job = tuning.Job(model, names.task_by_name(task), tmp_path / "f.tsv", tmp_path / "out", quiet=True)
    with pytest.raises(TrainingError, match=message.replace("(", r"\(")):
        tuning.finetune(job)
    assert [path.name for path in tmp_path.iterdir()] == ["f.tsv"]


def test_unknown_task_lists_the_known_ones() -> None:
    with pytest.raises(TrainingError, match="CoLA, SST-2"):
        names.task_by_name("GLUE")


if PUBLIC.is_dir():

    @pytest.mark.parametrize(
        ("task", "file", "rows"),
        [
            ("CoLA", "CoLA/dev.tsv", 1043),
            ("SST-2", "SST-2/dev.tsv", 872),
            ("RTE", "RTE/dev.tsv", 277),
            ("MRPC", "MRPC/msr_paraphrase_train.txt", 4076),
            ("STS-B", "STS-B/dev.csv", 1500),
            ("similarity", "STS-B/dev.csv", 1500),
        ],
    )
    def test_published_files_are_read_whole(task: str, file: str, rows: int, model: Path) -> None:
        found = names.task_by_name(task).read(PUBLIC / file, tokenizers.load_tokenizer(model), 32, training=False)
        assert len(found) == rows
