"""From the bytes of a request to a handler's result: limits, time, errors, and clients that leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import msgspec
import numpy as np
import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from mobilebert_rt.errors import MobileBertError
from mobilebert_rt.server import errors
from mobilebert_rt.server.errors import ClientLeftError, ServerError
from mobilebert_rt.server.routes.route import Context, Plain, Route
from mobilebert_rt.server.settings import Settings

logger = logging.getLogger(__name__)

PIECE = 65_536  # bytes of an answer that are sent at once
# Pages load nothing, talk to this server only, and cannot be framed.
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Load:
    """Requests that are in the process at this moment, and bytes of their bodies and of answers that are being sent."""

    def __init__(self, settings: Settings) -> None:
        self.max_requests = settings.max_concurrent_requests
        self.max_bytes = settings.max_waiting
        self.requests = 0
        self.bytes = 0


class Share:
    """What one request has of the load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = 0
        self.bytes = 0

    def enter(self) -> None:
        """Raises ServerError when there are too many requests."""
        if self._load.requests >= self._load.max_requests:
            raise ServerError("overloaded", "server: found too many requests at once. Send it again later.")
        self._requests = 1
        self._load.requests += 1

    def add(self, count: int) -> None:
        """Raises ServerError when there are too many bytes."""
        if self._load.bytes + count > self._load.max_bytes and self._load.bytes > self.bytes:
            raise ServerError("overloaded", "server: found too much text at once. Send it again later.")
        self.bytes += count
        self._load.bytes += count

    def release(self) -> None:
        self._load.requests -= self._requests
        self._load.bytes -= self.bytes


class Endpoint:
    """An ASGI application that answers one route."""

    def __init__(self, route: Route, context: Context, load: Load) -> None:
        self._route = route
        self._context = context
        self._load = load
        self._decoder = msgspec.json.Decoder(route.request) if route.request else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = self._route.path
        share = Share(self._load)
        try:
            try:
                response = await self._answer(scope, receive, share)
            except ServerError as error:
                response = error_response(error, scope, self._route.is_openai)
            await sent(response, send)
        except ClientLeftError:
            scope["state"]["status"] = 499  # for the log; nobody gets a response
        finally:
            share.release()

    async def _answer(self, scope: Scope, receive: Receive, share: Share) -> Response:
        name = scope["path_params"].get("model")
        try:
            if self._decoder is None:
                return to_response(await self._route.handler(self._context, name))
            share.enter()
            settings = self._context.settings
            body = Body(scope, receive, settings.max_body, share)
            request = self._decoded(await with_time_limit(body.read(), settings.body_timeout), name)
            work = self._route.handler(self._context, request)
            response = to_response(await while_connected(work, receive, settings.timeout))
            share.add(len(response.body))
            return response
        except MobileBertError as error:
            raise errors.from_engine(error) from error
        except (ServerError, ClientLeftError):
            raise
        except Exception as error:
            logger.exception("internal error")
            raise errors.from_engine(error) from error

    def _decoded(self, content: bytes, name: str | None) -> Any:
        assert self._decoder is not None
        try:
            request = self._decoder.decode(content)
        except msgspec.ValidationError as error:
            raise ServerError("validation", f"body: {error}.") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ServerError("validation", f"body: found malformed JSON ({error}); expected an object.") from None
        except RecursionError:
            raise ServerError("validation", "body: found too many levels of JSON; expected an object.") from None
        if name is not None:
            request.model = name
        return request


class Body:
    """The body of a request, read with limits."""

    def __init__(self, scope: Scope, receive: Receive, max_body: int, share: Share) -> None:
        self._headers = dict(scope["headers"])
        self._receive = receive
        self._max_body = max_body
        self._share = share

    async def read(self) -> bytes:
        media_type = self._headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if media_type != b"application/json":
            # A web page can send other types to this server without asking it.
            raise ServerError("media_type", "content-type: expected application/json.")
        announced = self._headers.get(b"content-length", b"0")
        if len(announced) > 15 or int(announced) > self._max_body:
            raise self._too_large()
        parts = []
        while True:
            message: Message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeftError
            part = message.get("body", b"")
            if self._share.bytes + len(part) > self._max_body:
                raise self._too_large()
            self._share.add(len(part))
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> ServerError:
        return ServerError("too_large", f"body: expected at most {self._max_body} bytes. Send fewer texts at once.")


async def with_time_limit(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
    try:
        return await asyncio.wait_for(work, seconds)
    except asyncio.TimeoutError:
        raise ServerError("body_timeout", f"body: found no end after {seconds:g} s. Send it faster.") from None


async def while_connected(work: Coroutine[Any, Any, Any], receive: Receive, seconds: float) -> Any:
    """The result of `work`, which is cancelled when the client leaves or the time is over."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        done, _ = await asyncio.wait((task, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            return task.result()
        if gone in done:
            raise ClientLeftError
        raise ServerError("timeout", f"server: found no result after {seconds:g} s. Send less, or send it again later.")
    finally:
        gone.cancel()
        task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def sent(response: Response, send: Send) -> None:
    """Sends a response in pieces: the next one when the client has read the ones before, so that few are buffered."""
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    body = bytes(response.body)
    for begin in range(0, max(1, len(body)), PIECE):
        end = begin + PIECE
        await send({"type": "http.response.body", "body": body[begin:end], "more_body": end < len(body)})


def to_response(found: Any) -> Response:
    if isinstance(found, Plain):
        headers = {"Content-Security-Policy": PAGE_POLICY} if found.media_type.startswith("text/html") else None
        return Response(found.content, headers=headers, media_type=found.media_type)
    return Response(encoded(found), media_type="application/json")


def encoded(found: Any) -> bytes:
    """JSON. float32 values have the fewest digits that give the same bits."""
    return bytes(orjson.dumps(found, default=_fields, option=orjson.OPT_SERIALIZE_NUMPY))


def _fields(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value)  # orjson takes no other
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    raise TypeError(f"found {type(value).__name__}; expected a value of JSON.")


def error_response(error: ServerError, scope: Scope, openai: bool) -> Response:
    scope["state"]["error"] = error.kind
    headers = {}
    if error.kind in ("overloaded", "timeout", "unhealthy"):
        headers["Retry-After"] = "1"
    if error.kind == "unauthorized":
        headers["WWW-Authenticate"] = "Bearer"
    if error.kind in ("too_large", "body_timeout", "overloaded"):
        headers["Connection"] = "close"  # what is left of the body is not read
    content = encoded(errors.body(error, openai))
    return Response(content, error.status, headers, "application/json")
