"""The ASGI application: routes, typed errors, and the workers of the models."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as StarletteRoute

from mobilebert_rt.server import openapi
from mobilebert_rt.server.endpoint import Endpoint, Load, error_response
from mobilebert_rt.server.errors import ServerError
from mobilebert_rt.server.middleware import Gate
from mobilebert_rt.server.routes import ROUTES, Context, Route

_MAIN_ROUTES = {"embed": "/embed", "predict": "/predict", "zero-shot": "/predict", "rerank": "/rerank"}
_NAMES = {404: "not_found", 405: "method_not_allowed"}


def build(context: Context) -> Starlette:
    """The application; its models' workers run from its start to its end."""
    routes = all_routes(context)
    load = Load(context.settings)
    served: list[BaseRoute] = []
    for route in routes:
        endpoint = Endpoint(route, context, load)
        paths = [route.path, f"/models/{{model}}{route.path}"] if route.has_models else [route.path]
        served += [StarletteRoute(path, endpoint, methods=[route.method]) for path in paths]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        for model in context.models:
            model.batcher.start()
        yield
        for model in context.models:
            model.batcher.stop()

    settings = context.settings
    public = {route.path for route in routes if route.is_public}
    middleware = [Middleware(Gate, context.metrics, settings.api_key, public)]
    if settings.cors_origins:
        middleware.insert(
            0,
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type", "x-request-id"],
            ),
        )
    return Starlette(
        routes=served, middleware=middleware, lifespan=lifespan, exception_handlers={HTTPException: _typed}
    )


def all_routes(context: Context) -> list[Route]:
    """The routes, POST / for the first model's task as in text-embeddings-inference, and the documents."""
    routes = list(ROUTES)
    main = _MAIN_ROUTES.get(context.models.named(None).main_kind)
    for route in ROUTES:
        if route.path == main:
            summary = f"The same as {main}"
            routes.append(Route("POST", "/", summary, route.handler, route.response, route.request, route.example))
    return [*routes, *openapi.routes(routes)]


async def _typed(request: Request, error: Exception) -> Response:
    """The errors of the router in the form of all others."""
    assert isinstance(error, HTTPException)
    kind = _NAMES.get(error.status_code, "internal")
    path = request.url.path
    message = {
        "not_found": "path: found no such route; expected one of those at /docs.",
        "method_not_allowed": f"method: found {request.method}; expected another one for this route, see /docs.",
    }.get(kind, "internal error; please report it.")
    response = error_response(ServerError(kind, message), request.scope, path.startswith("/v1/"))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response
