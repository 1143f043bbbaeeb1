from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt import InputError, TokenClassifier
from tests.small_models.text import VOCAB_SIZE, random_words, word_id
from tests.tasks.conftest import Make

LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def table(labels: dict[str, str], names: list[str] = LABELS, logit: float = 9) -> np.ndarray:
    """Logits of each token: `logit` at the label of the named pieces, and at the first label for the others."""
    rows = np.zeros((VOCAB_SIZE, len(names)), np.float32)
    rows[:, 0] = logit
    for piece, label in labels.items():
        rows[word_id(piece)] = logit * np.eye(len(names))[names.index(label)]
    return rows


NAMES = table({"ada": "B-PER", "love": "I-PER", "##lace": "I-PER", "london": "B-LOC", "paris": "B-LOC"})


def tagger(lookup: Make, rows: np.ndarray = NAMES, labels: list[str] = LABELS, **options: object) -> TokenClassifier:
    model = lookup(rows, "token_classification", labels, max_positions=options.pop("max_positions", 32))
    return TokenClassifier(model, **options)


def probability(logit: float) -> float:
    """Of the best of five labels, four of which have a logit of 0."""
    return float(np.exp(logit) / (np.exp(logit) + 4))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", [("ada", "B-PER"), ("love", "I-PER"), ("london", "B-LOC")]),
        ("simple", [("ada love", "PER"), ("london", "LOC")]),
        ("first", [("ada lovelace", "PER"), ("london", "LOC")]),
        ("max", [("ada", "PER"), ("london", "LOC")]),
    ],
)
def test_strategies_on_a_word_whose_pieces_disagree(lookup: Make, how: str, expected: list[tuple[str, str]]) -> None:
    rows = NAMES.copy()
    rows[word_id("love")] = [0, 0, 5, 0, 0]
    rows[word_id("##lace")] = [8, 0, 0, 0, 0]
    found = tagger(lookup, rows, aggregation=how)("ada lovelace london")
    assert [(entity.text, entity.label) for entity in found] == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["B-PER", "I-PER", "B-PER"], [("a b", "PER"), ("c", "PER")]),
        (["I-PER", "I-PER", "O"], [("a b", "PER")]),
        (["B-PER", "I-LOC", "I-LOC"], [("a", "PER"), ("b c", "LOC")]),
        (["B-PER", "O", "I-PER"], [("a", "PER"), ("c", "PER")]),
        (["O", "O", "O"], []),
    ],
)
def test_bio_rules(lookup: Make, labels: list[str], expected: list[tuple[str, str]]) -> None:
    found = tagger(lookup, table(dict(zip("abc", labels, strict=True))))("a b c")
    assert [(entity.text, entity.label) for entity in found] == expected


def test_neighbours_join_when_labels_have_no_prefixes(lookup: Make) -> None:
    names = ["O", "NAME", "CITY"]
    found = tagger(lookup, table({"a": "NAME", "b": "NAME", "c": "CITY"}, names), names)("a b c")
    assert [(entity.text, entity.label, entity.start, entity.end) for entity in found] == [
        ("a b", "NAME", 0, 3),
        ("c", "CITY", 4, 5),
    ]


def test_score_is_the_mean_over_tokens(lookup: Make) -> None:
    rows = table({"ada": "B-PER"})
    rows[word_id("love")] = [0, 0, 3, 0, 0]
    (entity,) = tagger(lookup, rows)("ada love")
    assert entity.score == pytest.approx((probability(9) + probability(3)) / 2, rel=1e-6)


def test_offsets_are_characters_of_the_text_as_given(lookup: Make) -> None:
    text = "  Ada   LOVELACE\tlived in \U0001f600 L\u00f3ndon, \u5317\u4eac e\u0301 paris!"
    entities = tagger(lookup)(text)
    assert [(entity.text, entity.label) for entity in entities] == [
        ("Ada   LOVELACE", "PER"),
        ("L\u00f3ndon", "LOC"),
        ("paris", "LOC"),
    ]
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)


def test_lists_keep_their_order_and_empty_texts_have_no_entities(lookup: Make) -> None:
    found = tagger(lookup, max_batch_tokens=8)(["", "paris and the london of ada", "the cat"])
    assert [[entity.text for entity in entities] for entities in found] == [[], ["paris", "london", "ada"], []]


@pytest.mark.parametrize("stride", [0, 3, 5])
def test_long_text_has_each_entity_once(lookup: Make, stride: int) -> None:
    pieces = np.random.default_rng(stride).choice(["ada lovelace", "london", "the", "cat"], 60).tolist()
    text = " . ".join(pieces)
    whole = tagger(lookup, max_positions=512)(text)
    assert tagger(lookup, on_overflow="stride", stride=stride)(text) == whole
    assert [entity.text for entity in whole] == [piece for piece in pieces if piece not in ("the", "cat")]


def test_ignored_labels_and_strategy_can_be_chosen(lookup: Make) -> None:
    text = "ada lived in london"
    assert [entity.label for entity in tagger(lookup, ignore_labels=["O", "PER"])(text)] == ["LOC"]
    assert [entity.label for entity in tagger(lookup)(text, aggregation="none")] == ["B-PER", "B-LOC"]
    assert [entity.label for entity in tagger(lookup, ignore_labels=[])("the ada")] == ["O", "PER"]
    with pytest.raises(InputError, match="aggregation: found 'mean'; expected none, simple, first, average, max"):
        tagger(lookup, aggregation="mean")


def test_pairs_are_refused(lookup: Make) -> None:
    with pytest.raises(InputError, match="input 1 is a pair"):
        tagger(lookup)(["the", ("a", "b")])


def test_stream_equals_the_call(lookup: Make) -> None:
    texts = [random_words(n, n) + " paris" for n in range(1, 12)]
    task = tagger(lookup)
    assert list(task.stream(iter(texts))) == task(texts)


def test_labels_follow_the_models_logits(random_model: Make) -> None:
    model = random_model("ForTokenClassification")
    task = TokenClassifier(model, aggregation="none", ignore_labels=[])
    for text in [random_words(n, n) for n in (1, 20, 7)]:
        ((ids, _),) = task.sequences([text])
        logits = model([ids]).logits[0][1:-1].astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = (powers / powers.sum(axis=1, keepdims=True)).max(axis=1)
        entities = task(text)
        assert [entity.label for entity in entities] == [task.labels[i] for i in logits.argmax(axis=1)]
        assert [entity.score for entity in entities] == pytest.approx(scores.tolist(), rel=1e-6)
