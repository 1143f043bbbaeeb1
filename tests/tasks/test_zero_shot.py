from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import InputError, Model, TextClassifier, UnsupportedModelError, ZeroShotClassifier
from mobilebert_rt.text import ZeroShotClassification
from tests.small_models import save_folder
from tests.small_models.text import VOCAB_SIZE, random_words, word_id
from tests.tasks.conftest import Make

NLI = ["contradiction", "neutral", "entailment"]
LABELS = ["good", "bad", "funny", "a warm film", "london"]
TEXTS = ["The film was not very good, but funny!", "ada lived in LONDON", " ", "Caf\u00e9 \u2014 a 1843 cat."]
TEMPLATES = ["This example is {}.", "{}", "the {0} was {{very}} {0}"]


def zero_shot(lookup: Make, table: np.ndarray, labels: list[str] = NLI, **options: Any) -> ZeroShotClassifier:
    return ZeroShotClassifier(lookup(table, "sequence_classification", labels), **options)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was trained for a moment to find that every text entails some labels and contradicts others."""
    pipelines = pytest.importorskip("tests.tasks.pipelines")
    torch, transformers = pipelines.torch, pipelines.transformers
    folder = save_folder(tmp_path_factory.mktemp("trained"), "bert", "ForSequenceClassification", labels=NLI)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).train()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    words = ["bad", "london", "good"] * 8
    for step in range(60):
        texts = [random_words(4, len(words) * step + i) for i in range(len(words))]
        inputs = tokenizer(texts, [f"This example is {word}." for word in words], return_tensors="pt", padding=True)
        loss = model(**inputs, labels=torch.arange(len(words)) % 3).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def random_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    made: dict[str, Path] = {}

    def make(family: str, labels: list[str]) -> Path:
        name = "_".join([family, *labels])
        if name not in made:
            target = tmp_path_factory.mktemp("random") / "m"
            made[name] = save_folder(target, family, "ForSequenceClassification", labels=labels)
        return made[name]

    return make


def assert_as_the_pipeline(folder: Path, labels: Any = LABELS, texts: Any = TEXTS, **options: Any) -> None:
    pipelines = pytest.importorskip("tests.tasks.pipelines")
    expected = pipelines.pipeline("zero-shot-classification", folder)(texts, candidate_labels=labels, **options)
    task = ZeroShotClassifier.from_pretrained(folder, precision="fp32")
    for found, wanted in zip(task(texts, labels, **options), expected, strict=True):
        assert found.sequence == wanted["sequence"]
        assert dict(zip(found.labels, found.scores, strict=True)) == pytest.approx(
            dict(zip(wanted["labels"], wanted["scores"], strict=True)), abs=1e-5
        )
        assert found.scores == pytest.approx(wanted["scores"], abs=1e-5)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("family", ["mobilebert", "bert", "distilbert"])
def test_scores_equal_the_pipelines(
    random_folder: Callable[..., Path], family: str, multi_label: bool, template: str
) -> None:
    folder = random_folder(family, NLI)
    assert_as_the_pipeline(folder, hypothesis_template=template, multi_label=multi_label)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("multi_label", [False, True])
def test_scores_of_a_trained_model_equal_the_pipelines(trained: Path, multi_label: bool, template: str) -> None:
    assert_as_the_pipeline(trained, hypothesis_template=template, multi_label=multi_label)
    found = ZeroShotClassifier.from_pretrained(trained)("the film was warm", ["bad", "good", "london"])
    assert found.labels[0] == "good"
    assert found.scores[0] > 0.8


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize(
    "names", [["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], ["not_entailment", "Entails"], ["entailment", "other"]]
)
def test_entailment_is_found_by_name(random_folder: Callable[..., Path], names: list[str], multi_label: bool) -> None:
    assert_as_the_pipeline(random_folder("bert", names), multi_label=multi_label)


@pytest.mark.parametrize("labels", ["good, bad ,,\u00a0funny\u3000,", "good", ["good"], ["a, b", "c"]])
def test_labels_are_a_list_or_have_commas_between_them(random_folder: Callable[..., Path], labels: Any) -> None:
    assert_as_the_pipeline(random_folder("mobilebert", NLI), labels)


def test_long_texts_lose_their_end_and_hypotheses_stay_whole(random_folder: Callable[..., Path]) -> None:
    folder = random_folder("mobilebert", NLI)
    texts = [random_words(100, 1), random_words(29, 2)]
    assert_as_the_pipeline(folder, ["good", random_words(20, 3)], texts)
    task = ZeroShotClassifier.from_pretrained(folder)
    assert task.limits.on_overflow == "truncate"
    with pytest.raises(
        InputError, match=r"input 0: its second text has 60 tokens, which leaves no tokens .* the first"
    ):
        task(["a", random_words(2)], [random_words(60)], hypothesis_template="{}")
    with pytest.raises(InputError, match=r"input 1 has 10[0-9] tokens"):
        ZeroShotClassifier(task.model, on_overflow="error")(["a", random_words(100, 1)], LABELS)


def test_windows_move_over_the_text(random_folder: Callable[..., Path]) -> None:
    folder = random_folder("bert", NLI)
    model = Model.from_pretrained(folder, precision="fp32")
    text = random_words(30, 5)
    hypotheses = ["This example is good.", "This example is bad."]
    options = {"max_length": 20, "on_overflow": "stride", "stride": 0}
    windows = [" ".join(text.split()[i : i + 12]) for i in range(0, 30, 12)]  # 20 less 3 special and 5 of a hypothesis
    logits = TextClassifier(model, function_to_apply="none").scores([(w, h) for h in hypotheses for w in windows])
    means = logits.astype(np.float64).reshape(2, len(windows), 3).mean(axis=1)[:, 2]
    found = ZeroShotClassifier(model, **options)(text, ["good", "bad"])
    scores = dict(zip(found.labels, found.scores, strict=True))
    assert scores["good"] == pytest.approx(1 / (1 + math.exp(means[1] - means[0])), abs=1e-6)


def test_result_is_a_record_and_a_list_gives_a_list(lookup: Make) -> None:
    table = np.zeros((VOCAB_SIZE, 3))
    table[word_id("good"), 2] = 8
    task = zero_shot(lookup, table)
    found = task("a film", ["bad", "good"])
    assert isinstance(found, ZeroShotClassification)
    assert (found.sequence, found.labels) == ("a film", ["good", "bad"])
    assert math.fsum(found.scores) == pytest.approx(1, abs=1e-6)
    assert task(["a film", "a cat"], ["bad", "good"]) == [found, task("a cat", ["bad", "good"])]
    assert list(task.stream(iter(["a film"]), iter(["bad", "good"]))) == [found]
    assert task([], "good") == []


def test_results_do_not_depend_on_batches(random_folder: Callable[..., Path]) -> None:
    model = Model.from_pretrained(random_folder("mobilebert", NLI))
    texts = [random_words(n % 25, n) for n in range(60)]
    expected = ZeroShotClassifier(model)(texts, LABELS)
    assert ZeroShotClassifier(model, max_batch_tokens=8)(texts, LABELS) == expected
    assert [ZeroShotClassifier(model)(text, LABELS) for text in texts] == expected


def test_progress_and_truncation_count_texts(random_folder: Callable[..., Path]) -> None:
    task = ZeroShotClassifier.from_pretrained(random_folder("mobilebert", NLI), max_batch_tokens=30)
    counts: list[int] = []
    cut: list[int] = []
    texts = (random_words(3), random_words(90), random_words(5), random_words(80))
    task._task.classify(
        texts, candidate_labels=LABELS, progress=counts.append, truncated=lambda i, n: cut.append(i), first_index=10
    )
    assert sum(counts) == 4
    assert cut == [11, 13]


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([], {}, "candidate_labels: found none"),
        (" , ", {}, "candidate_labels: found none"),
        (None, {}, "candidate_labels: found none"),
        (3, {}, "candidate_labels: found 3; expected a text or a list of texts"),
        (["a", 3], {}, "candidate_labels: found 3; expected"),
        ("a", {"hypothesis_template": "no place"}, r'hypothesis_template: found "no place", which has no \{\}'),
        ("a", {"hypothesis_template": "{{}}"}, r"which has no \{\}"),
        ("a", {"hypothesis_template": "{label}"}, "which has another brace"),
        ("a", {"hypothesis_template": "{} }"}, "which has another brace"),
    ],
)
def test_wrong_arguments_are_named(lookup: Make, labels: Any, options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        zero_shot(lookup, np.zeros((VOCAB_SIZE, 3)))("a cat", labels, **options)


def test_pairs_are_refused(lookup: Make) -> None:
    with pytest.raises(InputError, match="input 1 is a pair"):
        zero_shot(lookup, np.zeros((VOCAB_SIZE, 3)))(["a", ("a", "b")], "good")


@pytest.mark.parametrize("labels", [["LABEL_0", "LABEL_1"], ["not entailment", "neutral"], ["entailment"]])
def test_model_that_is_not_for_nli_is_refused(lookup: Make, labels: list[str]) -> None:
    with pytest.raises(UnsupportedModelError, match=f"its labels are {', '.join(labels)}; .* name its labels"):
        zero_shot(lookup, np.zeros((VOCAB_SIZE, len(labels))), labels)


def test_label2id_that_contradicts_id2label_is_refused(tmp_path: Path) -> None:
    folder = save_folder(tmp_path / "m", "bert", "ForSequenceClassification", labels=NLI)
    config = json.loads((folder / "config.json").read_text())
    config["label2id"] = {name: 2 - i for i, name in enumerate(NLI)}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(Exception, match=r'label2id: "contradiction" is 2; id2label has it as 0'):
        ZeroShotClassifier.from_pretrained(folder)
