"""A `mbrt serve` process, and requests to it."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import tempfile
from typing import Any

import httpx

from tests import interpreter

SECONDS = 60


class Server:
    """words: of the command line; environment: changes of the environment."""

    def __init__(self, *words: str, **environment: str) -> None:
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed in kill
        self.process = subprocess.Popen(
            interpreter.command("-m", "mobilebert_rt", "serve", *words, "--port", "0", "--json"),
            env=interpreter.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log
        self.ready: dict[str, Any] = json.loads(line)
        self.url: str = self.ready["url"]
        self.client = httpx.Client(base_url=self.url, timeout=SECONDS)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def post(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        """The JSON of the answer. body: a value of JSON, or bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self.client.post(path, content=content, headers={"content-type": "application/json"} | headers)
        assert response.status_code == status, response.text + self.log[-3000:]
        return response.json()

    def get(self, path: str, status: int = 200) -> httpx.Response:
        response = self.client.get(path)
        assert response.status_code == status, response.text + self.log[-3000:]
        return response

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the values of a metric whose labels include these; 0 when there is none."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines if all(part in line for part in wanted))

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=SECONDS)

    def resident_bytes(self) -> int:
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float = SECONDS) -> int:
        return self.process.wait(timeout=seconds)

    def kill(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()
