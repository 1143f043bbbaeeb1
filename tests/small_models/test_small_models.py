"""The factory: each of its models converts, runs, and is what transformers would load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilebert_rt as mbrt
from tests.emulation import import_on_host
from tests.small_models import FAMILIES, heads_of, save_folder, save_model
from tests.small_models.files import MODELS, PRECISIONS, write_lookup_model, write_model
from tests.small_models.text import VOCAB_SIZE, VOCABULARY, random_words, tokenizer_json, word_id

CASES = [(family, head) for family in FAMILIES for head in heads_of(family)]
IDS = [[2, 7, 9, 11, 3]]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("family", "head"), CASES)
def test_converted_model_runs(tmp_path: Path, family: str, head: str, precision: str) -> None:
    path = save_model(tmp_path / "m.safetensors", family, head, precision)
    assert path.stat().st_size < 150_000
    output = mbrt.Model.from_pretrained(path)(IDS)
    assert np.isfinite(output.last_hidden_state[0]).all()
    scores = output.start_logits if head == "ForQuestionAnswering" else output.logits
    assert (scores is None) == (head == "Model")


def test_same_arguments_give_same_bytes(tmp_path: Path) -> None:
    paths = [
        save_model(tmp_path / name, "bert", "ForMaskedLM", seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    first, second, other = (path.read_bytes() for path in paths)
    assert first == second != other


@pytest.mark.parametrize(("family", "head"), [case for case in CASES if case[0] != "teacher"])  # transformers lacks it
def test_transformers_loads_every_tensor(tmp_path: Path, family: str, head: str) -> None:
    import_on_host("torch")
    transformers: Any = import_on_host("transformers")
    folder = save_folder(tmp_path, family, head)
    name = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    _, report = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    unused = "bottleneck.attention"  # of tiny, made by transformers and never read
    assert [key for key in report["missing_keys"] if unused not in key] == []
    assert not report["unexpected_keys"]
    assert not report["mismatched_keys"]


def test_tokenizer_json_is_the_tokenizer_of_vocab_txt() -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json()))
    assert tokenizer.get_vocab_size() == VOCAB_SIZE == len(VOCABULARY.splitlines())
    pieces = ["[CLS]", "love", "##lace", "[MASK]", "dog", "##s", "[SEP]"]
    assert tokenizer.encode("Lovelace [MASK] dogs").tokens == pieces
    assert tokenizer.encode("Lovelace [MASK] dogs").ids == [word_id(piece) for piece in pieces]
    assert len(tokenizer.encode(random_words(9)).ids) == 11


def test_lookup_model_answers_with_the_rows_of_its_table(tmp_path: Path) -> None:
    table = np.random.default_rng(4).normal(0, 1, (VOCAB_SIZE, 3)).astype(np.float32)

    def load(head: str, values: Any) -> mbrt.Model:
        return mbrt.Model.from_pretrained(write_lookup_model(tmp_path / head, values, head))

    np.testing.assert_array_equal(load("token_classification", table)(IDS).logits[0], table[IDS[0]])
    np.testing.assert_array_equal(load("none", table)(IDS).last_hidden_state[0], table[IDS[0]])
    answer = load("question_answering", table[:, :2])(IDS)
    np.testing.assert_array_equal(np.stack([answer.start_logits[0], answer.end_logits[0]], axis=1), table[IDS[0], :2])
    logits = load("sequence_classification", table)(IDS).logits[0]
    np.testing.assert_allclose(logits, table[2] + table[IDS[0]].mean(axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", MODELS)
def test_written_model_loads(tmp_path: Path, name: str, precision: str) -> None:
    mbrt.Model.from_pretrained(write_model(tmp_path, name, precision))(IDS)
