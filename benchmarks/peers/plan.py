"""What is measured: groups of entries whose runs are interleaved, on the same texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.peers import inputs
from benchmarks.peers.artifacts import ModelFile
from benchmarks.peers.catalogue import PEERS, Peer
from benchmarks.peers.inputs import Text

LENGTHS = (1, 8, 16, 32, 64, 128, 256, 384, 512)
QUICK_LENGTHS = (32, 128)
CASES = ("latency", "texts", "family", "load", "memory", "size")
BATCHES = (1, 4, 8, 16, 32, 64)

# Lengths to which texts of 5 to 60 tokens are padded where a model file has one fixed length.
BUCKETS = (8, 16, 24, 32, 48, 64)

FRESH_ROUNDS = 5  # processes of each entry, for what happens once per process
TEXTS_ROUNDS = 7  # a call runs 64 texts, and there are many entries

LOAD_LENGTH, MEMORY_LENGTH = 128, 512

# Other engines' fp32 is far slower, and would take most of the time.
FOR_TEXTS = ("ours-int8", "ours-fp32", "litert-int8", "ort-int8", "openvino-int8", "openvino-bf16", "torch-int8")
# Comparisons of other models, on one thread: title, tokens, (our peer, model), (other peer, model).
FAMILY = (
    ("MobileBERT_TINY int8", 128, ("ours-int8", "tiny"), ("ort-int8", "tiny")),
    ("MobileBERT int8, BERT-base fp32", 128, ("ours-int8", "mobilebert"), ("ort-fp32", "bert-base")),
    ("BERT-base fp32", 128, ("ours-fp32", "bert-base"), ("ort-fp32", "bert-base")),
    ("MiniLM int8", 32, ("ours-int8", "minilm"), ("ort-int8", "minilm")),
    ("MiniLM int8", 128, ("ours-int8", "minilm"), ("ort-int8", "minilm")),
    *(
        (f"MiniLM {precision}", length, ("ours-int8", "minilm"), (peer, "minilm"))
        for length in (32, 128)
        for precision, peer in (("int8", "ct2-int8"), ("int8, Q8_0", "llama-q8_0"), ("int8, its word vectors", "words"))
    ),
    ("BERT-base int8", 128, ("ours-int8", "bert-base"), ("ct2-int8", "bert-base")),
    ("default model int8, MiniLM fp32", 32, ("ours-int8", "default"), ("ort-fp32", "minilm")),
    ("default model int8, MiniLM fp32", 128, ("ours-int8", "default"), ("ort-fp32", "minilm")),
)


@dataclass(frozen=True)
class Entry:
    """A peer with a model on `threads` threads, divided among `copies` of the engine; `batch` texts per call."""

    peer: Peer
    model: str
    threads: int
    batch: int = 1
    copies: int = 1

    @property
    def name(self) -> str:
        """Unique within a group."""
        return f"{self.peer.name}/{self.model}/{self.threads}t/b{self.batch}x{self.copies}"


@dataclass(frozen=True)
class Group:
    """Entries that are measured together.

    fresh: in a new process each time, load and first call included. checked: outputs are compared with a reference.
    """

    case: str
    name: str
    texts: tuple[tuple[int, ...], ...]
    entries: tuple[Entry, ...]
    fresh: bool = False
    max_rounds: int = 1000
    checked: bool = True

    @property
    def length(self) -> int:
        """Max length of the texts."""
        return max(map(len, self.texts))

    def batches(self, entry: Entry) -> list[list[Text]]:
        """The texts as an entry runs them."""
        return inputs.batches([list(text) for text in self.texts], entry.batch)


def groups(
    cases: Sequence[str], peers: Sequence[str], lengths: Sequence[int], threads: Sequence[int]
) -> Iterator[Group]:
    """All groups of the cases, shortest first."""
    chosen = [PEERS[name] for name in PEERS if name in peers]
    any_model = [peer for peer in chosen if not peer.bert_only]
    if "latency" in cases:
        for length in sorted(lengths):
            entries = [Entry(peer, "mobilebert", t) for t in threads for peer in any_model]
            yield Group("latency", f"latency/{length}", one_text(length), tuple(entries))
    if "family" in cases:
        for length in (32, 128):
            both = dict.fromkeys(side for _, at, *sides in FAMILY for side in sides if at == length)
            entries = [Entry(PEERS[peer], model, 1) for peer, model in both if peer in peers]
            yield Group("family", f"family/{length}", one_text(length), tuple(entries))
    if "texts" in cases:
        texts = tuple(tuple(text) for text in inputs.mixed_texts())
        entries = [entry for peer in chosen if peer.name in FOR_TEXTS for entry in _configurations(peer, max(threads))]
        yield Group("texts", "texts", texts, tuple(entries), max_rounds=TEXTS_ROUNDS)
    for case, length in (("load", LOAD_LENGTH), ("memory", MEMORY_LENGTH)):
        if case in cases:
            entries = [Entry(peer, "mobilebert", 1) for peer in any_model]
            yield Group(case, f"{case}/{length}", one_text(length), tuple(entries), True, FRESH_ROUNDS)


def model_file(group: Group, entry: Entry, batch: Sequence[Text]) -> ModelFile:
    """The cheapest model file for a batch: without a mask if there is no padding, else the shortest that fits."""
    peer, model = entry.peer, entry.model
    if peer.fixed_length and group.case == "texts":
        longest = max(map(len, batch))
        return ModelFile(peer, model, masked=True, length=min(bucket for bucket in BUCKETS if bucket >= longest))
    if peer.fixed_length:
        return ModelFile(peer, model, length=group.length)
    return ModelFile(peer, model, masked=not peer.one_file and len(set(map(len, batch))) > 1)


def model_files(group: Group) -> list[ModelFile]:
    """All that a group needs."""
    return [model_file(group, entry, batch) for entry in group.entries for batch in group.batches(entry)]


def one_text(length: int) -> tuple[tuple[int, ...]]:
    return (tuple(inputs.text(length, seed=length)),)


def _configurations(peer: Peer, threads: int) -> list[Entry]:
    """All configurations for many texts: batches on all threads, or one engine per thread."""
    sizes = (1,) if peer.fixed_length else BATCHES
    found = [Entry(peer, "mobilebert", threads, batch) for batch in sizes]
    if threads > 1:
        found += [Entry(peer, "mobilebert", threads, batch, threads) for batch in sizes if batch <= 8]
    if peer.fixed_length and threads > 1:  # LiteRT can be faster on one
        found.append(Entry(peer, "mobilebert", 1, 1))
    return found
