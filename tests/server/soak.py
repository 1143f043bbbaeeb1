"""A server under mixed load for a long time: its memory stays, and it never errs.

    python -m tests.server.soak                     30 minutes, 20 requests/s
    python -m tests.server.soak --minutes 3 --warm-up 1 --rate 200

Requests to every route, texts of one to 2,000 words, malformed and refused ones, and clients that leave in the middle
of a body or of an answer. Vectors have the bits of the library; other answers are those that the same request had
before. Exit code 1 when the memory grew by more than 5 MB after the warm-up, or after an answer that should not be.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from mobilebert_rt import TextEmbedder
from mobilebert_rt.server.routes import ROUTES
from tests.server.conftest import MODELS
from tests.server.process import Server
from tests.small_models import save_model
from tests.small_models.text import random_words

CLIENTS = 6
MOST_GROWTH = 5_000_000
SECONDS_BETWEEN_SAMPLES = 5.0
CHANGING = ("/v1/profile", "/metrics")  # their answers have times
REFUSED: list[tuple[int, str, dict[str, Any]]] = [
    (422, "/embed", {"content": b'{"inputs": '}),
    (422, "/embed", {"json": {"inputs": 7}}),
    (422, "/embed", {"json": {"inputs": "a " * 600, "truncate": False}}),
    (422, "/v1/fill", {"json": {"inputs": "no mask", "parameters": {"top_k": 0}}}),
    (413, "/embed", {"json": {"inputs": ["a"] * 3000}}),
    (413, "/models/embed/embed", {"json": {"inputs": "a" * 300_000}}),
    (415, "/embed", {"content": b"inputs=a", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
    (404, "/nothing", {"json": {}}),
    (404, "/models/nobody/embed", {"json": {"inputs": "a"}}),
    (424, "/models/embed/v1/answer", {"json": {"inputs": {"question": "a", "context": "b"}}}),
]


class Client:
    """Sends requests one after another; finds: what happened, and what should not have."""

    def __init__(self, server: Server, embedder: TextEmbedder, seed: int) -> None:
        self._http = httpx.Client(base_url=server.url, timeout=120)
        self._server = server
        self._embedder = embedder
        self._random = random.Random(seed)
        self._known: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []

    def step(self) -> None:
        """One request of a kind that chance chooses."""
        kinds: dict[Callable[[], None], int] = {
            self.embed: 35,
            self.openai: 10,
            self.any_route: 30,
            self.long_text: 5,
            self.refused: 10,
            self.leave: 10,
        }
        kind = self._random.choices(list(kinds), list(kinds.values()))[0]
        try:
            kind()
        except Exception as error:
            self.faults.append(f"{kind.__name__}: {error!r}")
        self.counts[kind.__name__] += 1

    def texts(self, most: int = 20) -> list[str]:
        count = self._random.randint(1, most)
        return [random_words(self._random.randint(1, 24), self._random.randrange(1_000_000)) for _ in range(count)]

    def embed(self) -> None:
        texts = self.texts()
        found = self.sent("/models/embed/embed", 200, json={"inputs": texts}).json()
        self.expect("embed", np.array_equal(np.float32(found), self._embedder(texts)))

    def openai(self) -> None:
        texts = self.texts()
        body = {"model": "embed", "input": texts, "encoding_format": "base64"}
        data = self.sent("/v1/embeddings", 200, json=body).json()["data"]
        found = [np.frombuffer(base64.b64decode(one["embedding"]), "<f4") for one in data]
        self.expect("openai", np.array_equal(np.stack(found), self._embedder(texts)))

    def any_route(self) -> None:
        route = self._random.choice(ROUTES)
        if route.request is None:
            answer = self._http.get(route.path)
        else:
            example = dict(route.example)
            if "model" in example:
                example["model"] = "embed"
            answer = self._http.post(route.path, json=example)
        self.expect(f"{route.path}: {answer.status_code}", answer.status_code == 200)
        if route.path not in CHANGING:
            self.expect(f"{route.path}: differs", self._known.setdefault(route.path, answer.content) == answer.content)

    def long_text(self) -> None:
        text = random_words(self._random.randint(100, 2000), self._random.randrange(1_000_000))
        self.sent("/models/embed/embed", 200, json={"inputs": [text] * 4, "truncate": True})
        body = {"inputs": {"question": "who was ada", "context": text}}
        self.sent("/v1/answer", 200, json=body)

    def refused(self) -> None:
        status, path, given = self._random.choice(REFUSED)
        options = {"headers": {"content-type": "application/json"}} | given
        self.sent(path, status, **options)

    def leave(self) -> None:
        """Closes in the middle of the head, the body, or the answer."""
        body = json.dumps({"inputs": self.texts(500)}).encode()
        head = "POST /models/embed/embed HTTP/1.1\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        data = head.encode() + body
        with socket.create_connection(self._server.address, timeout=60) as connection:
            connection.sendall(data[: self._random.choice([20, len(head) + len(body) // 2, len(data)])])
            if self._random.random() < 0.3:
                connection.shutdown(socket.SHUT_WR)
            time.sleep(self._random.choice([0, 0.01, 0.05]))

    def sent(self, path: str, status: int, **options: Any) -> httpx.Response:
        answer = self._http.post(path, **options)
        self.expect(
            f"{path}: {answer.status_code}, expected {status}: {answer.text[:200]}", answer.status_code == status
        )
        return answer

    def expect(self, what: str, holds: bool) -> None:
        if not holds:
            self.faults.append(what)


def run(server: Server, model: Path, minutes: float, warm_up: float, rate: float) -> int:
    embedder = TextEmbedder.from_pretrained(model, normalize=True, num_threads=1)
    clients = [Client(server, embedder, seed) for seed in range(CLIENTS)]
    end = time.monotonic() + 60 * minutes

    def work(client: Client) -> None:
        for number in itertools.count():
            client.step()
            due = end - 60 * minutes + number * CLIENTS / rate
            if time.monotonic() > end:
                return
            time.sleep(max(0, min(due, end) - time.monotonic()))

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    samples = sampled(server, clients, end, 60 * warm_up)
    for thread in threads:
        thread.join()
    counts = sum((client.counts for client in clients), Counter[str]())
    faults = [fault for client in clients for fault in client.faults]
    growth = max(samples) - samples[0]
    print(f"requests: {dict(counts)}; growth after {warm_up:g} minutes: at most {growth / 1e6:.1f} MB")
    print(f"faults: {len(faults)} {faults[:10]}; log: {server.log[:2000]!r}")
    return 1 if faults or growth > MOST_GROWTH or '"error"' in server.log else 0


def sampled(server: Server, clients: list[Client], end: float, warm_up: float) -> list[int]:
    """Resident bytes after the warm-up."""
    begin = printed = time.monotonic()
    samples: list[int] = []
    while time.monotonic() < end:
        time.sleep(SECONDS_BETWEEN_SAMPLES)
        now, resident = time.monotonic(), server.resident_bytes()
        if now - begin >= warm_up:
            samples.append(resident)
        if now - printed >= 60:
            printed = now
            done, faults = sum(client.counts.total() for client in clients), sum(len(c.faults) for c in clients)
            print(
                f"{(now - begin) / 60:.0f} min: {resident / 1e6:.1f} MB, {done} requests, {faults} faults", flush=True
            )
    return samples or [server.resident_bytes()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=5.0, help="minutes after which memory must not grow")
    parser.add_argument("--rate", type=float, default=20.0, help="requests/s of all clients together")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = {name: save_model(Path(folder) / f"{name}.safetensors", **given) for name, given in MODELS.items()}
        with Server(*map(str, models.values()), "--log-level", "error") as server:
            return run(server, models["embed"], options.minutes, options.warm_up, options.rate)


if __name__ == "__main__":
    sys.exit(main())
