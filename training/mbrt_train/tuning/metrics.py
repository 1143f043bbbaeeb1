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
    "exact_match": lambda truth, found: 100 * float(accuracy_score(truth, found)),  # all labels of a text
    "f1": lambda truth, found: 100 * float(f1_score(truth, found, zero_division=0.0)),
    "f1_macro": lambda truth, found: 100 * float(f1_score(truth, found, average="macro", zero_division=0.0)),
    "f1_micro": lambda truth, found: 100 * float(f1_score(truth, found, average="micro", zero_division=0.0)),
    "matthews": lambda truth, found: 100 * float(matthews_corrcoef(truth, found)),
    "pearson": lambda truth, found: _correlation(pearsonr, truth, found),
    "spearman": lambda truth, found: _correlation(spearmanr, truth, found),
}


def ndcg(ranks: Array, nearest: int) -> float:
    """Normalised discounted cumulative gain at `nearest` in percent, with one right result for each query.

    ranks [N]: how many results come before the right one. Järvelin and Kekäläinen 2002: 1 / log2(2 + rank), or 0.
    """
    gains = np.where(ranks < nearest, 1 / np.log2(2.0 + ranks), 0.0)
    return 100 * float(gains.mean())


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


def entities(labels: Sequence[str]) -> set[tuple[str, int, int]]:
    """Type, first and end position of each entity of a sentence's labels.

    B-, S- and U- start an entity, as do another type and the word after E-, L-, S- or U-; O is no entity. A label
    without a prefix is a type of its own.
    """
    found = set()
    start, kind, closed = 0, "", True
    for i, label in enumerate([*labels, "O"]):
        prefix, dash, rest = label.partition("-")
        kind_here = "" if label == "O" else rest if dash else label
        starts = dash and prefix in "BSU"
        if kind and (closed or starts or kind_here != kind):
            found.add((kind, start, i))
            kind = ""
        if kind_here and not kind:
            start, kind = i, kind_here
        closed = bool(dash) and prefix in "ELSU"
    return found


def entity_f1(truth: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> float:
    """F1 in percent over the entities of all sentences; right are those with the same type and positions."""
    pairs = [(entities(a), entities(b)) for a, b in zip(truth, found, strict=True)]
    right = sum(len(a & b) for a, b in pairs)
    total = sum(len(a) + len(b) for a, b in pairs)
    return 200 * right / total if total else 100.0
