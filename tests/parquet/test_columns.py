"""Tasks on columns of texts: the results of a call, null for null; wrong columns and options are named."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import InputError, MobileBertError, TextEmbedder, UnsupportedModelError, convert
from mobilebert_rt.columns import load
from mobilebert_rt.integrations.ray import MapTexts
from tests import interpreter
from tests.emulation import import_on_host
from tests.small_models import save_folder

pyarrow = import_on_host("pyarrow")

TEXTS = ["a cat", None, "Ada lived in London", ""]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classifier")
    labels = ["contradiction", "neutral", "entailment"]
    save_folder(folder / "source", head="ForSequenceClassification", labels=labels)
    convert(folder / "source", folder / "model.safetensors")
    return folder / "model.safetensors"


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view"])
def test_vectors_have_the_bits_of_a_call(kind: str) -> None:
    found = load("embed", "default", 1, {"truncate_dim": 16})(pyarrow.array(TEXTS, kind))
    assert found.type == pyarrow.list_(pyarrow.float32(), 16)
    assert found.is_null().to_pylist() == [text is None for text in TEXTS]
    vectors = TextEmbedder(truncate_dim=16)([text for text in TEXTS if text is not None])
    np.testing.assert_array_equal(found.flatten().to_numpy(), vectors.ravel())


@pytest.mark.parametrize("texts", [[], [None, None]])
def test_columns_without_texts(texts: list[None]) -> None:
    found = load("embed", "default", 1, {})(pyarrow.array(texts, "string"))
    assert (len(found), found.null_count, found.type.list_size) == (len(texts), len(texts), 384)


def test_labels_have_the_same_type_for_every_batch(classifier: Path) -> None:
    label = pyarrow.list_(pyarrow.struct([("label", pyarrow.string()), ("score", pyarrow.float32())]))
    for task, options in (("classify", {}), ("zero-shot", {"candidate_labels": ["good", "bad"]})):
        run = load(task, str(classifier), 1, options)
        assert run(pyarrow.array(TEXTS)).type == run(pyarrow.array([None], "string")).type == label


def test_wrong_tasks_and_options_are_named(classifier: Path) -> None:
    with pytest.raises(InputError, match="task: found 'vector'; expected one of embed, classify, zero-shot, tag"):
        load("vector", "default", 1, {})
    with pytest.raises(TypeError, match="Did you mean 'truncate_dim'"):
        load("embed", "default", 1, {"truncate_dims": 3})
    with pytest.raises(TypeError, match="candidate_labels"):
        load("zero-shot", str(classifier), 1, {})
    with pytest.raises(UnsupportedModelError):
        load("tag", "default", 1, {})


def test_batch_gets_a_column_and_keeps_the_others() -> None:
    table = pyarrow.table({"id": [1, 2, 3, 4], "body": TEXTS})
    embed = MapTexts("embed", "default", column="body", result_column="v", num_threads=1, precision="int8")
    found = embed(table)
    assert found.column_names == ["id", "body", "v"]
    assert found.select(["id", "body"]) == table
    assert found["v"].null_count == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"body": ["a cat"]}, "column: found no 'text'; expected one of body"),
        ({"text": [1]}, "column: found 'text' of type int64; expected strings"),
        ({"text": ["a cat"], "vector": [1]}, "result_column: found a column 'vector'"),
    ],
)
def test_wrong_columns_of_a_batch_are_named(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MapTexts("embed", "default", num_threads=1)(pyarrow.table(columns))


def test_missing_packages_are_named_with_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MobileBertError, match=r"extra ray\. Install them: pip install 'mobilebert-rt\[ray\]'"):
        MapTexts("embed", "default")
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "mobilebert_rt.integrations.spark", raising=False)
    with pytest.raises(ImportError, match=r"extra spark\. Install them: pip install 'mobilebert-rt\[spark\]'"):
        importlib.import_module("mobilebert_rt.integrations.spark")


def test_package_imports_no_cluster() -> None:
    code = (
        "import sys, mobilebert_rt, mobilebert_rt.text, mobilebert_rt.parquet, mobilebert_rt.integrations.ray\n"
        "print({'ray', 'pyspark', 'pandas', 'pyarrow'} & {*sys.modules})\n"
    )
    assert interpreter.run(code).stdout == "set()\n"
