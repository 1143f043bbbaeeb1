"""What a route consists of."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from mobilebert_rt.server.metrics import Metrics
from mobilebert_rt.server.models import Models
from mobilebert_rt.server.settings import Settings


@dataclass(frozen=True)
class Context:
    """What handlers use."""

    settings: Settings
    models: Models
    metrics: Metrics


@dataclass(frozen=True)
class Plain:
    """A response that is not JSON."""

    content: bytes
    media_type: str


@dataclass(frozen=True)
class Route:
    """path: also answered below /models/NAME, if has_models. request: type of the body; example: one for the documents.

    handler: takes the context and the body (GET: the model's name or None). response: its type, or a tuple of types.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[Context, Any], Coroutine[Any, Any, Any]]
    response: Any
    request: Any = None
    example: Any = None
    media_type: str = "application/json"  # of the response
    is_public: bool = False  # needs no API key
    has_models: bool = True

    @property
    def responses(self) -> tuple[Any, ...]:
        return self.response if isinstance(self.response, tuple) else (self.response,)

    @property
    def is_openai(self) -> bool:
        """Whether its errors have the form of OpenAI's API."""
        return self.path.startswith("/v1/")
