"""The process of `mbrt serve`: it listens, and after SIGTERM answers what it accepted."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from mobilebert_rt.errors import MobileBertError
from mobilebert_rt.server import logs
from mobilebert_rt.server.app import build
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.protocol import LimitedProtocol
from mobilebert_rt.server.routes import Context
from mobilebert_rt.server.settings import Settings

# Seconds of the grace time that are left to send the errors of requests that cannot be answered in time.
LAST = 1.0
LATE = 0.1  # seconds after which no connection is accepted any more


class Server(uvicorn.Server):  # type: ignore[misc]
    """on_ready: called when the server listens."""

    def __init__(self, config: uvicorn.Config, context: Context, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._context = context
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        grace = self._context.settings.grace
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_later(max(grace - LAST, grace / 2), self._fail_all),
            loop.call_later(LATE, self._end_late_connections),
        ]
        await super().shutdown(sockets)
        for timer in timers:
            timer.cancel()

    def _end_late_connections(self) -> None:
        """Those that were accepted at the moment when the others were told."""
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def _fail_all(self) -> None:
        for model in self._context.models:
            model.batcher.fail_all(ServerError("unhealthy", "server: is shutting down. Send it again later."))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, it does not raise the signal again at the end: the exit code is 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def listen(settings: Settings) -> socket.socket:
    """A socket that listens. Raises MobileBertError when the address cannot be used."""
    try:
        address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(address[0], socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address[4])
    except OSError as error:
        raise MobileBertError(
            f"{settings.host}:{settings.port}: cannot listen: {error.strerror}. Choose another --host or --port."
        ) from None
    return listener


def url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(context: Context, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Runs until SIGINT or SIGTERM."""
    settings = context.settings
    logs.configure(settings.log_format, settings.log_level)
    config = uvicorn.Config(
        build(context),
        http=LimitedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=max(1, round(settings.grace)),
    )
    Server(config, context, on_ready).run([listener])
