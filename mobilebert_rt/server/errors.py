"""Errors that clients see: an HTTP status, a type and a message that names no path of the server."""

from __future__ import annotations

from mobilebert_rt.errors import InputError, MobileBertError

# Types of text-embeddings-inference (validation, tokenizer, backend, overloaded, unhealthy) and others.
STATUS = {
    "validation": 422,
    "tokenizer": 422,
    "too_large": 413,
    "backend": 424,
    "overloaded": 429,
    "timeout": 503,
    "unhealthy": 503,
    "unauthorized": 401,
    "not_found": 404,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "body_timeout": 408,
    "media_type": 415,
    "internal": 500,
}


class ServerError(Exception):
    """An error of a request. kind: a key of STATUS."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    @property
    def status(self) -> int:
        return STATUS[self.kind]


class ClientLeftError(Exception):
    """The client closed the connection: nobody waits for an answer."""


def from_engine(error: Exception) -> ServerError:
    """What a client sees of an error of the engine. Only messages about inputs are shown: others may name files."""
    if isinstance(error, ServerError):
        return error
    if isinstance(error, InputError):
        return ServerError("tokenizer", str(error))
    if isinstance(error, MobileBertError):
        return ServerError("backend", f"inference: found {type(error).__name__}; the server's log has the details.")
    return ServerError("backend", "inference: internal error; the server's log has the details. Please report it.")


def body(error: ServerError, openai: bool) -> dict[str, object]:
    """The JSON body. openai: in the form of OpenAI's API, for the routes below /v1."""
    if openai:
        return {"error": {"message": error.message, "type": error.kind, "param": None, "code": error.status}}
    # TEI calls an error of size a validation error.
    kind = "validation" if error.kind == "too_large" else error.kind
    return {"error": error.message, "error_type": kind}
