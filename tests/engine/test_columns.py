"""Short inputs, whose one panel the threads share by columns: the bits of one thread, and work for every thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilebert_rt as mbrt
from mobilebert_rt import _core
from tests.emulation import EMULATED
from tests.engine.support import Ids, digest, make_texts
from tests.model.make_model_file import SMALL, Config, make_file

# A panel has 32 rows.
MOST = 32
BATCHES = [[1], [2], [5], [8], [9], [11], [18], [23], [32], [3, 1, 4], [1] * 6, [8, 1]]
# Divided among three threads, body and hidden state are uneven numbers of blocks of 16 columns, and the FFN's two
# blocks are too few.
WIDE = {"num_heads": 5, "body_size": 100, "max_positions": MOST}
KINDS = ["mobilebert_int8", "bert_int8", "mobilebert", "without_opt_int8", "teacher", "tiny_int8", "distilbert_int8"]
KINDS += ["factorised", "mobilebert_qa_int8", "bert_pretraining"]


def load(folder: Path, name: str, num_threads: int) -> mbrt.Model:
    config: Config = dict(SMALL[name])
    config |= WIDE | {"hidden_size": 100 if config["bottleneck"] == "none" else 140}
    if config["embedding_size"] == SMALL[name]["hidden_size"]:
        config["embedding_size"] = config["hidden_size"]
    path = folder / f"{name}.safetensors"
    path.write_bytes(make_file(config, seed=23))
    return mbrt.Model.from_pretrained(path, num_threads=num_threads)


def digests(model: mbrt.Model, texts: list[Ids], masks: list[Any]) -> list[str]:
    output = model(texts, masks, output_hidden_states=True, output_attentions=True)
    return [digest(output, text) for text in range(len(texts))]


@pytest.mark.parametrize("name", KINDS[: 2 if EMULATED else None])
def test_same_bits_with_any_threads(tmp_path: Path, name: str) -> None:
    alone, *others = (load(tmp_path, name, threads) for threads in (1, 2, 3, 5))
    for lengths in BATCHES:
        texts = make_texts(lengths)
        whole = [[1] * length for length in lengths]
        partial = [[1] + [int(i % 3 != 0) for i in range(1, length)] for length in lengths]
        for masks in (whole, partial):
            expected = digests(alone, texts, masks)
            for model in others:
                for _ in range(3):
                    assert digests(model, texts, masks) == expected, (lengths, model.num_threads)


@pytest.mark.skipif(EMULATED, reason="[emulated] the waiting times are those of the emulator, and teams part")
@pytest.mark.parametrize("name", ["mobilebert_int8", "bert_int8", "mobilebert", "without_opt"])
@pytest.mark.parametrize("tokens", [1, 9, 18])
def test_column_sharing_divides_the_work_of_one_thread(tmp_path: Path, name: str, tokens: int) -> None:
    """As one panel: no weight is read twice. Where a core is busy the first thread goes on alone, and every model keeps
    in mind that it did: a new one is asked until two threads had a core each."""
    ids, lengths = np.array(make_texts([tokens])[0], np.int32), np.array([tokens], np.int64)

    def work(threads: int) -> Any:
        core = load(tmp_path, name, threads)._core
        recorder = _core.Profile(core, threads)
        core.run(ids, lengths, num_threads=threads, profile=recorder)
        return recorder.totals()[..., 2:].sum(axis=2)  # by thread and stage: of int8, of fp32, bytes of weights

    whole = work(1)[0]
    for _ in range(100):
        shares = work(2)
        assert (shares.sum(axis=0) == whole).all()
        in_layers = shares[:, 3:].sum(axis=1)
        if (in_layers <= 0.75 * whole[3:].sum(axis=0)).all():
            return
    pytest.fail(f"never divided: {in_layers}")


def test_rows_are_divided_where_all_threads_stay_busy(tmp_path: Path) -> None:
    """Three threads take eight rows each, and each reads all the weights of the blocks."""
    core = load(tmp_path, "mobilebert_int8", 3)._core
    recorder = _core.Profile(core, 3)
    core.run(np.array(make_texts([24])[0], np.int32), np.array([24], np.int64), num_threads=3, profile=recorder)
    macs = recorder.totals()[..., 2].sum(axis=2)[:, 3:]  # of int8, by layer
    assert (macs == macs[0]).all(), macs
    assert (macs > 0).all()
