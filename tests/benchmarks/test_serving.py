"""The comparison of servers with a small model: a real `mbrt serve`, and the client against servers that err."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from benchmarks.serving import __main__ as command
from benchmarks.serving import servers, texts
from benchmarks.serving.client import Target, drive, same_bits, same_direction
from mobilebert_rt import TextEmbedder
from tests.small_models import save_model

SENTENCES = ["the cat", "a dog in paris", "the film was not very good"]
VECTOR = np.float32([0.6, 0.8])


@contextmanager
def answering(*answers: bytes) -> Iterator[int]:
    """The port of a server that gives these answers one after another, in two parts; b"" closes the connection."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    ports: list[int] = []
    numbers = iter(range(1_000_000))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            answer = answers[next(numbers) % len(answers)]
            if not answer:
                break
            writer.write(answer[:30])
            await writer.drain()
            await asyncio.sleep(0.001)
            writer.write(answer[30:])
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        loop.run_until_complete(main())
        loop.run_forever()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    yield ports[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def http(body: str, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


def target(port: int) -> Target:
    return Target(port, ["a"], [VECTOR], same_bits)


def test_answers_of_a_server_are_checked_bit_for_bit(tmp_path: Path) -> None:
    model = save_model(tmp_path / "model.safetensors", "bert", pooling="mean")
    vectors = list(TextEmbedder.from_pretrained(model)(SENTENCES, normalize=True))
    with servers.ours(model, tmp_path / "log") as server:
        found = drive(Target(server.port, SENTENCES, vectors, same_bits), 4, 0.1, 0.5)
        assert found.latencies
        assert (found.wrong, found.errors) == (0, {})
        assert server.cpu_seconds() > 0
        assert server.resident_bytes() > 1_000_000
        found = drive(Target(server.port, SENTENCES, vectors[::-1], same_bits), 4, 0.1, 0.5)
        assert found.wrong > 0
        assert len(found.latencies) == 0 or len(SENTENCES) % 2 == 1  # the sentence in the middle is right


@pytest.mark.parametrize("body", ["[[0.6,0.7]]", "[[0.6]]", "[]", "x", "[[0.6,0.8],[0.6,0.8]]"])
def test_wrong_answers_count(body: str) -> None:
    with answering(http("[[0.6,0.8]]"), http(body)) as port:
        found = drive(target(port), 2, 0, 0.2)
    assert found.wrong > 0
    assert found.errors == {}
    assert found.latencies


def test_errors_and_lost_connections_count() -> None:
    with answering(http("{}", "503 Busy"), b"") as port:
        found = drive(target(port), 1, 0, 0.2)
    assert found.errors == {"503": 1, "connection lost": 1}
    assert not found.latencies


def test_direction_may_differ_in_the_last_digits() -> None:
    assert same_direction(np.float32([0.6, 0.8000001]), VECTOR)
    assert not same_direction(np.float32([0.61, 0.79]), VECTOR)


def test_medians_and_sums_over_slices() -> None:
    one = {"rate": 1.0, "p50": 1.0, "p90": 1.0, "p99": 1.0, "server_cpu": 1.0, "client_cpu": 1.0, "requests": 5}
    slices = [one | {"rate": float(rate), "wrong": 1, "errors": {"503": 2}} for rate in (1, 2, 9)]
    found = command.median(slices)
    assert (found["rate"], found["requests"], found["wrong"], found["errors"]) == (2.0, 15, 3, 6)


def test_sentences_of_the_documentation() -> None:
    found = texts.from_documentation()
    assert len(found) > 200
    assert all(3 <= len(text.split()) <= 60 for text in found)
    assert found == texts.from_documentation()
