"""Recipes of docs/integrations.md: vectors are those of TextEmbedder, hits those of a search in float64."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import Reranker, TextEmbedder
from tests.docs.pages import INTEGRATIONS, Block, blocks
from tests.docs.serving import run_python
from tests.integrations.conftest import Recipe

Run = Callable[[str], Recipe]
# Recipes that search the passages, and print the two nearest with their cosines.
SEARCHES = ("LangChain", "LlamaIndex", "Haystack", "Chroma", "Qdrant", "sqlite-vec", "DuckDB", "FAISS", "txtai")
OTHERS = ("BERTopic", "KeyBERT", "scikit-learn")
CLIENTS = [b for b in blocks(INTEGRATIONS) if b.section == "Through the server" and b.language == "python"]

EMBED = TextEmbedder()


def assert_same_bits(found: Any, texts: list[str] | str) -> None:
    np.testing.assert_array_equal(np.asarray(found, np.float32), EMBED(texts), strict=True)


def nearest(recipe: Recipe) -> str:
    """The two nearest passages with their cosines in float64, as recipes print them."""
    passages = recipe["passages"]
    vectors, query = EMBED(passages).astype(np.float64), EMBED(recipe["question"]).astype(np.float64)
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    return "".join(f"{cosines[row]:.2f} {passages[row]}\n" for row in np.argsort(-cosines)[:2])


def test_every_section_is_tested() -> None:
    sections = {block.section for block in blocks(INTEGRATIONS) if block.language == "python"}
    assert sections == {"", *SEARCHES, *OTHERS, CLIENTS[0].section}


@pytest.mark.parametrize("section", SEARCHES)
def test_search_finds_the_nearest_passages(run: Run, section: str) -> None:
    recipe = run(section)
    assert recipe.printed[0] == nearest(recipe)
    assert recipe.printed == recipe.shown
    CHECKS[section](recipe)


def check_langchain(recipe: Recipe) -> None:
    passages, question, embeddings = recipe["passages"], recipe["question"], recipe["MobileBert"]()
    stored = {one["text"]: one["vector"] for one in recipe["store"].store.values()}
    assert_same_bits([stored[passage] for passage in passages], passages)
    assert_same_bits(asyncio.run(embeddings.aembed_documents(passages)), passages)
    assert_same_bits(asyncio.run(embeddings.aembed_query(question)), question)
    rerank = Reranker.from_pretrained("cross-encoder.safetensors")
    expected = rerank([(question, passage) for passage in passages])
    np.testing.assert_array_equal(np.array(recipe["scores"], np.float32), expected)


def check_llama_index(recipe: Recipe) -> None:
    stored = recipe["index"].vector_store.data.embedding_dict
    text = {key: node.text for key, node in recipe["index"].docstore.docs.items()}
    assert sorted(text.values()) == sorted(recipe["passages"])
    assert_same_bits(list(stored.values()), [text[key] for key in stored])
    model, question = recipe["model"], recipe["question"]
    assert_same_bits(asyncio.run(model.aget_query_embedding(question)), question)
    assert_same_bits(asyncio.run(model.aget_text_embedding_batch([question])), [question])
    assert_same_bits(model.get_text_embedding(question), question)


def check_haystack(recipe: Recipe) -> None:
    documents = recipe["store"].filter_documents()
    assert sorted(document.content for document in documents) == sorted(recipe["passages"])
    assert_same_bits([d.embedding for d in documents], [document.content for document in documents])


def check_chroma(recipe: Recipe) -> None:
    stored = recipe["collection"].get(include=["embeddings", "documents"])
    assert stored["documents"] == recipe["passages"]
    vectors = EMBED(stored["documents"])
    np.testing.assert_allclose(stored["embeddings"], vectors, atol=1e-6)  # for cosines it normalises them again
    recipe["client"].delete_collection("passages")
    check_chroma_on_disk(recipe)


def check_chroma_on_disk(recipe: Recipe) -> None:
    import chromadb  # noqa: PLC0415 - not installed for other tests

    function = recipe["MobileBert"]()
    chromadb.PersistentClient("kept").create_collection("kept", embedding_function=function).add("a", documents="a cat")
    again = chromadb.PersistentClient("kept").get_collection("kept", embedding_function=function)
    assert_same_bits(again.get(include=["embeddings"])["embeddings"], ["a cat"])
    assert again.query(query_texts=["a kitten"], n_results=1)["ids"] == [["a"]]


def check_qdrant(recipe: Recipe) -> None:
    points = recipe["client"].scroll("passages", with_vectors=True)[0]
    texts = [point.payload["text"] for point in points]
    assert sorted(texts) == sorted(recipe["passages"])
    np.testing.assert_allclose([point.vector for point in points], EMBED(texts), atol=1e-6)  # it normalises them again


def check_sqlite_vec(recipe: Recipe) -> None:
    rows = recipe["database"].execute("SELECT vector FROM vectors ORDER BY rowid").fetchall()
    assert_same_bits([np.frombuffer(row[0], np.float32) for row in rows], recipe["passages"])
    differ = (EMBED(recipe["passages"]) > 0) != (EMBED(recipe["question"]) > 0)
    distances = differ.sum(axis=1)
    near = np.argsort(distances, kind="stable")[:2]
    lines = [f"{distances[row]} of {EMBED.dimension} bits differ: {recipe['passages'][row]}\n" for row in near]
    assert recipe.printed[1] == "".join(lines)


def check_duckdb(recipe: Recipe) -> None:
    rows = recipe["database"].execute("SELECT text, vector FROM passages").fetchall()
    assert [text for text, _ in rows] == recipe["passages"]
    assert_same_bits([vector for _, vector in rows], recipe["passages"])


def check_faiss(recipe: Recipe) -> None:
    index, passages = recipe["index"], recipe["passages"]
    np.testing.assert_array_equal(index.reconstruct_n(0, len(passages)), EMBED(passages, normalize=True))


def check_txtai(recipe: Recipe) -> None:
    assert recipe["search"].count() == len(recipe["passages"])
    found = recipe["search"].batchtransform(recipe["passages"])
    np.testing.assert_allclose(found, EMBED(recipe["passages"]), atol=1e-6)  # it normalises them again


# Each recipe's stored vectors are those of TextEmbedder.
CHECKS: dict[str, Callable[[Recipe], None]] = {
    "LangChain": check_langchain,
    "LlamaIndex": check_llama_index,
    "Haystack": check_haystack,
    "Chroma": check_chroma,
    "Qdrant": check_qdrant,
    "sqlite-vec": check_sqlite_vec,
    "DuckDB": check_duckdb,
    "FAISS": check_faiss,
    "txtai": check_txtai,
}


def test_bertopic_finds_topics(run: Run) -> None:
    """Topics depend on random numbers and on Python's version: only those that stand out are expected."""
    recipe = run("BERTopic")
    topics, documents = recipe["topics"], recipe["documents"]
    assert_same_bits(topics.embedding_model.embed(documents[:20]), documents[:20])
    words = [{word for word, _ in topic} for number, topic in topics.get_topics().items() if number >= 0]
    assert len(words) >= 8
    for together in ({"path", "directory"}, {"lock", "thread"}, {"zip", "archive"}, {"logging", "logger"}):
        assert any(together <= topic for topic in words), together
    assert len(recipe.printed[0].splitlines()) == len(topics.get_topic_info())


def test_keybert_finds_keywords(run: Run) -> None:
    recipe = run("KeyBERT")
    assert recipe.printed == recipe.shown
    assert "photosynthesis" in recipe.printed[0]
    words = np.array(["chlorophyll", "sugar"])
    assert_same_bits(recipe["MobileBert"]().embed(words), list(words))


def test_scikit_learn_classifies(run: Run) -> None:
    recipe = run("scikit-learn")
    assert recipe.printed == recipe.shown
    texts = recipe["good"] + recipe["bad"]
    assert_same_bits(recipe["classify"][0].transform(texts), texts)
    assert recipe["classify"].score(texts, ["good"] * 4 + ["bad"] * 4) == 1


@pytest.mark.parametrize("block", CLIENTS, ids=str)
def test_clients_of_the_server_get_the_bits_of_the_library(run: Run, inside: Path, block: Block) -> None:
    names = run("").names
    run_python(block, names, inside)
    assert_same_bits(names["vector"], names["question"])
