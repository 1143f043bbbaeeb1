"""A server on this machine with the routes of the Hugging Face Hub that a download uses."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Hub(ThreadingHTTPServer):
    """Repositories by name: their commits, oldest first, as hash -> folder. The branch main is the last one.

    requests: (method, path, Range header) of every request. cut: files whose first transfer is cut in the middle.
    """

    def __init__(self, repositories: dict[str, dict[str, Path]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories = repositories
        self.requests: list[tuple[str, str, str | None]] = []
        self.cut: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def transferred(self) -> set[str]:
        """The files that were asked for."""
        found = (re.search("/resolve/[^/]+/(.*)", path) for method, path, _ in self.requests if method == "GET")
        return {match[1] for match in found if match}


@contextmanager
def serve(repositories: dict[str, dict[str, Path]]) -> Iterator[Hub]:
    hub = Hub(repositories)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.server.requests.append((self.command, path, self.headers.get("Range")))
        api = re.fullmatch("/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path)
        file = re.fullmatch("/([^/]+/[^/]+)/resolve/([^/]+)/(.*)", path)
        match = api or file
        commits = self.server.repositories.get(match[1]) if match else None
        if match is None or commits is None:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        revision = match[3] if api else match[2]
        commit = list(commits)[-1] if revision in (None, "main") else str(revision)
        if commit not in commits:
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
        folder = commits[commit]
        if file:
            return self._send_file(folder / file[3], commit, body)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        if match[2] == "tree":
            return self._send_json([_listed(path, folder) for path in paths], body)
        names = [{"rfilename": path.relative_to(folder).as_posix()} for path in paths]
        return self._send_json({"id": match[1], "modelId": match[1], "sha": commit, "siblings": names}, body)

    def _send_file(self, path: Path, commit: str, body: bool) -> None:
        if not path.is_file():
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, body)
        content, status, extra = path.read_bytes(), 200, {}
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if begin:
            extra["Content-Range"] = f"bytes {begin[1]}-{len(content) - 1}/{len(content)}"
            content, status = content[int(begin[1]) :], 206
        headers = {"ETag": f'"{_digest(path)}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes", **extra}
        cut = body and path.name in self.server.cut
        self.server.cut.discard(path.name) if cut else None
        self._send(status, content, headers, body, len(content) // 2 if cut else None)
        return None

    def _send_json(self, value: Any, body: bool) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"}, body)

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool, until: int | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[:until])
        if until is not None:
            self.close_connection = True


def _digest(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def _listed(path: Path, folder: Path) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    return {"type": "file", "path": name, "size": path.stat().st_size, "oid": _digest(path)}
