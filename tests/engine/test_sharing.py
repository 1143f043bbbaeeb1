"""Threads that share the rows of a chunk or the columns of a panel: the bits of one thread, and work for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilebert_rt as mbrt
from mobilebert_rt import _core
from tests.emulation import EMULATED
from tests.engine.support import Ids, digest, make_texts, share
from tests.model.make_model_file import SMALL, Config, make_file

# A panel has 32 rows.
MOST = 32
BATCHES = [[1], [2], [5], [8], [9], [11], [18], [23], [32], [3, 1, 4], [1] * 6, [8, 1]]
# Divided among three threads, body and hidden state are uneven numbers of blocks of 16 columns, and the FFN's two
# blocks are too few.
WIDE = {"num_heads": 5, "body_size": 100, "max_positions": MOST}
KINDS = ["mobilebert_int8", "bert_int8", "mobilebert", "without_opt_int8", "teacher", "tiny_int8", "distilbert_int8"]
WAYS = [_core.Sharing.ROWS, _core.Sharing.COLUMNS]
KINDS += ["factorised", "mobilebert_qa_int8", "bert_pretraining"]


def load(folder: Path, name: str, num_threads: int, sharing: _core.Sharing) -> mbrt.Model:
    config: Config = dict(SMALL[name])
    config |= WIDE | {"hidden_size": 100 if config["bottleneck"] == "none" else 140}
    if config["embedding_size"] == SMALL[name]["hidden_size"]:
        config["embedding_size"] = config["hidden_size"]
    path = folder / f"{name}.safetensors"
    path.write_bytes(make_file(config, seed=23))
    return share(mbrt.Model.from_pretrained(path, num_threads=num_threads), sharing)


def digests(model: mbrt.Model, texts: list[Ids], masks: list[Any]) -> list[str]:
    output = model(texts, masks, output_hidden_states=True, output_attentions=True)
    return [digest(output, text) for text in range(len(texts))]


@pytest.mark.parametrize("sharing", WAYS)
@pytest.mark.parametrize("name", KINDS[: 2 if EMULATED else None])
def test_same_bits_with_any_threads(tmp_path: Path, name: str, sharing: _core.Sharing) -> None:
    alone, *others = (load(tmp_path, name, threads, sharing) for threads in (1, 2, 3, 5))
    for lengths in BATCHES:
        texts = make_texts(lengths)
        whole = [[1] * length for length in lengths]
        partial = [[1] + [int(i % 3 != 0) for i in range(1, length)] for length in lengths]
        for masks in (whole, partial):
            expected = digests(alone, texts, masks)
            for model in others:
                for _ in range(3):
                    assert digests(model, texts, masks) == expected, (lengths, model.num_threads)


def work(folder: Path, name: str, tokens: int, threads: int, sharing: _core.Sharing) -> Any:
    """By thread and stage: multiply-accumulates in int8 and in fp32, bytes of weights."""
    core = load(folder, name, threads, sharing)._core
    recorder = _core.Profile(core, threads)
    ids, lengths = np.array(make_texts([tokens])[0], np.int32), np.array([tokens], np.int64)
    core.run(ids, lengths, num_threads=threads, profile=recorder)
    return recorder.totals()[..., 2:].sum(axis=2)


@pytest.mark.parametrize("name", ["mobilebert_int8", "bert_int8", "mobilebert", "without_opt"])
@pytest.mark.parametrize("tokens", [1, 9, 18])
def test_sharers_of_columns_divide_the_work_of_one_thread(tmp_path: Path, name: str, tokens: int) -> None:
    """As one panel: no weight is read twice."""
    whole = work(tmp_path, name, tokens, 1, _core.Sharing.NONE)[0]
    shares = work(tmp_path, name, tokens, 2, _core.Sharing.COLUMNS)
    assert (shares.sum(axis=0) == whole).all()
    assert (shares[:, 3:].sum(axis=1) <= 0.75 * whole[3:].sum(axis=0)).all()


def test_sharers_of_rows_read_all_weights(tmp_path: Path) -> None:
    macs = work(tmp_path, "mobilebert_int8", 24, 3, _core.Sharing.ROWS)[:, 3:, 0]
    assert (macs == macs[0]).all(), macs
    assert (macs > 0).all()


def test_small_model_uses_one_thread(tmp_path: Path) -> None:
    """Waking another one would take longer than the call; more rows pay for it only in larger models."""
    config: Config = dict(SMALL["mobilebert_int8"])
    path = tmp_path / "small.safetensors"
    path.write_bytes(make_file(config, seed=23))
    core = mbrt.Model.from_pretrained(path)._core
    recorder = _core.Profile(core, 2)
    ids = np.array(make_texts([19])[0], np.int32)
    core.run(ids, np.array([19], np.int64), num_threads=2, profile=recorder)
    assert recorder.totals()[1].sum() == 0
