"""Metadata of the file: labels, problem type, tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt.conversion import build
from mobilebert_rt.errors import ModelFormatError, UnsupportedModelError
from tests.conversion.reader import File
from tests.small_models.folders import odd, random_tensors, write_folder


def metadata_of(folder: Path) -> dict[str, str]:
    return File(bytes(build(folder))).metadata


def classifier_folder(folder: Path, labels: int, **changes: Any) -> Path:
    config = odd(architectures=["MobileBertForTokenClassification"]) | changes
    tensors = random_tensors(config)
    tensors["classifier.weight"] = np.ones((labels, 22), np.float32)
    tensors["classifier.bias"] = np.ones(labels, np.float32)
    return write_folder(folder, config, tensors)


def test_labels_come_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    id2label = {"1": "B-PER", "0": "O", "2": "naïve ☃"}
    metadata = metadata_of(classifier_folder(tmp_path, 3, id2label=id2label))
    assert json.loads(metadata["labels"]) == ["O", "B-PER", "naïve ☃"]
    assert json.loads(metadata["config"])["num_labels"] == 3


def test_labels_without_names_are_numbered(tmp_path: Path) -> None:
    assert json.loads(metadata_of(classifier_folder(tmp_path, 2))["labels"]) == ["LABEL_0", "LABEL_1"]


@pytest.mark.parametrize("id2label", [{"0": "a"}, {"0": "a", "2": "b"}, ["a", "b"]])
def test_labels_other_than_the_classifiers_are_refused(tmp_path: Path, id2label: Any) -> None:
    with pytest.raises(ModelFormatError, match='the keys "0" to "1"'):
        build(classifier_folder(tmp_path, 2, id2label=id2label))


def test_problem_type_is_kept_and_checked(tmp_path: Path) -> None:
    architectures = ["MobileBertForSequenceClassification"]
    for problem_type in ("single_label_classification", "multi_label_classification", "regression"):
        changes = {"architectures": architectures, "problem_type": problem_type}
        metadata = metadata_of(classifier_folder(tmp_path / problem_type, 2, **changes))
        assert metadata["problem_type"] == problem_type
    assert "problem_type" not in metadata_of(classifier_folder(tmp_path / "none", 2, architectures=architectures))
    with pytest.raises(UnsupportedModelError, match="problem_type is 'ranking'"):
        build(classifier_folder(tmp_path / "x", 2, architectures=architectures, problem_type="ranking"))


def test_base_model_has_no_labels_tokenizer_or_pooling(tmp_path: Path) -> None:
    assert set(metadata_of(write_folder(tmp_path, odd()))) == {
        "format",
        "format_version",
        "config",
        "source_config",
    }


def test_tokenizer_files_are_kept_unchanged(tmp_path: Path) -> None:
    write_folder(tmp_path, odd())
    files = {
        "vocab.txt": "[PAD]\n[UNK]\na\u2028b\r\n\u2603\n",
        "tokenizer.json": '{"version": "1.0"}',
        "tokenizer_config.json": '{"do_lower_case": false, "x": 1}',
        "special_tokens_map.json": '{"mask_token": "<mask>"}',
        "added_tokens.json": '{"<e1>": 4}',
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    metadata = metadata_of(tmp_path)
    assert {metadata[name.replace("config.json", "config")] for name in files} == set(files.values())


def test_lone_surrogates_are_refused(tmp_path: Path) -> None:
    folder = classifier_folder(tmp_path, 1)
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text[:-1] + ', "id2label": {"0": "\\ud800"}}')
    with pytest.raises(ModelFormatError, match="not Unicode"):
        build(folder)
