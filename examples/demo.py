"""`make demo`: real text through the engine, then how long a MobileBERT takes on this machine.

The text part runs the model that comes with the package. The timing part needs no weights: time does not depend on
their values, so they are random. Nothing is downloaded.
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from mobilebert_rt import Model, TextEmbedder, active_isa, convert
from mobilebert_rt.cli.measure import repeat

# Behind everything else: the tree's mobilebert_rt may have no compiled engine, the installed one has.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from tests import random_mobilebert

QUERY = "How do plants make their food?"
PAGE = """\
Photosynthesis turns sunlight, water and carbon dioxide into sugar.
Leaves are green because chlorophyll absorbs red and blue light.
Roots draw water and minerals out of the soil.
A seed sleeps through the winter and sprouts in spring.
Bees carry pollen from flower to flower.
The chef seasoned the soup with garlic and thyme.
Interest rates rose for the third time this year.
The central bank expects inflation to slow down.
The night train to Vienna leaves at a quarter to nine.
A violinist practised scales in the room next door.
The defender was sent off after a second yellow card.
Her telescope showed the rings of Saturn.
Glaciers in the Alps lose a metre of ice every summer.
The old bridge was closed to lorries last week.
"""

LENGTHS = (32, 128, 384)
REPEATS = 100
SECONDS = 6.0  # a cell of the table at most
BAR = 30  # characters of a similarity of 1


def main() -> None:
    print(f"mobilebert_rt on this machine: kernels {active_isa()}\n")
    show_similarities()
    with tempfile.TemporaryDirectory(prefix="mobilebert_rt-demo-") as scratch:
        show_latencies(Path(scratch))


def show_similarities() -> None:
    """The lines of a page, the likest to a question first."""
    embedder = TextEmbedder()
    sentences = PAGE.splitlines()
    begin = time.perf_counter()
    vectors = embedder([QUERY, *sentences])
    milliseconds = 1e3 * (time.perf_counter() - begin)
    similarities = vectors[1:] @ vectors[0]

    print(f'The default model. Which of {len(sentences)} sentences is nearest to "{QUERY}"?\n')
    for i in np.argsort(-similarities):
        bar = "#" * round(BAR * max(0.0, float(similarities[i])))
        print(f"  {similarities[i]:5.2f}  {bar:<{BAR}}  {sentences[i]}")
    print(f"\n{len(vectors)} texts to {embedder.dimension} numbers each in {milliseconds:.1f} ms.\n")


def show_latencies(scratch: Path) -> None:
    """Median time of one text of several lengths, on one thread and on all."""
    print("MobileBERT (24 layers, the published sizes, random weights), int8, one text at a time.")
    print("Building it ...", flush=True)
    path = scratch / "mobilebert.safetensors"
    convert(random_mobilebert.folder(scratch / "mobilebert"), path)
    model, every = Model.from_pretrained(path, num_threads=1), Model.from_pretrained(path)
    models = [model] if every.num_threads == 1 else [model, every]
    heads = "".join(f"{f'{m.num_threads} thread' + 's' * (m.num_threads > 1):>14}" for m in models)
    print(f"\n  {'tokens':>6}{heads}      median of up to {REPEATS} calls")
    for length in LENGTHS:
        ids = random_mobilebert.token_ids(1, length, model.config.vocab_size)
        timings = [repeat(partial(m, ids), warmup=3, repeats=REPEATS, seconds=SECONDS) for m in models]
        print(f"  {length:>6}" + "".join(f"{timing.p50:>11.2f} ms" for timing in timings))


if __name__ == "__main__":
    main()
