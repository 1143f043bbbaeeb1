"""The OpenAPI document is valid and true: requests made from it never break the server.

A few examples of each operation here. For 10,000 requests, against a server that runs:

    schemathesis run http://127.0.0.1:8080/openapi.json --max-examples 600 --checks not_a_server_error
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from mobilebert_rt.server.openapi import ERRORS
from mobilebert_rt.server.routes import ROUTES, Route
from tests.server.process import Server

load_all_checks()
NAMES = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
TRUE = CHECKS.get_by_names(list(NAMES))


@pytest.fixture(scope="module")
def api(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_requests_from_the_document(api: Any, route: Route, mode: GenerationMode) -> None:
    if mode is GenerationMode.NEGATIVE and route.request is None:
        return  # nothing of it can be wrong
    operation = api[route.path][route.method]

    @settings(max_examples=8)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(checks=TRUE)

    check()


def test_document_has_every_route(server: Server) -> None:
    document = server.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES} | {("POST", "/")}
    for item in document["paths"].values():
        for operation in item.values():
            assert set(operation["responses"]) <= {"200", *map(str, ERRORS)}


@pytest.mark.parametrize("route", [route for route in ROUTES if route.request], ids=lambda route: route.path)
def test_example_of_a_route_works(server: Server, route: Any) -> None:
    body = dict(route.example)
    if "model" in body:
        body["model"] = "embed"
    answer = server.post(route.path, body)
    assert answer


def test_page_shows_every_route_and_loads_nothing(server: Server) -> None:
    response = server.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for route in ROUTES:
        assert f"<code>{route.method} {route.path}</code>" in response.text
    assert re.findall(r"(?:src|href)\s*=\s*(\S+?)>", response.text) == ["'./openapi.json'"]
    assert "<script" not in response.text


def test_page_of_the_documentation_names_every_route_and_error() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/server.md").read_text(encoding="utf-8")
    assert [route.path for route in ROUTES if f"`{route.path}`" not in page] == []
    assert [status for status in ERRORS if f"| {status} |" not in page] == []
