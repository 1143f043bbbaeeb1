"""`Model`: a MobileBERT or BERT encoder, from token ids to numpy arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.config import EngineConfig
from mobilebert_rt.errors import InputError
from mobilebert_rt.packing import Packed, pack

if TYPE_CHECKING:
    from mobilebert_rt.profile import Profile

CancelToken = _core.CancelToken

_PER_TOKEN_HEADS = ("masked_lm", "pretraining", "token_classification", "question_answering")


class TensorInfo(NamedTuple):
    """One tensor of the model file: name, safetensors dtype, packed shape, bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True)
class ModelOutput:
    """What a call returns; None where the model or the call has no such thing. All arrays are float32.

    For array input, B rows of S tokens: last_hidden_state [B, S, H] with 0 in the padding; hidden_states, L + 1 of the
    same; attentions, L of [B, A, S, S]; pooler_output [B, H]; logits [B, n], or [B, S, n] for token classification and
    masked LM; start_logits, end_logits [B, S]; seq_relationship_logits [B, 2]. For list input everything per token is a
    list with one array [S_b, ...] a sequence.
    """

    last_hidden_state: Any
    pooler_output: npt.NDArray[np.float32] | None = None
    logits: Any = None
    start_logits: Any = None
    end_logits: Any = None
    seq_relationship_logits: npt.NDArray[np.float32] | None = None
    hidden_states: tuple[Any, ...] | None = None
    attentions: tuple[Any, ...] | None = None


