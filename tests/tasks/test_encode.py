"""`TextEmbedder.encode` and its companions stand in for a SentenceTransformer."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import InputError, TextEmbedder
from mobilebert_rt.text import quantize
from mobilebert_rt.text.vectors import OUTPUTS
from tests.emulation import import_on_host
from tests.small_models.sentence import NORMALIZE, dense, save_sentence_folder
from tests.small_models.text import random_words

torch = import_on_host("torch")
library = import_on_host("sentence_transformers")

TEXTS = [random_words(n % 12 + 1, n) for n in range(20)]
VECTORS = np.random.default_rng(0).normal(0, 1, (150, 21)).astype(np.float32)
PROMPTS = {"prompts": {"query": "who ", "document": "notes "}, "default_prompt_name": "document"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[TextEmbedder, Any]:
    """The embedder and the library's model of one folder."""
    folder: Path = tmp_path_factory.mktemp("encode") / "m"
    save_sentence_folder(folder, modules=[dense(16), NORMALIZE], settings=PROMPTS | {"similarity_fn_name": "euclidean"})
    model = library.SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return TextEmbedder.from_pretrained(folder, precision="fp32"), model


def test_encode_has_the_keywords_of_the_library() -> None:
    known = inspect.signature(library.SentenceTransformer.encode).parameters
    own = inspect.signature(TextEmbedder.encode).parameters
    assert [name for name in known if name != "kwargs"] == list(own)
    for name, parameter in own.items():
        assert parameter.default == known[name].default, name


OPTIONS: list[dict[str, Any]] = [
    {},
    {"prompt_name": "query"},
    {"prompt": "the "},
    {"prompt": ""},
    {"normalize_embeddings": True, "truncate_dim": 5},
    {"truncate_dim": 5},
    {"convert_to_tensor": True},
    {"convert_to_numpy": False},
    {"batch_size": 3, "show_progress_bar": False},
    {"device": "cpu"},
    {"output_value": "token_embeddings"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    "inputs", [TEXTS, TEXTS[0], tuple(TEXTS), np.array(TEXTS)], ids=["list", "str", "tuple", "array"]
)
def test_encode_gives_what_the_library_gives(
    both: tuple[TextEmbedder, Any], options: dict[str, Any], inputs: Any
) -> None:
    found, wanted = (model.encode(inputs, **options) for model in both)
    if options.get("output_value") != "token_embeddings":
        assert type(found) is type(wanted)
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
    pairs = zip(found, wanted, strict=True) if isinstance(wanted, list) else [(found, wanted)]
    for one, other in pairs:
        assert one.shape == tuple(other.shape)
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), atol=2e-5)


@pytest.mark.parametrize("output", OUTPUTS)
def test_fewer_bits_are_those_of_the_library(output: Any) -> None:
    quantize_embeddings = library.util.quantize_embeddings
    wanted = quantize_embeddings(VECTORS, output)
    found = quantize(VECTORS, output)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)
    ranges = np.stack([np.full(21, -0.5), np.full(21, 0.75)]).astype(np.float32)
    ranges[:, 3] = 0.25  # a dimension without a range
    np.testing.assert_array_equal(
        quantize(VECTORS, output, ranges), quantize_embeddings(VECTORS, output, ranges=ranges)
    )
    np.testing.assert_array_equal(
        quantize(VECTORS[0], output, ranges), quantize_embeddings(VECTORS[:1], output, ranges=ranges)[0]
    )
    assert quantize(VECTORS[:0], output).shape == quantize_embeddings(VECTORS[:0], output).shape


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_encode_in_fewer_bits(both: tuple[TextEmbedder, Any], precision: str) -> None:
    found, wanted = (model.encode(TEXTS, precision=precision) for model in both)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    if precision.endswith("int8"):
        assert np.abs(found.astype(int) - wanted.astype(int)).max() <= 1  # a value may be at the edge of its step
    assert (found == wanted).mean() > 0.98


