"""Clients that people already have work unchanged: openai, huggingface_hub, and the examples of TEI's documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import openai
import pytest

import mobilebert_rt as mbrt
from tests.server.process import Server

TEXTS = ["the cat", "a dog in paris"]


@pytest.fixture
def client(server: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)


@pytest.mark.parametrize("options", [{}, {"encoding_format": "float"}, {"dimensions": 8}], ids=str)
def test_openai_embeddings(client: openai.OpenAI, models: dict[str, Path], options: dict[str, Any]) -> None:
    found = client.embeddings.create(model="embed", input=TEXTS, **options)
    embedder = mbrt.TextEmbedder.from_pretrained(
        models["embed"], truncate_dim=options.get("dimensions"), normalize=True
    )
    vectors = np.array([one.embedding for one in found.data], np.float32)
    np.testing.assert_array_equal(vectors, embedder(TEXTS), strict=True)
    assert found.usage.prompt_tokens == sum(embedder.count_tokens(TEXTS))  # type: ignore[arg-type]


def test_openai_models(client: openai.OpenAI, models: dict[str, Path]) -> None:
    assert [model.id for model in client.models.list()] == list(models)


def test_openai_errors_have_type_and_message(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="expected one of embed, ") as unknown:
        client.embeddings.create(model="text-embedding-3-small", input="a")
    assert unknown.value.type == "model_not_found"
    with pytest.raises(openai.UnprocessableEntityError, match=r"at `\$.input\[0\]`"):
        client.embeddings.create(model="embed", input=[[1, 2]])


@pytest.fixture
def inference(server: Server) -> huggingface_hub.InferenceClient:
    return huggingface_hub.InferenceClient()


def test_inference_client_embeds(server: Server, models: dict[str, Path]) -> None:
    client = huggingface_hub.InferenceClient(model=server.url)
    expected = mbrt.TextEmbedder.from_pretrained(models["embed"])([TEXTS[0]])
    np.testing.assert_array_equal(client.feature_extraction(TEXTS[0]).astype(np.float32), expected)


def test_inference_client_compares(server: Server) -> None:
    client = huggingface_hub.InferenceClient(model=f"{server.url}/similarity")
    found = client.sentence_similarity(TEXTS[0], other_sentences=[TEXTS[0], TEXTS[1]])
    assert found[0] == pytest.approx(1.0)
    assert len(found) == 2


def test_inference_client_answers(server: Server, models: dict[str, Path]) -> None:
    client = huggingface_hub.InferenceClient(model=f"{server.url}/v1/answer")
    context = "ada lovelace wrote the notes in london"
    found = client.question_answering(question="who wrote notes?", context=context)
    expected = mbrt.QuestionAnswerer.from_pretrained(models["squad"])("who wrote notes?", context)[0]
    assert (found.answer, found.start, found.end) == (expected.text, expected.start, expected.end)


def test_inference_client_labels(server: Server, models: dict[str, Path]) -> None:
    client = huggingface_hub.InferenceClient()
    classify = mbrt.TextClassifier.from_pretrained(models["sentiment"])
    # The client takes the first of a list of lists, as TEI answers a batch.
    found = client.zero_shot_classification(
        TEXTS[1], candidate_labels=["film", "dog"], model=f"{server.url}/v1/zero-shot"
    )
    assert {one.label for one in found} == {"film", "dog"}
    tags = client.token_classification(TEXTS[1], model=f"{server.url}/v1/tag")
    entities = mbrt.TokenClassifier.from_pretrained(models["ner"])(TEXTS[1])
    assert [(one.word, one.entity_group) for one in tags] == [(one.text, one.label) for one in entities]
    words = client.fill_mask("the [MASK] was good", model=f"{server.url}/v1/fill", top_k=2)
    assert [one.token_str for one in words] == [
        one.token for one in mbrt.FillMask.from_pretrained(models["masked"])("the [MASK] was good", top_k=2)[0]
    ]
    assert classify.labels == ["bad", "good"]


# Bodies of the requests in the documentation of text-embeddings-inference, and what must hold for the answers.
EXAMPLES: dict[str, tuple[str, dict[str, Any], int]] = {
    "embed": ("/embed", {"inputs": "What is Deep Learning?"}, 1),
    "embed batch": ("/embed", {"inputs": ["Today is a nice day", "I like you"]}, 2),
    "embed_all": ("/embed_all", {"inputs": "What is Deep Learning?"}, 1),
    "predict": ("/predict", {"inputs": "I like you."}, 2),
    "predict batch": ("/predict", {"inputs": [["I like you."], ["I hate pineapples"]]}, 2),
    "rerank": (
        "/rerank",
        {
            "query": "What is Deep Learning?",
            "texts": ["Deep Learning is not...", "Deep learning is..."],
            "raw_scores": False,
        },
        2,
    ),
    "similarity": (
        "/similarity",
        {"inputs": {"source_sentence": "What is Deep Learning?", "sentences": ["What is Machine Learning?"]}},
        1,
    ),
    "tokenize": ("/tokenize", {"inputs": "What is Deep Learning?"}, 1),
    "decode": ("/decode", {"ids": [2, 5, 3], "skip_special_tokens": True}, 1),
    "openai": ("/v1/embeddings", {"input": "What is Deep Learning?", "model": "embed", "encoding_format": "float"}, 4),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_of_tei(server: Server, name: str) -> None:
    path, body, length = EXAMPLES[name]
    assert len(server.post(path, body | {"truncate": True})) == length


def test_info_has_the_fields_of_tei(server: Server) -> None:
    info = server.get("/info").json()
    assert info["model_id"] == "embed"
    assert info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert info["max_input_length"] == 30
    assert {"model_dtype", "max_concurrent_requests", "max_batch_tokens", "max_client_batch_size", "version"} <= set(
        info
    )
    labels = server.get("/models/sentiment/info").json()["model_type"]["classifier"]
    assert labels == {"id2label": {"0": "bad", "1": "good"}, "label2id": {"bad": 0, "good": 1}}
    assert set(server.get("/models/ranker/info").json()["model_type"]) == {"reranker"}
