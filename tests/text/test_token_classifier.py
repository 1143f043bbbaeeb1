from __future__ import annotations

import numpy as np
import pytest

from mobilebert_rt.errors import InputError
from mobilebert_rt.text import Entity, TokenClassifier
from mobilebert_rt.text.aggregation import Tokens, entities_of
from tests.text.fake_model import FakeModel, word_id
from tests.text.test_windows import words

LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def tokens(*labelled: tuple[str, int, int, int, float]) -> Tokens:
    """(label, start, end, word, probability) of each token; the rest of the probability is O's."""
    scores = np.zeros((len(labelled), len(LABELS)), dtype=np.float32)
    for row, (label, _, _, _, score) in zip(scores, labelled, strict=True):
        row[0] = 1 - score
        row[LABELS.index(label)] = score
    return Tokens(scores, [item[1:3] for item in labelled], [item[3] for item in labelled])


def found(text: str, how: str, *labelled: tuple[str, int, int, int, float]) -> list[tuple[str, str]]:
    entities = entities_of(text, tokens(*labelled), LABELS, frozenset(["O"]), how)
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)
    return [(entity.text, entity.label) for entity in entities]


LOVELACE = [("B-PER", 0, 3, 0, 0.9), ("I-PER", 4, 8, 1, 0.6), ("O", 8, 12, 1, 0.9), ("B-LOC", 13, 19, 2, 0.7)]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", [("Ada", "B-PER"), ("Love", "I-PER"), ("London", "B-LOC")]),
        ("simple", [("Ada Love", "PER"), ("London", "LOC")]),
        ("first", [("Ada Lovelace", "PER"), ("London", "LOC")]),
        ("max", [("Ada", "PER"), ("London", "LOC")]),
    ],
)
def test_strategies_on_a_word_whose_pieces_disagree(how: str, expected: list[tuple[str, str]]) -> None:
    assert found("Ada Lovelace London", how, *LOVELACE) == expected


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
def test_bio_rules(labels: list[str], expected: list[tuple[str, str]]) -> None:
    pieces = [(label, 2 * i, 2 * i + 1, i, 0.8) for i, label in enumerate(labels)]
    assert found("a b c", "simple", *pieces) == expected


def test_labels_without_prefixes_join_their_like() -> None:
    scores = np.eye(3, dtype=np.float32)[[1, 1, 2]]
    entities = entities_of(
        "a b c",
        Tokens(scores, [(0, 1), (2, 3), (4, 5)], [0, 1, 2]),
        ["O", "NAME", "CITY"],
        frozenset(["O"]),
        "simple",
    )
    assert entities == [Entity("a b", "NAME", 1.0, 0, 3), Entity("c", "CITY", 1.0, 4, 5)]


def test_score_is_the_mean_over_tokens_or_words() -> None:
    pieces = tokens(*LOVELACE[:2])
    (entity,) = entities_of("Ada Love", pieces, LABELS, frozenset(["O"]), "simple")
    assert entity.score == pytest.approx(0.75)


def label_rows(ids: list[int]) -> np.ndarray:
    table = {
        word_id("ada"): 1,
        word_id("love"): 2,
        word_id("##lace"): 2,
        word_id("london"): 3,
        word_id("paris"): 3,
    }
    return 9 * np.eye(len(LABELS))[[table.get(i, 0) for i in ids]]


def tagger(**options: object) -> TokenClassifier:
    return TokenClassifier(FakeModel(label_rows, labels=LABELS, head="token_classification"), **options)


def test_offsets_are_characters_of_the_text_as_given() -> None:
    text = "  Ada   LOVELACE\tlived in 😀 Lóndon!"
    entities = tagger()(text)
    assert [(entity.text, entity.label) for entity in entities] == [
        ("Ada   LOVELACE", "PER"),
        ("Lóndon", "LOC"),
    ]
    assert all(text[entity.start : entity.end] == entity.text for entity in entities)


def test_lists_keep_their_order_and_empty_texts_have_no_entities() -> None:
    found = tagger(max_batch_tokens=8)(["", "paris and the london of ada", "the cat"])
    assert [[entity.text for entity in entities] for entities in found] == [
        [],
        ["paris", "london", "ada"],
        [],
    ]


@pytest.mark.parametrize("stride", [0, 3, 5])
def test_long_text_has_each_entity_once(stride: int) -> None:
    random = np.random.default_rng(stride)
    pieces = random.choice(["ada lovelace", "london", "the", "cat"], 60).tolist()
    text = " . ".join(pieces)
    whole = TokenClassifier(FakeModel(label_rows, labels=LABELS, head="token_classification", max_positions=512))(text)
    assert tagger(on_overflow="stride", stride=stride)(text) == whole
    assert [entity.text for entity in whole] == [piece for piece in pieces if piece not in ("the", "cat")]


def test_ignored_labels_and_strategy_can_be_chosen() -> None:
    text = "ada lived in london"
    assert [entity.label for entity in tagger(ignore_labels=["O", "PER"])(text)] == ["LOC"]
    assert [entity.label for entity in tagger()(text, aggregation="none")] == ["B-PER", "B-LOC"]
    assert [entity.label for entity in tagger(ignore_labels=[])("the ada")] == ["O", "PER"]
    with pytest.raises(InputError, match="aggregation is 'mean'"):
        tagger(aggregation="mean")


def test_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="input 1 is a pair"):
        tagger()(["the", ("a", "b")])


def test_stream_is_the_call() -> None:
    texts = [words(n, n) + " paris" for n in range(1, 12)]
    assert list(tagger().stream(iter(texts))) == tagger()(texts)
