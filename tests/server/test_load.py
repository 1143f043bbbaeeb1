"""Overload, clients that leave, deadlines, and SIGTERM while requests are being answered."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from mobilebert_rt import TextEmbedder
from tests.server.process import Server
from tests.small_models import save_model
from tests.small_models.text import random_words

Start = Callable[..., Server]


@pytest.fixture(scope="module")
def slow_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text of 500 words takes tens of milliseconds."""
    path = tmp_path_factory.mktemp("slow") / "slow.safetensors"
    return save_model(path, "bert", num_hidden_layers=24, max_position_embeddings=512)


LONG = random_words(500)


def post(server: Server, body: Any, path: str = "/embed") -> httpx.Response:
    return httpx.post(server.url + path, json=body, timeout=60)


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_overload_is_429_and_answers_are_right(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--max-concurrent-requests", 4, "--threads", 1)
    texts = [random_words(400, seed) for seed in range(4)]
    expected = TextEmbedder.from_pretrained(slow_model)(texts, normalize=True)
    before = server.resident_bytes()
    refused = 0
    recoveries = []
    for _ in range(3):
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda i: (i, post(server, {"inputs": texts[i % 4]})), range(60)))
        begin = time.monotonic()
        server.post("/embed", {"inputs": "the cat"})
        recoveries.append(time.monotonic() - begin)
        assert {answer.status_code for _, answer in answers} == {200, 429}
        for i, answer in answers:
            if answer.status_code == 200:
                np.testing.assert_array_equal(np.float32(answer.json()[0]), expected[i % 4])
            else:
                refused += 1
                assert answer.json()["error_type"] == "overloaded"
                assert answer.headers["retry-after"] == "1"
    assert min(recoveries) < 1
    assert server.resident_bytes() - before < 50_000_000
    assert server.metric("mbrt_errors_total", type="overloaded") == refused


def test_bodies_that_wait_have_a_limit(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--max-waiting", 10_000, "--threads", 1)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: post(server, {"inputs": [LONG] * 2}), range(10)))
    assert {answer.status_code for answer in answers} == {200, 429}


def head(length: str) -> bytes:
    return f"POST /embed HTTP/1.1\r\nContent-Type: application/json\r\n{length}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "length", ["Content-Length: 100000000", "Transfer-Encoding: chunked"], ids=["length", "chunks"]
)
def test_bodies_of_100_mb_at_once_are_refused(start: Start, models: dict[str, Path], length: str) -> None:
    server = start(models["embed"])
    part = b"a" * 100_000 if "Length" in length else b"186a0\r\n" + b"a" * 100_000 + b"\r\n"
    sizes = [server.resident_bytes()]

    def send(_: int) -> bytes:
        with server.connect() as connection:
            with contextlib.suppress(ConnectionError):  # the server closes before it has everything
                connection.sendall(head(length))
                for _ in range(1000):
                    connection.sendall(part)
                    sizes.append(server.resident_bytes())
            with contextlib.suppress(ConnectionError):
                return connection.recv(12)
        return b""

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(send, range(16)))
    assert answers <= {b"HTTP/1.1 413", b"HTTP/1.1 429", b""}
    assert max(sizes) - sizes[0] < 200_000_000  # of 1.6 GB; --max-waiting is 64 MB
    server.post("/embed", {"inputs": "the cat"})
    assert server.metric("mbrt_active_requests") == 1


def test_slow_clients_do_not_hold_up_others(start: Start, models: dict[str, Path]) -> None:
    server = start(models["embed"], "--max-concurrent-requests", 120, "--body-timeout", 600)
    before = server.resident_bytes()
    with contextlib.ExitStack() as stack:
        for number in range(300):
            connection = stack.enter_context(server.connect())
            connection.sendall([b"", b"POST /emb", head("Content-Length: 100") + b'{"inputs"'][number % 3])
        until(lambda: server.metric("mbrt_active_requests") == 101)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: post(server, {"inputs": "the cat"}).status_code, range(40)))
        assert set(answers) == {200}
        assert server.resident_bytes() - before < 30_000_000
    until(lambda: server.metric("mbrt_active_requests") == 1)


def test_answers_that_nobody_reads_have_a_limit(start: Start, models: dict[str, Path]) -> None:
    server = start(models["embed"], "--max-waiting", 200_000, "--max-texts", 20_000)
    body = json.dumps({"inputs": ["the cat"] * 20_000}).encode()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(server.address)
        connection.sendall(head(f"Content-Length: {len(body)}") + body)
        until(lambda: server.metric("mbrt_inference_seconds_count") > 0)
        until(lambda: post(server, {"inputs": "the cat"}).status_code == 429)
    until(lambda: post(server, {"inputs": "the cat"}).status_code == 200)


