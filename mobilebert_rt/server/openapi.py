"""The OpenAPI document of the routes, made from their schemas, and /docs, a page that shows it without scripts."""

from __future__ import annotations

import functools
import html
import json
from collections.abc import Sequence
from typing import Any

import msgspec

import mobilebert_rt
from mobilebert_rt.server import schemas
from mobilebert_rt.server.routes.route import Context, Plain, Route

PATH = "/openapi.json"
ERRORS = {
    401: "The API key is missing or wrong",
    404: "No model of this name",
    408: "The body did not arrive in time",
    413: "The body, a text, or the number of texts is too large",
    415: "The body is not application/json",
    422: "Malformed JSON, a wrong value, or a text that is too long for the model",
    424: "No model that can do this, or inference failed",
    429: "Too many requests or too much text at once",
    503: "No answer in time, or the server is shutting down",
}
# Of routes without a body.
FEW_ERRORS = (401, 404, 503)
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
pre { padding: .75rem; overflow-x: auto; border: 1px solid #8886; border-radius: .4rem }
h2 { margin-top: 2.5rem } code { font-size: .92em }
"""


def routes(described: Sequence[Route]) -> list[Route]:
    """The routes of the document and of the page, public as there is nothing secret in them."""
    text = functools.lru_cache(lambda: json.dumps(document(described)).encode())
    page = functools.lru_cache(lambda: _page(described).encode())

    async def openapi(_context: Context, _name: str | None) -> Plain:
        return Plain(text(), "application/json")

    async def docs(_context: Context, _name: str | None) -> Plain:
        return Plain(page(), "text/html; charset=utf-8")

    public: dict[str, Any] = {"is_public": True, "has_models": False}
    return [
        Route("GET", PATH, "This document", openapi, dict[str, Any], **public),
        Route("GET", "/docs", "A page that shows the routes", docs, str, media_type="text/html", **public),
    ]


def document(described: Sequence[Route]) -> dict[str, Any]:
    """OpenAPI 3.1."""
    types = [t for route in described for t in (route.request, *route.responses) if t is not None]
    types += [schemas.ErrorBody, schemas.OpenAIErrorBody]
    found, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = {repr(kind): schema for kind, schema in zip(types, found, strict=True)}
    paths: dict[str, Any] = {}
    for route in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mobilebert_rt", "version": mobilebert_rt.__version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    error = schema_of[repr(schemas.OpenAIErrorBody if route.is_openai else schemas.ErrorBody)]
    answered = {status: text for status, text in ERRORS.items() if route.request or status in FEW_ERRORS}
    responses: dict[str, Any] = {
        str(status): {"description": text, "content": _json(error)} for status, text in answered.items()
    }
    success: dict[str, Any] = {"description": "Success"}
    if route.response is str:
        success["content"] = {route.media_type: {"schema": {"type": "string"}}}
    elif route.response is not None:
        found = [schema_of[repr(kind)] for kind in route.responses]
        success["content"] = _json(found[0] if len(found) == 1 else {"anyOf": found})
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}{route.path.replace('/', '_').replace('-', '_')}",
        "responses": {"200": success} | responses,
    }
    if route.request is not None:
        content = _json(schema_of[repr(route.request)])
        content["application/json"]["example"] = route.example
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _page(described: Sequence[Route]) -> str:
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>mobilebert_rt</title><style>{_STYLE}</style>",
        f"<h1>mobilebert_rt {mobilebert_rt.__version__}</h1>",
        f"<p>The routes of this server. For programs: <a href='.{PATH}'><code>{PATH}</code></a>. With several models, ",
        '<code>"model"</code> in the body or <code>/models/NAME</code> before the path chooses one.</p>',
    ]
    for route in described:
        parts.append(
            f"<h2><code>{route.method} {html.escape(route.path)}</code></h2><p>{html.escape(route.summary)}.</p>"
        )
        if route.request is not None:
            parts.append(f"<pre>{html.escape(curl(route))}</pre>")
            parts.append(_fields(route.request))
    rows = "".join(f"<tr><td>{status}<td>{html.escape(text)}" for status, text in ERRORS.items())
    parts.append(f"<h2>Errors</h2><table>{rows}</table></html>")
    return "\n".join(parts)


def curl(route: Route) -> str:
    return (
        f"curl http://127.0.0.1:8080{route.path} -H 'Content-Type: application/json' \\\n"
        f"  -d '{json.dumps(route.example)}'"
    )


def _fields(request: Any) -> str:
    """The fields of a body with their schemas, as a folded list."""
    schema = msgspec.json.schema(request)
    own = schema["$defs"][request.__name__]
    rows = []
    for name, field in own["properties"].items():
        need = "" if name not in own.get("required", ()) else " (required)"
        rows.append(f"<li><code>{name}</code>{need}: <code>{html.escape(json.dumps(field))}</code>")
    return f"<details><summary>Fields</summary><ul>{''.join(rows)}</ul></details>"
