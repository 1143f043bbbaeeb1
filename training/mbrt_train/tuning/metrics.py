"""The official metric of each task, in percent."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

Array = NDArray[Any]
Metric = Callable[[Array, Array], float]


def _correlation(measure: Callable[[Array, Array], Any], truth: Array, found: Array) -> float:
    """A correlation in percent; 0 if one side is constant."""
    if np.ptp(truth) == 0 or np.ptp(found) == 0:
        return 0.0
    return 100 * float(measure(truth, found).statistic)


METRICS: dict[str, Metric] = {
    "accuracy": lambda truth, found: 100 * float(accuracy_score(truth, found)),
    "f1": lambda truth, found: 100 * float(f1_score(truth, found, zero_division=0.0)),
    "matthews": lambda truth, found: 100 * float(matthews_corrcoef(truth, found)),
    "pearson": lambda truth, found: _correlation(pearsonr, truth, found),
    "spearman": lambda truth, found: _correlation(spearmanr, truth, found),
}

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(answer: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation, no articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", answer.lower().translate(_PUNCTUATION)).split())


def exact_match(found: str, answers: Sequence[str]) -> float:
    """1 if a reference is equal after normalisation; without references the right answer is ""."""
    return float(any(normalised(found) == normalised(answer) for answer in answers or [""]))


def token_f1(found: str, answers: Sequence[str]) -> float:
    """The maximum F1 of words over the references."""
    return max(_f1(normalised(found).split(), normalised(answer).split()) for answer in answers or [""])


def _f1(found: list[str], wanted: list[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    common = sum((Counter(found) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(found), common / len(wanted)
    return 2 * precision * recall / (precision + recall)