def test_same_bits_whatever_runs_beside(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--max-batch-tokens", 256)
    texts = [random_words(1 + 7 * n % 40, n) for n in range(30)]
    expected = TextEmbedder.from_pretrained(slow_model)(texts, normalize=True)

    def ask(n: int) -> Any:
        return post(server, {"inputs": texts[n:] + texts[:n]}).json()

    with ThreadPoolExecutor(12) as pool:
        for n, found in enumerate(pool.map(ask, range(len(texts)))):
            np.testing.assert_array_equal(np.float32(found), np.roll(expected, -n, axis=0))
    assert server.metric("mbrt_batch_texts_count") > 30  # the budget splits requests


def test_client_that_leaves_frees_the_engine(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--threads", 1)
    with pytest.raises(httpx.TimeoutException):
        httpx.post(f"{server.url}/embed", json={"inputs": [LONG] * 1000}, timeout=0.5)
    begin = time.monotonic()
    server.post("/embed", {"inputs": "the cat"})
    assert time.monotonic() - begin < 5  # not the 50 s of all its texts
    until(lambda: server.metric("mbrt_requests_total", status="499") == 1)
    assert server.metric("mbrt_active_requests") == 1


def test_deadline_is_503(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--timeout", 0.3, "--threads", 1)
    error = server.post("/embed", {"inputs": [LONG] * 1000}, 503)
    assert error["error_type"] == "timeout"
    begin = time.monotonic()
    server.post("/embed", {"inputs": "the cat"})
    assert time.monotonic() - begin < 5


def test_small_requests_pass_a_large_one(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--max-batch-tokens", 512, "--threads", 1)
    done: list[str] = []

    def ask(name: str, texts: list[str]) -> None:
        assert post(server, {"inputs": texts}).status_code == 200
        done.append(name)

    large = threading.Thread(target=ask, args=("large", [LONG] * 60))
    large.start()
    until(lambda: server.metric("mbrt_batch_texts_count") > 0)
    ask("small", ["the cat"])
    large.join()
    assert done == ["small", "large"]


def ask_until_refused(server: Server, body: Any, expected: Any) -> int:
    """The number of right answers over one connection after another, each used until the server closes it."""
    answers = 0
    while True:
        with httpx.Client(base_url=server.url, timeout=600) as client:
            closing = False
            while not closing:
                try:
                    response = client.post("/embed", json=body)
                except httpx.TransportError:  # refused, or closed without an answer: compared with the log below
                    return answers
                assert response.status_code == 200
                np.testing.assert_array_equal(np.float32(response.json()), expected)
                answers += 1
                closing = response.headers.get("connection") == "close"


@pytest.mark.parametrize("threads", [1, 2])
def test_sigterm_answers_every_accepted_request(start: Start, slow_model: Path, threads: int) -> None:
    server = start(slow_model, "--threads", threads, "--grace", 600)
    expected = np.repeat(TextEmbedder.from_pretrained(slow_model)([LONG], normalize=True), 4, axis=0)
    with ThreadPoolExecutor(10) as pool:
        counts = [pool.submit(ask_until_refused, server, {"inputs": [LONG] * 4}, expected) for _ in range(10)]
        until(lambda: server.metric("mbrt_active_requests") > 5, 600)
        server.terminate()
        answers = sum(count.result() for count in counts)
    assert server.wait(600) == 0
    lines = [json.loads(line) for line in server.log.splitlines()]
    end = next(number for number, line in enumerate(lines) if line["message"] == "Shutting down")
    accepted = [number for number, line in enumerate(lines) if line.get("path") == "/embed"]
    assert accepted[-1] > end
    assert len(accepted) == answers


def test_sigterm_ends_in_the_grace_time(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--threads", 1, "--grace", 1)
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(post, server, {"inputs": [LONG] * 1000}) for _ in range(3)]
        until(lambda: server.metric("mbrt_active_requests") == 4)
        begin = time.monotonic()
        server.terminate()
        for answer in answers:
            assert answer.result().status_code == 503
            assert answer.result().json()["error_type"] == "unhealthy"
    assert server.wait() == 0
    assert time.monotonic() - begin < 6


def test_sigterm_does_not_wait_for_clients_that_send_nothing(start: Start, slow_model: Path) -> None:
    server = start(slow_model, "--grace", 2)
    idle, half = server.connect(), server.connect()
    half.sendall(b"POST /embed HTTP/1.1\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{")
    server.get("/health")
    begin = time.monotonic()
    server.terminate()
    assert server.wait() == 0
    assert time.monotonic() - begin < 6
    idle.close()
    half.close()
