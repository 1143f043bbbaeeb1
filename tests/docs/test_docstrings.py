"""Examples in docstrings run, and every public class and function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import mobilebert_rt
from tests.docs.pages import ROOT

SOURCES = sorted((ROOT / "mobilebert_rt").rglob("*.py"))
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCES
    if ">>>" in path.read_text(encoding="utf-8") and path.name != "spark.py"  # tests/scale runs that one
]
WITH_EXAMPLE = (
    "FillMask",
    "Model",
    "QuestionAnswerer",
    "TextClassifier",
    "TextEmbedder",
    "TokenClassifier",
    "active_isa",
    "available_isas",
    "convert",
    "default_model_path",
)


class Finder(doctest.DocTestFinder):
    """Finds the examples of wrapped methods too, whose wrappers are of another module."""

    def _from_module(self, module: object, object: object) -> bool:
        return super()._from_module(module, inspect.unwrap(object) if callable(object) else object)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_a_module_run(name: str, inside: Path) -> None:
    run_examples(importlib.import_module(name))


def run_examples(module: ModuleType) -> None:
    found: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for example in Finder(exclude_empty=True).find(module):
        runner.run(example, out=found.append)
    assert not found, "".join(found)


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_public_names_have_an_example(name: str) -> None:
    found = Finder(exclude_empty=True).find(getattr(mobilebert_rt, name))
    assert any(test.examples for test in found)
