"""Sizes of machines and costs, and the documents that are measured."""

from __future__ import annotations

from benchmarks.scale.measure import make_documents, summary
from benchmarks.scale.sizing import Plan, Size, size
from mobilebert_rt import TextEmbedder


def test_size_follows_from_documents_rate_and_price() -> None:
    plan = Plan(cores=10, hours=5, price=0.05)
    assert size(36e6, 100, plan) == Size(core_hours=100, hours=10, machines=2, cost=5)
    assert size(1, 100, plan).machines == 1
    assert size(18e6, 100, plan).machines == 1
    assert size(18e6 + 36000, 100, plan).machines == 2


def test_documents_have_the_given_tokens_and_differ() -> None:
    embedder = TextEmbedder()
    for tokens in (3, 32, 128):
        documents = make_documents(embedder, tokens, 5)
        assert embedder.count_tokens(documents) == [tokens] * 5
        assert documents == make_documents(embedder, tokens, 5)
    assert len(set(documents)) == 5


def test_summary_is_median_and_half_the_interquartile_range() -> None:
    assert summary([5.0, 1.0, 2.0, 4.0, 3.0, 6.0, 7.0]) == (4.0, 2.0)
