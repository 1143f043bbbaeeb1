"""Prometheus metrics of a server, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from mobilebert_rt.server.batcher import BatchReport

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_SIZES = tuple(2**n for n in range(15))


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        here: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("mbrt_requests", "Requests", ["route", "status"], **here)
        self.errors = Counter("mbrt_errors", "Requests that failed, by type", ["route", "type"], **here)
        self.seconds = Histogram("mbrt_request_seconds", "Time of a request", ["route"], buckets=_SECONDS, **here)
        self.active = Gauge("mbrt_active_requests", "Requests that are being answered", **here)
        self.waiting = Gauge("mbrt_waiting_requests", "Requests that wait for the engine", ["model"], **here)
        self._waits = Histogram(
            "mbrt_queue_seconds", "Time that a request waits for the engine", ["model"], buckets=_SECONDS, **here
        )
        self._inference = Histogram(
            "mbrt_inference_seconds", "Time of a call of the engine", ["model"], buckets=_SECONDS, **here
        )
        self._tokens = Histogram("mbrt_batch_tokens", "Tokens of a call", ["model"], buckets=_SIZES, **here)
        self._texts = Histogram("mbrt_batch_texts", "Texts of a call", ["model"], buckets=_SIZES, **here)

    def observer(self, model: str) -> Callable[[BatchReport], None]:
        """What a model's worker calls after each batch."""
        waits, inference = self._waits.labels(model), self._inference.labels(model)
        tokens, texts = self._tokens.labels(model), self._texts.labels(model)

        def observe(report: BatchReport) -> None:
            for wait in report.waits:
                waits.observe(wait)
            inference.observe(report.seconds)
            tokens.observe(report.tokens)
            texts.observe(report.texts)

        return observe

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return bytes(generate_latest(self.registry))