class Model:
    """A loaded model. Immutable: any number of threads may call it at once; it pickles by path and works after fork.

    Make one with `Model.from_pretrained`.
    """

    def __init__(
        self, core: _core.Model, path: Path = Path(), options: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        if isinstance(core, str | os.PathLike):
            raise InputError(f"a model at a path is loaded by Model.from_pretrained({str(core)!r}).")
        self._core = core
        self._options = dict(options)
        self.path = path
        self.metadata: Mapping[str, str] = MappingProxyType(dict(core.metadata))
        self.config = EngineConfig(**json.loads(self.metadata["config"]))
        threads = options.get("num_threads")
        self._threads = None if threads is None else _checked_threads(threads)

    @classmethod
    def from_pretrained(
        cls,
        path: str | os.PathLike[str],
        precision: str | None = None,
        num_threads: int | None = None,
        isa: str | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Model:
        """Load a model: a single file written by `convert`, or a Hugging Face folder (config.json and safetensors).

        precision: "int8" or "fp32". A folder is converted in memory to what is asked for, int8 when nothing is; a file
        has the precision it was written with. num_threads: of each call; by default the environment's MBRT_NUM_THREADS,
        or the smallest of affinity mask, control group quota and physical cores. isa: one of `available_isas()`; by
        default the environment's MBRT_ISA, or the fastest. progress(what, done, total) is called while a folder is
        converted. Nothing is ever downloaded.

        Raises InputError (path, precision, isa, threads), ModelFormatError, UnsupportedModelError.
        """
        source = Path(path)
        options = {"precision": precision, "num_threads": num_threads, "isa": isa}
        if precision not in (None, "int8", "fp32"):
            raise InputError(f'precision={precision!r} is not known; use "int8" or "fp32"')
        if source.is_dir():
            from mobilebert_rt.conversion import build  # noqa: PLC0415 - only folders need it

            core = _core.Model(build(source, precision or "int8", progress=progress), isa)
            return cls(core, source, options)
        model = cls(_core.Model(os.fspath(source), isa), source, options)
        if precision is not None and precision != model.config.precision:
            raise InputError(
                f"{source} was written as {model.config.precision}; leave precision out, or convert the original "
                f"folder again with `mbrt convert --precision {precision}`"
            )
        return model

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (str(self.path.absolute()), self._options)

    def __repr__(self) -> str:
        c = self.config
        return (
            f"<mobilebert_rt.Model {self.path.name!r}: {c.num_layers} layers, hidden {c.hidden_size}, "
            f"body {c.body_size}, {c.precision}, head {c.head}, {self.isa}, {self.num_threads} threads>"
        )

    @property
    def isa(self) -> str:
        """The kernel set that this model runs on."""
        return self._core.isa

    @property
    def num_threads(self) -> int:
        """Threads of a call, the caller's included."""
        return self._threads or _core.default_thread_count()

    @property
    def kernels(self) -> dict[str, str]:
        """Operation -> name of the kernel that does it."""
        found = _core.kernels.describe_set(self.isa)
        return {"gemm_s8": str(found["gemm_s8"]), "gemm_f32": str(found["gemm_f32"]), "row operations": self.isa}

    @property
    def labels(self) -> list[str] | None:
        """Label names of a classification head, in the order of the logits; None when the file has none."""
        text = self.metadata.get("labels")
        return None if text is None else [str(label) for label in json.loads(text)]

    @property
    def memory(self) -> dict[str, int]:
        """Bytes: `weights` (mapped, shared between processes) and `workspace` (kept for the next calls)."""
        return {"weights": self._core.file_bytes, "workspace": self._core.workspace_bytes}

    def tensors(self) -> list[TensorInfo]:
        """Every tensor of the model file, in file order."""
        return [TensorInfo(name, dtype, tuple(shape), n) for name, dtype, shape, n in self._core.tensors()]

    def trim(self) -> int:
        """Give the workspace that is kept for the next calls back to the system; returns its bytes."""
        return self._core.trim()

    def __call__(
        self,
        input_ids: Any,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        *,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
        padding: str = "packed",
        logit_positions: Sequence[Sequence[int]] | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> ModelOutput:
        """Run the model on a batch.

        input_ids: integer array [B, S], right-padded with attention_mask, or a list of id lists of any lengths.
        attention_mask: [B, S] or [B, S, S] of 0 and 1, holes allowed; for a list, a list of [S_b] or [S_b, S_b].
        token_type_ids: as input_ids; 0 everywhere by default. padding: "packed" never computes a masked token at the
        end of a row, so a text's result is that of the text alone; "hf" computes it as transformers does (see
        docs/differences.md). logit_positions: for masked LM, one list of ascending token indices a sequence, and logits
        is then a list of [len, V]. timeout: seconds. cancel: a CancelToken that another thread may `cancel()`.

        Raises InputError, TimeoutError, CancelledError.
        """
        packed = pack(input_ids, attention_mask, token_type_ids, padding)
        wanted = None if logit_positions is None else self._packed_positions(packed, logit_positions)
        raw = self._run(
            packed,
            self.num_threads,
            hidden_states=output_hidden_states,
            attentions=output_attentions,
            logit_tokens=wanted,
            timeout=timeout,
            cancel=cancel,
        )
        return self._output(packed, raw, logit_positions)

    def profile(
        self,
        input_ids: Any,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        *,
        repeats: int = 20,
        warmup: int = 3,
        padding: str = "packed",
        logit_positions: Sequence[Sequence[int]] | None = None,
    ) -> Profile:
        """Measure where the time of a call goes, by operation and layer: see `mobilebert_rt.profile.Profile`.

        The inputs are those of a call. repeats: calls whose median counts, profiled and not profiled in turns, after
        warmup calls of both kinds. Profiling changes no bit of the results; calls that are not profiled pay
        nothing for it.

        Raises InputError.
        """
        from mobilebert_rt.profile import Profiler  # noqa: PLC0415 - few need it

        packed = pack(input_ids, attention_mask, token_type_ids, padding)
        wanted = None if logit_positions is None else self._packed_positions(packed, logit_positions)
        threads = self.num_threads
        profiler = Profiler(
            self._core,
            threads,
            lambda recorder: self._run(packed, threads, logit_tokens=wanted, profile=recorder),
        )
        return profiler.measure(packed.lengths.size, packed.ids.size, repeats, warmup)

    def _run(self, packed: Packed, num_threads: int, **options: Any) -> dict[str, Any]:
        """The engine's arrays; options as `_core.Model.run` takes them."""
        return self._core.run(
            packed.ids,
            packed.lengths,
            types=packed.types,
            key_mask=packed.key_mask,
            pair_mask=packed.pair_mask,
            num_threads=num_threads,
            **options,
        )

    def _packed_positions(self, packed: Packed, positions: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
        if self.config.head not in ("masked_lm", "pretraining"):
            raise InputError(f"logit_positions is for masked LM heads; this model's head is {self.config.head!r}")
        if len(positions) != packed.lengths.size:
            raise InputError(f"logit_positions holds {len(positions)} lists, the batch {packed.lengths.size} sequences")
        flat: list[int] = []
        for b, (wanted, start, length) in enumerate(zip(positions, packed.offsets[:-1], packed.lengths, strict=True)):
            if any(not 0 <= p < length for p in wanted) or list(wanted) != sorted(set(wanted)):
                raise InputError(f"logit_positions[{b}] must ascend within 0 .. {length - 1}; it is {list(wanted)}")
            flat.extend(int(start) + int(p) for p in wanted)
        return np.array(flat, dtype=np.int64)

    def _output(self, packed: Packed, raw: dict[str, Any], positions: Sequence[Sequence[int]] | None) -> ModelOutput:
        c = self.config
        hidden = raw["last_hidden_state"][:, : c.hidden_size]
        states = raw.get("hidden_states")
        pooled = raw.get("pooler_output")
        relation = raw.get("seq_relationship_logits")
        logits, start, end = self._logits(packed, raw.get("logits"), positions)
        return ModelOutput(
            last_hidden_state=packed.per_token(hidden),
            pooler_output=None if pooled is None else pooled[:, : c.hidden_size],
            logits=logits,
            start_logits=start,
            end_logits=end,
            seq_relationship_logits=None if relation is None else relation[:, :2],
            hidden_states=None
            if states is None
            else tuple(packed.per_token(state[:, : c.hidden_size]) for state in states),
            attentions=None if "attentions" not in raw else self._attentions(packed, raw["attentions"]),
        )

    def _logits(self, packed: Packed, rows: Any, positions: Sequence[Sequence[int]] | None) -> tuple[Any, Any, Any]:
        """(logits, start_logits, end_logits) from the padded rows of the engine."""
        head = self.config.head
        if rows is None:
            return None, None, None
        width = self.config.vocab_size if head in ("masked_lm", "pretraining") else self.config.num_labels
        rows = rows[:, :width]
        if positions is not None:
            ends = np.cumsum([len(p) for p in positions])
            return list(np.split(rows, ends[:-1])), None, None
        if head not in _PER_TOKEN_HEADS:
            return rows, None, None
        logits = packed.per_token(rows)
        if head != "question_answering":
            return logits, None, None
        if isinstance(logits, list):
            return None, [x[:, 0] for x in logits], [x[:, 1] for x in logits]
        return None, logits[..., 0], logits[..., 1]

    def _attentions(self, packed: Packed, flat: npt.NDArray[np.float32]) -> tuple[Any, ...]:
        """L arrays [B, A, S, S], or L lists of [A, S_b, S_b]."""
        layers, heads = self.config.num_layers, self.config.num_heads
        blocks = []
        start = 0
        for n in packed.lengths.tolist():
            size = layers * heads * n * n
            blocks.append(flat[start : start + size].reshape(layers, heads, n, n))
            start += size
        if packed.shape is None:
            return tuple([block[layer] for block in blocks] for layer in range(layers))
        batch, length = packed.shape
        padded = np.zeros((layers, batch, heads, length, length), dtype=np.float32)
        for b, block in enumerate(blocks):
            n = block.shape[-1]
            padded[:, b, :, :n, :n] = block
        return tuple(padded)


def _checked_threads(threads: Any) -> int:
    if not isinstance(threads, int) or not 1 <= threads <= 256:
        raise InputError(f"num_threads={threads!r}; give a whole number from 1 to 256")
    return threads


def _load(path: str, options: dict[str, Any]) -> Model:
    return Model.from_pretrained(path, **options)
