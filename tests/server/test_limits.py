"""Limits, keys and malformed requests: typed errors, and a server that goes on."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.process import Server

JSON = "application/json"
KEY = "a secret"
OPTIONS = {
    "--max-body": 20_000,
    "--max-texts": 5,
    "--max-text-length": 100,
    "--max-batch-tokens": 64,
    "--body-timeout": 0.5,
    "--cors-origins": "https://a.example",
}


@pytest.fixture(scope="module")
def limited(models: dict[str, Path]) -> Iterator[Server]:
    words = [str(word) for option in OPTIONS.items() for word in option]
    with Server(str(models["embed"]), *words, MBRT_SERVE_API_KEY=KEY) as running:
        running.client.headers["authorization"] = f"Bearer {KEY}"
        yield running


def head(path: str, length: int | str, **headers: str) -> bytes:
    lines = {
        "Host": "a",
        "Content-Type": JSON,
        "Authorization": f"Bearer {KEY}",
        "Content-Length": str(length),
    } | headers
    return "".join([f"POST {path} HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in lines.items()), "\r\n"]).encode()


def receive(connection: object) -> tuple[int, dict[str, str]]:
    """Status and JSON of an answer, read until the server closes."""
    data = b""
    while part := connection.recv(65536):  # type: ignore[attr-defined]
        data += part
    return int(data.split()[1]), json.loads(data.partition(b"\r\n\r\n")[2])


def test_announced_large_body_is_refused_before_it_is_sent(limited: Server) -> None:
    with limited.connect() as connection:
        connection.sendall(head("/embed", 100_000_000))
        status, error = receive(connection)
    assert (status, error["error_type"]) == (413, "validation")
    assert "at most 20000 bytes" in error["error"]


def test_large_body_without_a_length_is_refused_while_it_is_read(limited: Server) -> None:
    before = limited.resident_bytes()

    def body() -> Iterator[bytes]:
        yield b'{"inputs": "'
        for _ in range(1000):
            yield b"a" * 100_000

    # The server closes before the client has sent everything; the client may see that before the answer.
    with contextlib.suppress(httpx.NetworkError, httpx.RemoteProtocolError):
        response = limited.client.post("/embed", content=body(), headers={"content-type": JSON})
        assert response.status_code == 413
    assert limited.resident_bytes() - before < 10_000_000
    limited.post("/embed", {"inputs": "the cat"})


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (["a"] * 6, "inputs: found 6; expected at most 5"),
        (["a", "b" * 101], "text: found 101 characters; expected at most 100"),
    ],
)
def test_too_many_texts_and_too_long_texts_are_413(limited: Server, inputs: list[str], words: str) -> None:
    assert words in limited.post("/embed", {"inputs": inputs}, 413)["error"]
    assert words in limited.post("/v1/embeddings", {"input": inputs, "model": "embed"}, 413)["error"]["message"]


def test_token_vectors_have_a_limit_of_their_own(limited: Server) -> None:
    limited.post("/embed_all", {"inputs": ["the cat"] * 5})
    assert "at most 64" in limited.post("/embed_all", {"inputs": ["the cat " * 10] * 5}, 413)["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b'{"inputs": "a"} x',
        b'{"inputs": "\xff"}',
        b'{"inputs": "\\ud800"}',
        b'{"inputs": NaN}',
        b'{"inputs": {"a": "b"}}',
        b'{"inputs": "a", "dimensions": 1e999}',
        b'{"x": ' + b"[" * 5000,
        b'{"x": ' + b"[" * 5000 + b"]" * 5000 + b', "inputs": 1}',
        b"\x00" * 100,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_malformed_body_is_422(limited: Server, body: bytes) -> None:
    error = limited.post("/embed", body, 422)
    assert error["error_type"] == "validation"
    assert error["error"].startswith(("body: ", "inputs: "))


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_read(limited: Server, kind: str) -> None:
    error = limited.post("/embed", {"inputs": "a"}, 415, **{"content-type": kind})
    assert error == {"error": "content-type: expected application/json.", "error_type": "media_type"}


def test_slow_body_is_408(limited: Server) -> None:
    begin = time.monotonic()
    with limited.connect() as connection:
        connection.sendall(head("/embed", 100) + b'{"inputs"')
        status, error = receive(connection)
    assert (status, error["error_type"]) == (408, "body_timeout")
    assert time.monotonic() - begin < 10


def active(server: Server) -> set[float]:
    return {server.metric("mbrt_active_requests") for _ in range(10)}


def test_half_closed_and_aborted_connections_leave_nothing_behind(limited: Server) -> None:
    for _ in range(50):
        with limited.connect() as connection:
            connection.sendall(head("/embed", 100) + b'{"inputs"')
            connection.shutdown(1)
        with limited.connect() as connection:
            connection.sendall(b"POST /emb")
    deadline = time.monotonic() + 10
    # The server may still be accepting: several answers in a row say that only this request is active.
    while active(limited) != {1.0} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert active(limited) == {1.0}
    limited.post("/embed", {"inputs": "the cat"})


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n\x00\xff",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /embed HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"A" * 200_000,
    ],
    ids=["noise", "version", "length", "endless"],
)
def test_malformed_http_is_refused(limited: Server, data: bytes) -> None:
    with limited.connect() as connection:
        connection.sendall(data)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    limited.get("/health")


def test_head_of_a_request_has_a_size_limit(limited: Server) -> None:
    with limited.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\n" + b"X: " + b"a" * 200_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("given", [None, "Bearer wrong", KEY, f"bearer {KEY}"])
def test_wrong_key_is_401(limited: Server, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given}
    for path in ("/embed", "/v1/embeddings", "/metrics", "/info", "/no-such-path"):
        request = limited.client.build_request("POST", path, content=b"{}")
        request.headers.pop("authorization")
        request.headers.update(headers)
        response = limited.client.send(request)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert KEY not in response.text


def test_health_and_documents_need_no_key(limited: Server) -> None:
    for path in ("/health", "/openapi.json", "/docs"):
        request = limited.client.build_request("GET", path)
        request.headers.pop("authorization")
        assert limited.client.send(request).status_code == 200


def test_only_named_origins_may_call(limited: Server, server: Server) -> None:
    def allowed(one: Server, origin: str) -> str | None:
        headers = {"origin": origin, "access-control-request-method": "POST"}
        found: str | None = one.client.options("/embed", headers=headers).headers.get("access-control-allow-origin")
        return found

    assert allowed(limited, "https://a.example") == "https://a.example"
    assert allowed(limited, "https://b.example") is None
    assert allowed(server, "https://a.example") is None


def test_errors_of_the_router_are_typed(server: Server) -> None:
    assert server.get("/no-such-path", 404).json()["error_type"] == "not_found"
    assert server.get("/v1/no-such-path", 404).json()["error"]["type"] == "not_found"
    response = server.get("/embed", 405)
    assert response.json()["error_type"] == "method_not_allowed"
    assert response.headers["allow"] == "POST"
    assert server.post("/models/nobody/embed", {"inputs": "a"}, 404)["error_type"] == "model_not_found"


def test_request_ids_and_log_lines(limited: Server) -> None:
    response = limited.client.get("/info", headers={"x-request-id": "my-id"})
    assert response.headers["x-request-id"] == "my-id"
    strange = limited.client.get("/info", headers={"x-request-id": "two words"})
    assert re.fullmatch("[0-9a-f]{32}", strange.headers["x-request-id"])
    limited.post("/embed", {"inputs": "the secret cat"})
    lines = [json.loads(line) for line in limited.log.splitlines()]
    mine = [line for line in lines if line.get("request_id") == "my-id"]
    assert [(line["path"], line["status"], line["level"]) for line in mine] == [("/info", 200, "info")]
    assert "secret" not in limited.log


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_path_with_a_line_feed_is_one_line_of_the_log(
    start: Callable[..., Server], models: dict[str, Path], log_format: str
) -> None:
    server = start(models["embed"], "--log-format", log_format)
    server.get("/a%0Aforged%20line", 404)
    server.get("/health")  # a request is logged after its answer, and before the next one
    lines = [line for line in server.log.splitlines() if "forged" in line]
    assert len(lines) == 1
    assert not lines[0].startswith("forged")


def test_metrics_count_requests_errors_and_batches(server: Server) -> None:
    def counts() -> list[float]:
        return [
            server.metric("mbrt_requests_total", route="/embed", status="200"),
            server.metric("mbrt_errors_total", route="/embed", type="validation"),
            server.metric("mbrt_batch_tokens_sum", model="embed"),
            server.metric("mbrt_queue_seconds_count", model="embed"),
            server.metric("mbrt_inference_seconds_count", model="embed"),
        ]

    before = counts()
    server.post("/embed", {"inputs": ["the cat", "the dog"]})
    server.post("/embed", {"inputs": 1}, 422)
    assert [b - a for a, b in zip(before, counts(), strict=True)] == [1, 1, 8, 1, 1]


def test_errors_name_no_path_of_the_server(server: Server, models: dict[str, Path]) -> None:
    texts = [
        server.client.post(path, json=body).text
        for path in ("/embed", "/predict", "/rerank", "/v1/answer", "/v1/fill", "/v1/tag", "/decode")
        for body in ({"inputs": "a", "model": "embed"}, {"inputs": "a " * 500}, {"inputs": "a", "model": "x"}, {})
    ]
    assert not [text for text in texts if "/tmp" in text or str(models["embed"].parent) in text]
