"""uvicorn's HTTP protocol with limits for slow clients: the size of a request's head, the time to send it, and the time
to read a part of the answer. When the server ends, it still answers requests that are on their way to it."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 65_536
MOST_SECONDS = 10.0
MOST_SECONDS_TO_READ = 30.0
# When the server ends: for the next request of a connection that has none, since the client may have sent it already.
LAST_SECONDS = 0.3


class LimitedProtocol(HttpToolsProtocol):  # type: ignore[misc]
    _timer: asyncio.TimerHandle | None = None
    _bytes = 0  # of a head that is not complete
    _reading: asyncio.TimerHandle | None = None
    _is_last = False  # whether the connection is closed behind its next answer

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._stop_reading_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._timer is not None:
            self._bytes += len(data)
        super().data_received(data)
        if self._timer is not None and self._bytes > MOST_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        self._wait_for_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False

    def _wait_for_head(self) -> None:
        self._stop_timer()
        self._bytes = 0
        self._timer = self.loop.call_later(MOST_SECONDS, self._close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def shutdown(self) -> None:
        """The server ends: the connection is closed behind its next answer, which says so."""
        if self._is_last:
            return
        self._is_last = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """The client does not read: what is buffered for it is full."""
        self._stop_reading_timer()
        self._reading = self.loop.call_later(MOST_SECONDS_TO_READ, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stop_reading_timer()
        super().resume_writing()

    def _stop_reading_timer(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