@pytest.mark.parametrize("name", ["encode_query", "encode_document"])
def test_queries_and_documents_have_their_prompts(both: tuple[TextEmbedder, Any], name: str) -> None:
    found, wanted = (getattr(model, name)(TEXTS) for model in both)
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_similarity_is_that_of_the_folder(both: tuple[TextEmbedder, Any]) -> None:
    embedder, model = both
    assert embedder.similarity_fn_name == model.similarity_fn_name == "euclidean"
    vectors = model.encode(TEXTS)
    found, wanted = (each.similarity(vectors[:3], vectors) for each in both)
    np.testing.assert_allclose(found, wanted, atol=1e-3)  # the library takes the root of a difference


def test_search_of_texts_uses_both_prompts(both: tuple[TextEmbedder, Any]) -> None:
    embedder, model = both
    scores, rows = embedder.search(TEXTS[:3], TEXTS, top_k=4)
    full = -torch.cdist(torch.from_numpy(model.encode_query(TEXTS[:3])), torch.from_numpy(model.encode_document(TEXTS)))
    np.testing.assert_allclose(scores, full.sort(dim=1, descending=True).values[:, :4], atol=1e-4)
    np.testing.assert_allclose(np.take_along_axis(full.numpy(), rows, axis=1), scores, atol=1e-4)


def test_what_cannot_be_done_is_refused(both: tuple[TextEmbedder, Any]) -> None:
    embedder, _ = both
    for options, message in [
        ({"device": "cuda"}, "device: found 'cuda'; expected 'cpu' or None"),
        ({"pool": {}}, "pool: found dict; expected None"),
        ({"output_value": None}, "output_value: found None"),
        ({"precision": "int4"}, "precision: found 'int4'; expected float32, int8"),
    ]:
        with pytest.raises(InputError, match=message):
            embedder.encode(TEXTS, **options)
    with pytest.raises(InputError, match="ranges"):
        embedder.encode(TEXTS[0], precision="int8")


def test_ranges_of_the_embedder_serve_encode(both: tuple[TextEmbedder, Any]) -> None:
    vectors = both[0].encode(TEXTS)
    ranges = np.stack([vectors.min(axis=0), vectors.max(axis=0)])
    embedder = TextEmbedder(both[0].model, ranges=ranges)
    np.testing.assert_array_equal(embedder.encode(TEXTS[0], precision="int8"), quantize(vectors[0], "int8", ranges))


def test_keywords_of_encode_are_checked(both: tuple[TextEmbedder, Any]) -> None:
    embedder, model = both
    np.testing.assert_allclose(embedder.encode_query(TEXTS, None, "the "), model.encode(TEXTS, None, "the "), atol=2e-5)
    assert inspect.signature(embedder.encode_query) == inspect.signature(embedder.encode)
    for method in (embedder.encode, embedder.encode_query):
        with pytest.raises(TypeError, match=r"TextEmbedder\.encode: found the keyword 'promt'.*Did you mean 'prompt'"):
            method(TEXTS, promt="a")


def test_functions_of_the_library_take_an_embedder(both: tuple[TextEmbedder, Any]) -> None:
    embedder, model = both
    found, wanted = (library.util.paraphrase_mining(each, TEXTS, top_k=3) for each in both)
    np.testing.assert_allclose(sorted(found), sorted(wanted), atol=1e-4)
    vectors = embedder.encode(TEXTS, convert_to_tensor=True)
    similarities = embedder.similarity(vectors, vectors)
    assert isinstance(similarities, torch.Tensor)
    np.testing.assert_allclose(similarities, model.similarity(vectors, vectors), atol=1e-3)


def test_names_of_the_library_exist(both: tuple[TextEmbedder, Any]) -> None:
    embedder, model = both
    assert embedder.get_embedding_dimension() == model.get_embedding_dimension() == 16
    assert embedder.get_sentence_embedding_dimension() == 16
    assert embedder.max_seq_length == model.max_seq_length == 40
