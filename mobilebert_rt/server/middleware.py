"""Around every request: an id, the API key, a line in the log, metrics, a span of OpenTelemetry."""

from __future__ import annotations

import hmac
import logging
import random
import re
import time
from collections.abc import Container

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobilebert_rt.server.endpoint import error_response
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.metrics import Metrics
from mobilebert_rt.server.tracing import Tracing

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


class Gate:
    """public: paths that need no API key."""

    def __init__(self, app: ASGIApp, metrics: Metrics, api_key: str | None, public: Container[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._credentials = None if api_key is None else f"Bearer {api_key}".encode()
        self._public = public
        self._tracing = Tracing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else b"%032x" % random.getrandbits(128)
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                message["headers"] += [(b"x-request-id", request_id), (b"x-content-type-options", b"nosniff")]
            await send(message)

        self._metrics.active.inc()
        try:
            with self._tracing.span(scope, headers):
                await self._admit(scope, headers, receive, send_with_headers)
        finally:
            self._metrics.active.dec()
            self._report(scope, request_id.decode(), time.perf_counter() - begin)

    async def _admit(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        needs_key = self._credentials is not None and scope["path"] not in self._public
        if needs_key and not hmac.compare_digest(headers.get(b"authorization", b""), self._credentials or b""):
            error = ServerError("unauthorized", "authorization: expected the header `Authorization: Bearer KEY`.")
            await error_response(error, scope, scope["path"].startswith("/v1/"))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _report(self, scope: Scope, request_id: str, seconds: float) -> None:
        state = scope["state"]
        route, status = state.get("route", "other"), state.get("status", 500)
        self._metrics.requests.labels(route, status).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        error = state.get("error")
        if error is not None:
            self._metrics.errors.labels(route, error).inc()
        fields = {
            "request_id": request_id,
            "method": scope["method"],
            "path": scope["path"][:200],
            "status": status,
            "ms": round(seconds * 1000, 2),
        }
        logger.info("request", extra={"fields": fields if error is None else fields | {"error": error}})
