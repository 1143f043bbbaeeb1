"""`make demo`: semantic search with the model that comes with the package, then its latency on this machine.

Nothing is downloaded.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from mobilebert_rt import Model, TextEmbedder, active_isa, default_model_path

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

LENGTHS = (16, 64, 256)
CALLS = 100
BAR_WIDTH = 30  # characters of a similarity of 1


def main() -> None:
    print(f"mobilebert_rt on this machine: kernels {active_isa()}\n")
    show_similarities()
    show_latencies()


def show_similarities() -> None:
    """The sentences of a page, the most similar to a question first."""
    embedder = TextEmbedder()
    sentences = PAGE.splitlines()
    begin = time.perf_counter()
    vectors = embedder([QUERY, *sentences])
    milliseconds = 1e3 * (time.perf_counter() - begin)
    similarities = vectors[1:] @ vectors[0]

    print(f'Default model: cosine similarity of {len(sentences)} sentences to "{QUERY}"\n')
    for i in np.argsort(-similarities):
        bar = "#" * round(BAR_WIDTH * max(0.0, float(similarities[i])))
        print(f"  {similarities[i]:5.2f}  {bar:<{BAR_WIDTH}}  {sentences[i]}")
    print(f"\n{len(vectors)} texts to vectors of {embedder.dimension} in {milliseconds:.1f} ms.\n")


def show_latencies() -> None:
    """Median latency of one text by length, on one thread and on all."""
    path = default_model_path()
    single, every = Model.from_pretrained(path, num_threads=1), Model.from_pretrained(path)
    models = [single] if every.num_threads == 1 else [single, every]
    print(f"Latency of one text: median of {CALLS} calls, in ms.\n")
    counts = [model.num_threads for model in models]
    print("  tokens" + "".join(f"{f'{count} thread' + 's' * (count > 1):>12}" for count in counts))
    for length in LENGTHS:
        ids = np.random.default_rng(0).integers(1000, 30000, (1, length))
        print(f"{length:>8}" + "".join(f"{median_milliseconds(model, ids):>12.2f}" for model in models))


def median_milliseconds(model: Model, ids: np.typing.NDArray[np.int64]) -> float:
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        model(ids)
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


if __name__ == "__main__":
    main()
