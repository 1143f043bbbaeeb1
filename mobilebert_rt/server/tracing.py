"""Spans of OpenTelemetry, if its API is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Scope


class Tracing:
    def __init__(self) -> None:
        self._tracer: Any = None
        if importlib.util.find_spec("opentelemetry") is not None:
            from opentelemetry import propagate, trace  # noqa: PLC0415 - optional

            self._tracer = trace.get_tracer("mobilebert_rt")
            self._propagate = propagate
            self._kind = trace.SpanKind.SERVER

    @contextmanager
    def span(self, scope: Scope, headers: dict[bytes, bytes]) -> Iterator[None]:
        """A span of a request, below the one that the headers name."""
        if self._tracer is None:
            yield
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
        parent = self._propagate.extract(carrier)
        with self._tracer.start_as_current_span("request", context=parent, kind=self._kind) as span:
            try:
                yield
            finally:
                route = scope["state"].get("route", "other")
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", scope["state"].get("status", 500))
