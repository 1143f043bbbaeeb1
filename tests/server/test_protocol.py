"""In this process: a head that never ends, and spans of OpenTelemetry."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import uvicorn
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import Response

from mobilebert_rt.server import protocol
from mobilebert_rt.server.endpoint import sent
from mobilebert_rt.server.metrics import Metrics
from mobilebert_rt.server.middleware import Gate


async def answer(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def serving(app: Any) -> tuple[uvicorn.Server, int, asyncio.Task[None]]:
    """A server that runs, its port, and its task."""
    config = uvicorn.Config(app, http=protocol.LimitedProtocol, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.01)
    return server, server.servers[0].sockets[0].getsockname()[1], running


@pytest.mark.parametrize("data", [b"", b"GET /", b"GET / HTTP/1.1\r\nA: b\r\n"], ids=["nothing", "line", "headers"])
def test_slow_head_ends_the_connection(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(protocol, "MOST_SECONDS", 0.2)

    async def main() -> float:
        server, port, running = await serving(answer)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # a request before it keeps the connection open
        assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.write(data)
        begin = time.monotonic()
        if data:
            assert await asyncio.wait_for(reader.read(), 5) == b""
        seconds = time.monotonic() - begin
        writer.close()
        silent, other = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(silent.read(), 5) == b""
        other.close()
        server.should_exit = True
        await running
        return seconds

    assert asyncio.run(main()) < 3


def test_client_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_SECONDS_TO_READ", 0.2)
    states: list[str] = []

    async def large(_scope: Any, _receive: Any, send: Any) -> None:
        try:
            await sent(Response(b"x" * 50_000_000), send)
            states.append("sent")
        finally:
            states.append("left")

    async def main() -> None:
        server, port, running = await serving(large)
        _reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(500):
            if states and not server.server_state.connections:
                break
            await asyncio.sleep(0.01)
        assert states[-1] == "left"
        assert not server.server_state.connections
        writer.close()
        server.should_exit = True
        await running

    asyncio.run(main())


def test_idle_connection_gets_one_more_answer_when_the_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LAST_SECONDS", 60)

    async def main() -> bytes:
        server, port, running = await serving(answer)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"ok")
        for connection in list(server.server_state.connections):
            connection.shutdown()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        found = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        server.should_exit = True
        await running
        return found

    found = asyncio.run(main())
    assert found.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in found


def test_request_is_a_span_below_the_one_of_the_client() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["state"]["route"] = "/embed"
        await answer(scope, receive, send)

    async def ignore(_message: Any) -> None:
        pass

    parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    scope = {"type": "http", "method": "POST", "path": "/embed", "headers": [(b"traceparent", parent)]}
    asyncio.run(Gate(app, Metrics(), None, ())(scope, ignore, ignore))
    [span] = exporter.get_finished_spans()
    assert span.name == "POST /embed"
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 200
    assert span.parent is not None
    assert f"{span.context.trace_id:x}" == "af7651916cd43dd8448eb211c80319c"
    assert f"{span.parent.span_id:x}" == "b7ad6b7169203331"
