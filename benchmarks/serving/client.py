"""A load generator: connections that stay open, each with one request at a time, and a check of every answer.

It is a protocol of uvloop that looks for the end of an answer and compares its bytes with those of an answer to the
same text that was found right before; only the first answers of a text are parsed.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import uvloop
from numpy.typing import NDArray

Vector = NDArray[np.float32]
IsRight = Callable[[Vector, Vector], bool]
END = b"\r\n\r\n"
SECONDS_TO_END = 30.0  # for the answers that are still awaited when the time is over


def same_bits(found: Vector, expected: Vector) -> bool:
    return found.shape == expected.shape and found.tobytes() == expected.tobytes()


def same_direction(found: Vector, expected: Vector) -> bool:
    return found.shape == expected.shape and float(found @ expected) > 0.9999


@dataclass
class Target:
    """A server's /embed. vectors: the right answer to each text."""

    port: int
    texts: Sequence[str]
    vectors: Sequence[Vector]
    is_right: IsRight
    requests: list[bytes] = field(init=False)
    known: list[set[bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self.requests = [request(text) for text in self.texts]
        self.known = [set() for _ in self.texts]

    def check(self, number: int, body: bytes) -> bool:
        """Whether the answer to the text of that number is right."""
        if body in self.known[number]:
            return True
        try:
            [found] = json.loads(body)
            right = self.is_right(np.float32(found), self.vectors[number])
        except (ValueError, TypeError):
            return False
        if right:
            self.known[number].add(body)
        return right


@dataclass
class Slice:
    """What a time of load gave. latencies: seconds of each answer that began and ended in it."""

    seconds: float
    latencies: list[float]
    wrong: int
    errors: dict[str, int]
    client_cpu: float  # share of one core

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


def request(text: str) -> bytes:
    body = json.dumps({"inputs": text}).encode()
    head = f"POST /embed HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Load:
    """The counters that connections share."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.counting = self.ending = False
        self.latencies: list[float] = []
        self.wrong = 0
        self.errors: dict[str, int] = {}

    def fail(self, what: str) -> None:
        self.errors[what] = self.errors.get(what, 0) + 1


class Connection(asyncio.Protocol):
    """Sends a text, and the next one when it has the answer."""

    def __init__(self, load: Load, seed: int) -> None:
        self._load = load
        self._random = random.Random(seed)
        self._waiting = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.WriteTransport = transport  # type: ignore[assignment]
        self._next()

    def _next(self) -> None:
        if self._load.ending:
            self._transport.close()
            return
        self._number = self._random.randrange(len(self._load.target.requests))
        self._received = b""
        self._end = 0
        self._counts = self._load.counting
        self._waiting = True
        self._begin = time.perf_counter()
        self._transport.write(self._load.target.requests[self._number])

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        if not self._end:
            head = received.find(END)
            if head < 0:
                return
            length = received.lower().find(b"content-length:", 0, head)
            self._body = head + len(END)
            self._end = self._body + int(received[length + 15 : received.find(b"\r", length)])
        if len(received) >= self._end:
            self._finish(received)

    def _finish(self, received: bytes) -> None:
        load, seconds = self._load, time.perf_counter() - self._begin
        self._waiting = False
        if not received.startswith(b"HTTP/1.1 200 "):
            load.fail(received[9:12].decode("ascii", "replace"))
        elif not load.target.check(self._number, received[self._body : self._end]):
            load.wrong += 1
        elif self._counts and load.counting:
            load.latencies.append(seconds)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._load.fail("connection lost")
        if not self.closed.done():
            self.closed.set_result(None)


async def _drive(target: Target, connections: int, warm_up: float, seconds: float) -> Slice:
    loop, load = asyncio.get_running_loop(), Load(target)
    made = [
        await loop.create_connection(lambda seed=seed: Connection(load, seed), "127.0.0.1", target.port)  # type: ignore[misc]
        for seed in range(connections)
    ]
    await asyncio.sleep(warm_up)
    load.counting, cpu, begin = True, _cpu_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    load.counting, elapsed = False, time.perf_counter() - begin
    cpu, load.ending = _cpu_seconds() - cpu, True
    _, late = await asyncio.wait([protocol.closed for _, protocol in made], timeout=SECONDS_TO_END)
    if late:
        load.errors["no answer"] = len(late)
    for transport, _ in made:
        transport.abort()
    return Slice(elapsed, load.latencies, load.wrong, load.errors, cpu / elapsed)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def drive(target: Target, connections: int, warm_up: float, seconds: float) -> Slice:
    """Loads a server for that many seconds after the warm-up, and waits for the last answers."""
    return uvloop.run(_drive(target, connections, warm_up, seconds))
