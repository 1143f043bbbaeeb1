"""The tasks on the real engine: a small random MobileBERT with each head; the oracle is the model itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mobilebert_rt.model import Model
from mobilebert_rt.text import FillMask, QuestionAnswerer, TextClassifier, TextEmbedder, TokenClassifier
from mobilebert_rt.text.numeric import softmax
from tests.small_models.folders import odd, random_tensors, write_folder
from tests.text.fake_model import VOCABULARY
from tests.text.test_windows import words

SIZE = VOCABULARY.count("\n")
LABELS = {"0": "O", "1": "B-PER", "2": "I-PER"}
TEXTS = [words(n, n) for n in (1, 20, 7, 3, 12)]


def model_for(task: str, folder: Path) -> Model:
    """A MobileBERT whose class is MobileBertFor<task>."""
    config = odd(vocab_size=SIZE, max_position_embeddings=24, architectures=[f"MobileBertFor{task}"], id2label=LABELS)
    tensors = {f"mobilebert.{name}": array for name, array in random_tensors(config).items()}
    random = np.random.default_rng(5)
    hidden = config["hidden_size"]

    def normal(*shape: int) -> np.ndarray:
        return random.normal(0, 0.5, shape).astype(np.float32)

    if task == "MaskedLM":
        tensors["cls.predictions.transform.dense.weight"] = normal(hidden, hidden)
        tensors["cls.predictions.transform.dense.bias"] = normal(hidden)
        tensors["cls.predictions.transform.LayerNorm.weight"] = 1 + normal(hidden)
        tensors["cls.predictions.transform.LayerNorm.bias"] = normal(hidden)
        tensors["cls.predictions.dense.weight"] = normal(hidden - config["embedding_size"], SIZE)
        tensors["cls.predictions.bias"] = normal(SIZE)
    else:
        name, outputs = ("qa_outputs", 2) if task == "QuestionAnswering" else ("classifier", len(LABELS))
        tensors[f"{name}.weight"] = normal(outputs, hidden)
        tensors[f"{name}.bias"] = normal(outputs)
    write_folder(folder, config, tensors)
    (folder / "vocab.txt").write_text(VOCABULARY, encoding="utf-8")
    return Model.from_pretrained(folder)


def test_classifier(tmp_path: Path) -> None:
    model = model_for("SequenceClassification", tmp_path)
    task = TextClassifier(model, max_batch_tokens=24)
    ids = [encoding.ids for encoding in task.tokenizer.encode_batch(TEXTS, 0, False)]
    expected = np.concatenate([softmax(model([row]).logits) for row in ids])
    np.testing.assert_array_equal(task.scores(TEXTS), expected)
    assert [found[0].label for found in task(TEXTS)] == [LABELS[str(i)] for i in expected.argmax(axis=1)]


def test_token_classifier(tmp_path: Path) -> None:
    model = model_for("TokenClassification", tmp_path)
    task = TokenClassifier(model, aggregation="none", ignore_labels=[])
    for text, entities in zip(TEXTS, task(TEXTS), strict=True):
        logits = model([task.tokenizer.encode_batch([text], 0, False)[0].ids]).logits[0][1:-1]
        assert [entity.label for entity in entities] == [LABELS[str(i)] for i in logits.argmax(axis=1)]
        assert [entity.score for entity in entities] == pytest.approx(softmax(logits).max(axis=1).tolist())


def test_question_answerer(tmp_path: Path) -> None:
    model = model_for("QuestionAnswering", tmp_path)
    task = QuestionAnswerer(model, whole_words=False)
    encoding = task.tokenizer.encode_batch([("who wrote", TEXTS[2])], 0, True)[0]
    output = model([encoding.ids], token_type_ids=[encoding.type_ids])
    start, end = output.start_logits[0][4:-1], output.end_logits[0][4:-1]
    sums = [(start[i] + end[j], i, j) for i in range(len(start)) for j in range(i, len(end))]
    _, i, j = max(sums)
    (answer,) = task("who wrote", TEXTS[2])
    assert (answer.start, answer.end) == (encoding.offsets[4 + i][0], encoding.offsets[4 + j][1])
    assert len(task("who", words(60), n_best=3)) == 3


def test_fill_mask_and_embedder_of_a_masked_language_model(tmp_path: Path) -> None:
    model = model_for("MaskedLM", tmp_path)
    text = "the [MASK] was [MASK] in london"
    masks = FillMask(model)([text, "[MASK]"], top_k=3)
    ids = TextEmbedder(model).tokenizer.encode_batch([text], 0, False)[0].ids
    whole = model([ids])
    for mask, place in zip(masks[0], (2, 4), strict=True):
        expected = softmax(whole.logits[0][place])
        assert [fill.token_id for fill in mask] == np.argsort(-expected)[:3].tolist()
        assert mask[0].score == pytest.approx(float(expected.max()))
    embedder = TextEmbedder(model, pooling="cls")
    np.testing.assert_array_equal(embedder(text), whole.last_hidden_state[0][0])


def test_embeddings_have_the_same_bits_alone_and_in_any_batch(tmp_path: Path) -> None:
    embedder = TextEmbedder(model_for("MaskedLM", tmp_path), normalize=True, max_batch_tokens=30)
    batch = embedder(TEXTS)
    for text, vector in zip(TEXTS, batch, strict=True):
        np.testing.assert_array_equal(embedder(text), vector)
    np.testing.assert_allclose(np.linalg.norm(batch, axis=1), 1, rtol=1e-6)
