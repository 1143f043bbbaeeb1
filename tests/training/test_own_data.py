"""Fine-tuning on one's own data: files, labels, columns, export, and the same answers in the engine."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.small import torch
from tests.training.text import sentence

mbrt = pytest.importorskip("mobilebert_rt")
cli = pytest.importorskip("mbrt_train.cli")
tuning = pytest.importorskip("mbrt_train.tuning.finetune")
training = pytest.importorskip("mbrt_train.tuning.training")
names = pytest.importorskip("mbrt_train.tuning.names")
own = pytest.importorskip("mbrt_train.tuning.own")
metrics = pytest.importorskip("mbrt_train.tuning.metrics")
evaluating = pytest.importorskip("mbrt_train.tuning.evaluate")
exporting = pytest.importorskip("mbrt_train.export")
tokenizers = pytest.importorskip("mbrt_train.data.tokenizer")
TrainingError = pytest.importorskip("mbrt_train.errors").TrainingError

OPTIONS = training.Options(epochs=6, batch=16, learning_rate=5e-3, max_length=32, patience=6)
PEOPLE = ("cat", "captain", "teacher")
BARS = exporting.Bars(agreement=0.8, metric=10.0)


def sentences(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(count)]


def person(text: str) -> str:
    return next((name for name in PEOPLE if name in text), "other")


def parts(text: str) -> list[str]:
    """What the sentence is about: any number of labels."""
    return [name for name in ("morning", "letter", "sea", "cat") if name in text]


def write_csv(path: Path, count: int, seed: int) -> Path:
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["id", "text", "label"])
        for i, text in enumerate(sentences(count, seed)):
            rows.writerow([i, text, {"cat": "animal", "other": "thing"}.get(person(text), "person")])
    return path


def write_multi(path: Path, count: int, seed: int) -> Path:
    rows = [{"text": text, "labels": parts(text)} for text in sentences(count, seed)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def tagged(text: str) -> list[tuple[str, str]]:
    """Two words are a person, and one is a time."""
    words = text.rstrip(".?!").split()
    found = [(word, "O") for word in words]
    for i, word in enumerate(words):
        if word in ("teacher", "student", "captain", "friend"):
            found[i - 1], found[i] = (words[i - 1], "B-PER"), (word, "I-PER")
        if word in ("morning", "storm", "last"):
            found[i] = (word, "B-TIME")
    return found


def write_conll(path: Path, count: int, seed: int) -> Path:
    blocks = ["".join(f"{word} NN {label}\n" for word, label in tagged(text)) for text in sentences(count, seed)]
    path.write_text("-DOCSTART- X O\n\n" + "\n".join(blocks))
    return path


def run(model: Path, task: str, train: Path, dev: Path, out: Path, **options: Any) -> Any:
    job = tuning.Job(model, names.task_by_name(task), train, out, dev, options=replace(OPTIONS, **options), quiet=True)
    return tuning.finetune(job)


def export(source: Path, task: str, data: Path, out: Path) -> Any:
    exam = evaluating.Exam(names.task_by_name(task), data, 32)
    return exporting.export(source, out, exam=exam, bars=BARS)


def test_classes_of_a_csv_file_run_in_the_engine(model: Path, tmp_path: Path) -> None:
    train, dev = write_csv(tmp_path / "train.csv", 200, 1), write_csv(tmp_path / "dev.csv", 60, 2)
    found = run(model, "classification", train, dev, tmp_path / "tuned")
    assert found.seeds[0]["accuracy"] > 80
    fp32, _ = export(tmp_path / "tuned", "classification", dev, tmp_path / "out")
    assert fp32.metrics["accuracy"][0] == fp32.metrics["accuracy"][1] == found.seeds[0]["accuracy"]
    classify = mbrt.TextClassifier.from_pretrained(tmp_path / "out" / exporting.ENGINE_FILE)
    assert list(classify.labels) == ["animal", "person", "thing"]
    assert classify.model.metadata["problem_type"] == "single_label_classification"
    rows = list(csv.DictReader(dev.open()))
    best = [found[0].label for found in classify([row["text"] for row in rows], top_k=1)]
    assert np.mean([label == row["label"] for label, row in zip(best, rows, strict=True)]) > 0.75


def test_several_labels_of_json_lines_run_in_the_engine(model: Path, tmp_path: Path) -> None:
    train, dev = write_multi(tmp_path / "train.jsonl", 240, 1), write_multi(tmp_path / "dev.jsonl", 60, 2)
    found = run(model, "multi-label", train, dev, tmp_path / "tuned", epochs=10)
    assert found.seeds[0]["f1_micro"] > 50  # 0 before training
    export(tmp_path / "tuned", "multi-label", dev, tmp_path / "out")
    classify = mbrt.TextClassifier.from_pretrained(tmp_path / "out", precision="fp32")
    assert classify.model.metadata["problem_type"] == "multi_label_classification"
    assert list(classify.labels) == ["cat", "letter", "morning", "sea"]
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "tuned").eval()
    texts = sentences(5, 9)
    for text, scores in zip(texts, classify.scores(texts), strict=True):
        ids = tokenizers.load_tokenizer(model).encode(text).ids
        with torch.no_grad():
            wanted = theirs(torch.tensor([ids])).logits.sigmoid()[0]
        assert scores == pytest.approx(wanted.numpy(), abs=1e-5)


def test_entities_of_a_conll_file_run_in_the_engine(model: Path, tmp_path: Path) -> None:
    train, dev = write_conll(tmp_path / "train.conll", 200, 1), write_conll(tmp_path / "dev.conll", 40, 2)
    found = run(model, "token-classification", train, dev, tmp_path / "tuned")
    assert found.seeds[0]["f1"] > 90
    fp32, int8 = export(tmp_path / "tuned", "token-classification", dev, tmp_path / "out")
    assert fp32.metrics["f1"][0] == fp32.metrics["f1"][1] == found.seeds[0]["f1"]
    assert abs(int8.metrics["f1"][0] - int8.metrics["f1"][1]) < 10
    tag = mbrt.TokenClassifier.from_pretrained(tmp_path / "out" / exporting.ENGINE_FILE, aggregation="first")
    text = "The old teacher reads a map of the coast in the morning"
    assert {(entity.label, entity.text) for entity in tag(text)} == {("PER", "old teacher"), ("TIME", "morning")}


def test_numbers_run_in_the_engine(model: Path, tmp_path: Path) -> None:
    rows = [{"review": text, "score": len(text) / 50} for text in sentences(120, 3)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(model, "regression", tmp_path / "train.jsonl", tmp_path / "train.jsonl", tmp_path / "tuned", epochs=2)
    export(tmp_path / "tuned", "regression", tmp_path / "train.jsonl", tmp_path / "out")
    classify = mbrt.TextClassifier.from_pretrained(tmp_path / "out" / exporting.ENGINE_FILE)
    assert classify.model.metadata["problem_type"] == "regression"


def test_quantised_training_predicts_the_engines_entities(model: Path, tmp_path: Path) -> None:
    train = write_conll(tmp_path / "train.conll", 60, 1)
    promised = run(model, "token-classification", train, train, tmp_path / "tuned", epochs=1, quantised=True).seeds[0]
    _, int8 = export(tmp_path / "tuned", "token-classification", train, tmp_path / "out")
    assert int8.metrics["f1"][1] == promised["f1"]


def test_a_head_for_other_labels_is_not_kept(model: Path, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", 60, 1)
    run(model, "classification", train, train, tmp_path / "first", epochs=2)
    other = tmp_path / "other.csv"
    other.write_text(train.read_text().replace("person", "a-person"))  # as many labels, in another order
    run(tmp_path / "first", "classification", train, train, tmp_path / "same", learning_rate=0.0, epochs=1)
    run(tmp_path / "first", "classification", other, other, tmp_path / "other", learning_rate=0.0, epochs=1)
    first, same, new = (tuning.load_model(tmp_path / name).classifier.weight for name in ("first", "same", "other"))
    assert torch.equal(first, same)
    assert not new.any()
    job = tuning.Job(model, names.task_by_name("classification"), other, tmp_path / "no", teacher=tmp_path / "first")
    with pytest.raises(TrainingError, match="has the labels animal, person, thing; expected a-person"):
        tuning.finetune(job)


def read(task: str, file: Path, model: Path, **data: Any) -> list[Any]:
    found = names.task_by_name(task, own.Data(**data))
    found = found.labelled(found.labels_in(file), file)
    return [
        (example.sequences[0].ids, example.target)
        for example in found.read(file, tokenizers.load_tokenizer(model), 32, training=True)
    ]


def test_all_file_formats_and_names_of_columns_give_the_same_examples(model: Path, tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    wanted = [("The cat reads.", "animal"), ("A teacher answers.", "person"), ("The quiet sea.", "thing")]
    texts, labels = zip(*wanted, strict=True)
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f'"{t}",{c}\n' for t, c in wanted))
    (tmp_path / "b.tsv").write_text("Category\tReview\n" + "".join(f"{c}\t{t}\n" for t, c in wanted))
    rows = [json.dumps({"sentence": t, "class": c}) for t, c in wanted]
    (tmp_path / "c.jsonl").write_text("\n".join(rows))
    pq.write_table(pa.table({"content": texts, "intent": labels}), tmp_path / "d.parquet")
    (tmp_path / "e.csv").write_text("x,text,y\n" + "".join(f'"{t}",no,{c}\n' for t, c in wanted))
    (tmp_path / "f.csv").write_bytes((tmp_path / "a.csv").read_text().encode("utf-16"))
    expected = read("classification", tmp_path / "a.csv", model)
    assert [target for _, target in expected] == [0, 1, 2]
    for name in ("b.tsv", "c.jsonl", "d.parquet"):
        assert read("classification", tmp_path / name, model) == expected, name
    assert read("classification", tmp_path / "e.csv", model, text="x", label="y") == expected
    assert read("classification", tmp_path / "f.csv", model, encoding="utf-16") == expected


def test_pairs_are_encoded_as_pairs(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("premise,hypothesis,label\nThe cat reads,A cat,yes\nThe sea,A cat,no\n")
    (tmp_path / "b.csv").write_text("text,other,label\nThe cat reads,A cat,yes\nThe sea,A cat,no\n")
    found = read("classification", tmp_path / "a.csv", model)
    assert found[0][0] == tokenizers.load_tokenizer(model).encode("The cat reads", "A cat").ids
    assert read("classification", tmp_path / "b.csv", model, pair="other") == found
    assert read("classification", tmp_path / "b.csv", model) != found


def test_labels_are_sorted_and_numbers_by_their_value(tmp_path: Path) -> None:
    task = names.task_by_name("classification")
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"x,{i}\n" for i in (10, 9, 0, 9, 10)))
    assert task.labels_in(tmp_path / "a.csv") == ("0", "9", "10")


def test_given_labels_name_the_numbers_of_the_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na cat,1\na map,0\n")
    found = read("classification", tmp_path / "a.csv", model, labels=("bad", "good"))
    assert [target for _, target in found] == [1, 0]


def test_several_labels_can_be_lists_strings_or_columns(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        '{"text": "a cat", "labels": ["x", "y"]}\n{"text": "a map", "labels": []}\n{"text": "a sea", "labels": ["y"]}\n'
    )
    (tmp_path / "b.csv").write_text("text,labels\na cat,x|y\na map,\na sea,y\n")
    (tmp_path / "c.csv").write_text("text,x,y\na cat,1,1\na map,0,0\na sea,0,1\n")
    wanted = read("multi-label", tmp_path / "a.jsonl", model)
    assert [target for _, target in wanted] == [[1, 1], [0, 0], [0, 1]]
    assert read("multi-label", tmp_path / "b.csv", model) == wanted
    assert read("multi-label", tmp_path / "c.csv", model, label="x,y") == wanted
    assert read("multi-label", tmp_path / "c.csv", model, label="y,x", labels=("x", "y")) == wanted
    with pytest.raises(TrainingError, match="the label columns are x, y; expected x, z"):
        read("multi-label", tmp_path / "c.csv", model, label="x,y", labels=("x", "z"))


def test_words_and_entities_in_json_lines_equal_conll(model: Path, tmp_path: Path) -> None:
    words = [pair for text in sentences(3, 5) for pair in [tagged(text)]]
    write_conll(tmp_path / "a.conll", 3, 5)
    rows, spans = [], []
    for pairs in words:
        rows.append({"tokens": [word for word, _ in pairs], "ner_tags": [label for _, label in pairs]})
        text = " ".join(word for word, _ in pairs)
        entities, place = [], 0
        for word, label in pairs:
            if label.startswith("B-"):
                entities.append([place, place + len(word), label[2:]])
            elif label.startswith("I-"):
                entities[-1][1] = place + len(word)
            place += len(word) + 1
        spans.append({"text": text, "entities": entities})
        spans[-1]["entities"] = [
            {"start": a, "end": b, "label": kind} if i % 2 else [a, b, kind] for i, (a, b, kind) in enumerate(entities)
        ]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in spans))
    labels = ("O", "B-PER", "I-PER", "B-TIME", "I-TIME")
    wanted = read("token-classification", tmp_path / "a.conll", model, labels=labels)
    assert {target for _, targets in wanted for target in targets} >= {0, 1, 2, 3}
    assert read("token-classification", tmp_path / "b.jsonl", model, labels=labels) == wanted
    assert read("token-classification", tmp_path / "c.jsonl", model, labels=labels) == wanted


def test_long_sentences_keep_all_their_labels(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.conll"
    file.write_text("".join(f"{word} {'B-X' if i % 7 == 0 else 'O'}\n" for i, word in enumerate(["morning"] * 40)))
    task = names.task_by_name("token-classification")
    task = task.labelled(task.labels_in(file), file)
    examples = task.read(file, tokenizers.load_tokenizer(model), 16, training=True)
    assert len(examples) > 2
    assert max(len(example.sequences[0].ids) for example in examples) <= 16
    assert sum(target != -100 for example in examples for target in example.target) == 40

    def perfect(sequences: Any) -> list[Any]:
        return [np.eye(len(task.labels))[np.maximum(example.target, 0)] for example in examples]

    assert task.evaluate(perfect, examples) == {"f1": 100.0, "accuracy": 100.0}


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ("B-A I-A O B-B", {("A", 0, 2), ("B", 3, 4)}),
        ("B-A B-A I-A", {("A", 0, 1), ("A", 1, 3)}),
        ("I-A I-B O", {("A", 0, 1), ("B", 1, 2)}),
        ("S-A S-A B-A E-A I-A", {("A", 0, 1), ("A", 1, 2), ("A", 2, 4), ("A", 4, 5)}),
        ("PER PER O LOC", {("PER", 0, 2), ("LOC", 3, 4)}),
        ("O O", set()),
    ],
)
def test_entities_of_labels(labels: str, wanted: set[Any]) -> None:
    assert metrics.entities(labels.split()) == wanted


def test_f1_of_entities() -> None:
    truth, found = [["B-A", "I-A", "O", "B-B"]], [["B-A", "I-A", "O", "B-A"]]
    assert metrics.entity_f1(truth, found) == pytest.approx(50)
    assert metrics.entity_f1([["O"]], [["O"]]) == 100


HEADER = "text,label\n"
WRONG_FILES = [
    ("classification", "f.csv", "a,b\nx,y\n", "the columns are a, b; expected one of label, labels"),
    ("classification", "f.csv", "a,label\nx,y\nz,w\n", "expected one of text, sentence.*--text-column"),
    ("classification", "f.csv", HEADER + "x,a,b\n", "f.csv:2: 3 columns; the header has 2"),
    ("classification", "f.csv", HEADER, "no rows"),
    ("classification", "f.csv", "", "is empty"),
    ("classification", "f.csv", "text,text\nx,y\n", "a column name occurs twice"),
    ("classification", "f.csv", HEADER + "x,a\ny,\n", "f.csv:3: the label is empty"),
    ("classification", "f.csv", HEADER + "x,a\ny,a\n", "only the label 'a'; expected at least two"),
    ("classification", "f.csv", HEADER + "".join(f"x,{i}\n" for i in range(30)), "--task regression"),
    ("classification", "f.xlsx", "x", "the suffix is '.xlsx'; expected one of .csv"),
    ("classification", "f.jsonl", '{"text": "x", "label": "a"}\n[1]\n', "f.jsonl:2: list; expected an object"),
    ("classification", "f.jsonl", '{"text": "x"\n', "f.jsonl:1: not JSON"),
    ("classification", "f.jsonl", '{"text": "x", "label": "a"}\n{"text": 3, "label": "b"}\n', "'text' is 3; expected"),
    ("classification", "f.jsonl", '{"text": "x", "label": ["a"]}\n', "--task multi-label"),
    ("classification", "f.parquet", "x", "not a Parquet file"),
    ("multi-label", "f.jsonl", '{"text": "x", "label": 3}\n', "f.jsonl:1: 'label' is 3; expected a list"),
    ("regression", "f.csv", HEADER + "x,1.5\ny,high\n", "f.csv:3: the score is 'high'; expected a number"),
    ("regression", "f.csv", HEADER + "x,nan\n", "f.csv:2: the score is 'nan'"),
    ("token-classification", "f.conll", "a O\nb\n", "f.conll:2: 1 columns in 'b'; expected 2"),
    ("token-classification", "f.conll", "\n\n", "no sentences"),
    ("token-classification", "f.jsonl", '{"tokens": ["a"], "ner_tags": []}\n', "1 words and 0 labels"),
    ("token-classification", "f.jsonl", '{"text": "ab", "entities": [[1, 5, "X"]]}\n', "2 characters"),
    ("token-classification", "f.jsonl", '{"text": "abc", "entities": [[0, 2, "X"], [1, 3, "X"]]}\n', "overlap at 1"),
]


@pytest.mark.parametrize("case", WRONG_FILES, ids=lambda case: case[3][:30])
def test_wrong_files_are_refused_and_nothing_is_written(
    case: tuple[str, str, str, str], model: Path, tmp_path: Path
) -> None:
    task, name, text, message = case
    (tmp_path / name).write_text(text)
    job = tuning.Job(model, names.task_by_name(task), tmp_path / name, tmp_path / "out", quiet=True)
    with pytest.raises(TrainingError, match=message):
        tuning.finetune(job)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_unknown_label_of_the_development_file_is_named(model: Path, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEADER + "x,a\ny,b\n")
    (tmp_path / "dev.csv").write_text(HEADER + "x,a\ny,c\n")
    with pytest.raises(TrainingError, match=r"dev.csv:3: the label is 'c'; expected one of a, b \(from .*train.csv\)"):
        run(model, "classification", tmp_path / "train.csv", tmp_path / "dev.csv", tmp_path / "out")


@pytest.mark.parametrize("task", ["classification", "SST-2", "token-classification", "similarity"])
def test_latin_1_is_an_error_that_names_the_line(
    task: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ("f.conll" if task == "token-classification" else "f.tsv")
    rows = {"token-classification": "a O\nb B-X\ncafé O\n", "similarity": "a\tb\t1\na\tb\t2\ncafé\tb\t1\n"}
    file.write_bytes(rows.get(task, "sentence\tlabel\na\t1\ncafé\t0\n").encode("latin-1"))
    command = ["finetune", str(model), "--task", task, "--train", str(file), "--dev", str(file), "--quiet"]
    command += ["--out", str(tmp_path / "out"), "--epochs", "1"]
    assert cli.main(command) == 2
    error = capsys.readouterr().err
    assert f"{file}:3: byte 0xe9 is not utf-8" in error
    assert "--encoding latin-1" in error
    assert cli.main([*command, "--encoding", "latin-1"]) == 0
    assert cli.main([*command, "--encoding", "klingon"]) == 2


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(TrainingError, match="pip install pyarrow"):
        names.task_by_name("classification").labels_in(tmp_path / "f.parquet")


def test_command_line(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(tmp_path / "train.csv", 80, 1)
    renamed = (tmp_path / "train.csv").read_text().replace("id,text,label", "id,body text,kind", 1)
    (tmp_path / "train.csv").write_text(renamed)
    columns = ["--task", "classification", "--text-column", "body text", "--label-column", "kind"]
    at = lambda name: str(tmp_path / name)  # noqa: E731
    options = ["--epochs", "1", "--learning-rate", "5e-3", "--quiet"]
    assert cli.main(["finetune", str(model), *columns, "--train", at("train.csv"), "--out", at("a"), *options]) == 0
    assert cli.main(["export", at("a"), at("b"), *columns, "--data", at("train.csv"), "--agreement", "0.5"]) == 0
    capsys.readouterr()
    assert cli.main(["evaluate", at("b"), *columns, "--data", at("train.csv")]) == 0
    by_torch = capsys.readouterr().out
    assert by_torch.startswith("classification accuracy: ")
    alone = (tmp_path / "b/model.int8.safetensors").rename(tmp_path / "alone.safetensors")
    assert cli.main(["evaluate", str(alone), *columns, "--data", at("train.csv")]) == 0
    assert capsys.readouterr().out.startswith("classification accuracy: ")
    assert cli.main(["evaluate", at("b"), "--task", "SST-2", "--labels", "a,b", "--data", at("train.csv")]) == 2
    assert "apply to classification" in capsys.readouterr().err
