"""`Model`: a MobileBERT or BERT encoder, from token ids to numpy arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.config import EngineConfig
from mobilebert_rt.errors import InputError
from mobilebert_rt.keywords import checks_keywords
from mobilebert_rt.loading import Progress, find_model, load_folder
from mobilebert_rt.packing import Packed, pack

if TYPE_CHECKING:
    from pathlib import Path

    from mobilebert_rt.profile import Profile

CancelToken = _core.CancelToken


class TensorInfo(NamedTuple):
    """One tensor of the model file: name, safetensors dtype, packed shape, bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True, eq=False, repr=False)
class ModelOutput:
    """What a call returns; None where the model or the call has no such thing. All arrays are float32.

    Two outputs are equal when all their arrays are, bit for bit in shape and value.

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

    def __repr__(self) -> str:
        shown = (f"{name}: {_described(value)}" for name, value in vars(self).items() if value is not None)
        return f"ModelOutput({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModelOutput):
            return NotImplemented
        return all(_same(value, vars(other)[name]) for name, value in vars(self).items())

    __hash__ = None  # type: ignore[assignment]


def _described(value: Any) -> str:
    """Type and shape of an array, or of those in a list, * where their sizes differ."""
    if isinstance(value, tuple):
        return f"tuple of {len(value)}, each {_described(value[0])}" if value else "empty tuple"
    if isinstance(value, list):
        shapes = {array.shape for array in value}
        sizes = (str(n[0]) if len(set(n)) == 1 else "*" for n in zip(*shapes, strict=True))
        return f"list of {len(value)} float32 [{', '.join(sizes)}]"
    return f"{value.dtype} {list(value.shape)}"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and (a is None or np.array_equal(a, b))


@checks_keywords
class Model:
    """A loaded model. Immutable: any number of threads may call it at once; it pickles by path and works after fork.

    Make one with `Model.from_pretrained`.
    """

    def __init__(
        self, core: _core.Model, path: str | Path = "", options: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        if isinstance(core, str | os.PathLike):
            raise InputError(f"Model: found a path; expected a loaded model. Use Model.from_pretrained({str(core)!r}).")
        self._core = core
        self._options = dict(options)
        from pathlib import Path  # noqa: PLC0415 - it takes as long to import as half of this package

        self.path = Path(path)
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
        progress: Progress | None = None,
        *,
        cache: bool = False,
        download: bool = False,
        revision: str | None = None,
    ) -> Model:
        """Load a model: a single file written by `convert`, a Hugging Face folder (config.json and safetensors), or
        "default", the model that comes with the package.

        precision: "int8" or "fp32". A folder is converted in memory to what is asked for, int8 when nothing is; a file
        has the precision it was written with. num_threads: of each call; by default the environment's MBRT_NUM_THREADS,
        or the smallest of affinity mask, control group quota and physical cores. isa: one of `available_isas()`; by
        default the environment's MBRT_ISA, or the fastest. progress(what, done, total) is called while a folder is
        converted.

        cache: keep the converted file of a folder in $MBRT_CACHE (by default ~/.cache/mobilebert_rt), where the next
        start finds it. download: a path that does not exist is the name of a model on the Hugging Face Hub, which is
        downloaded (needs the library huggingface_hub); revision: its branch, tag or commit hash. Without it
        nothing is ever downloaded.

        Raises InputError (path, precision, isa, threads), ModelFormatError, UnsupportedModelError, MobileBertError (a
        failed download).

        >>> from mobilebert_rt import Model
        >>> Model.from_pretrained("default").config.num_layers
        6
        """
        if not isinstance(path, str | os.PathLike):
            raise InputError(f"path: found {type(path).__name__}; expected a str or a Path.")
        if not isinstance(isa, str | None):
            raise InputError(f"isa: found {isa!r}; expected one of {', '.join(_core.available_isas())}.")
        if progress is not None and not callable(progress):
            raise InputError(f"progress: found {progress!r}; expected a function of (what, done, total).")
        for name, flag in (("cache", cache), ("download", download)):
            if not isinstance(flag, bool):
                raise InputError(f"{name}: found {flag!r}; expected True or False.")
        options = {"precision": precision, "num_threads": num_threads, "isa": isa}
        if precision not in (None, "int8", "fp32"):
            raise InputError(f'precision: found {precision!r}; expected "int8" or "fp32".')
        source = find_model(path, download, revision)
        if source.is_dir():
            core = load_folder(source, precision or "int8", isa, progress, cache)
            return cls(core, source, options | {"cache": cache})
        model = cls(_core.Model(os.fspath(source), isa), source, options)
        if precision is not None and precision != model.config.precision:
            raise InputError(
                f"{source}: found a model in {model.config.precision}; expected {precision}. Leave precision out, or "
                f"convert the original folder again with `mbrt convert --precision {precision}`."
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
        output_logits: bool = True,
        padding: str = "packed",
        logit_positions: Sequence[Sequence[int]] | None = None,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
    ) -> ModelOutput:
        """Run the model on a batch.

        input_ids: integer array [B, S], right-padded with attention_mask, or a list of id lists of any lengths. A flat
            list of ids is one sequence, a list with one. Arrays are those of numpy, torch and others on the CPU. A
            `BatchEncoding`, or another mapping with input_ids, attention_mask and token_type_ids, stands for all three.
        attention_mask: [B, S] or [B, S, S] of 0 and 1, holes allowed; for a list, a list of [S_b] or [S_b, S_b].
        token_type_ids: as input_ids; 0 everywhere by default.
        output_hidden_states, output_attentions: fill these fields of the result.
        output_logits: False computes no head but the pooler; use it for embeddings of a model with a head.
        padding: "packed" never computes a masked token at the end of a row, so a text's result is that of the text
            alone; "hf" computes it as transformers does (docs/differences.md).
        logit_positions: for heads with logits per token, one list of ascending token indices per sequence; logits are
            then computed for these tokens only and given as a list of [len, V].
        timeout: seconds.
        cancel: a CancelToken that another thread may `cancel()`.

        Raises InputError, TimeoutError, CancelledError.

        >>> from mobilebert_rt import Model, default_model_path
        >>> model = Model.from_pretrained(default_model_path())
        >>> model([[101, 7592, 102], [101, 102]]).last_hidden_state[0].shape
        (3, 384)
        """
        packed = pack(*_inputs(input_ids, attention_mask, token_type_ids), padding)
        arrays = self._run(
            packed,
            self.num_threads,
            hidden_states=output_hidden_states,
            attentions=output_attentions,
            logits=output_logits,
            logit_positions=logit_positions,
            timeout=timeout,
            cancel=cancel,
        )
        return ModelOutput(**arrays)

    def profile(
        self,
        input_ids: Any,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        *,
        repeats: int = 20,
        warmup: int = 3,
        output_logits: bool = True,
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

        packed = pack(*_inputs(input_ids, attention_mask, token_type_ids), padding)
        threads = self.num_threads
        profiler = Profiler(
            self._core,
            threads,
            lambda recorder: self._run(
                packed, threads, logits=output_logits, logit_positions=logit_positions, profile=recorder
            ),
        )
        return profiler.measure(packed.lengths.size, packed.ids.size, repeats, warmup)

    def _run(self, packed: Packed, num_threads: int, **options: Any) -> dict[str, Any]:
        """The fields of ModelOutput; options as `_core.Model.run` takes them."""
        return self._core.run(
            packed.ids,
            packed.lengths,
            types=packed.types,
            key_mask=packed.key_mask,
            pair_mask=packed.pair_mask,
            padded_length=packed.padded_length,
            num_threads=num_threads,
            **options,
        )


def _inputs(input_ids: Any, attention_mask: Any, token_type_ids: Any) -> tuple[Any, Any, Any]:
    """Ids, mask and types, taken out of a mapping if that is what was given."""
    if not isinstance(input_ids, Mapping):
        return input_ids, attention_mask, token_type_ids
    if attention_mask is not None or token_type_ids is not None:
        raise InputError(
            f"input_ids: found {type(input_ids).__name__} and attention_mask or token_type_ids beside it; expected "
            "either a mapping or arrays."
        )
    if "input_ids" not in input_ids or not input_ids.keys() <= set(_NAMES):
        keys = ", ".join(map(str, input_ids)) or "no keys"
        raise InputError(f"input_ids: found {type(input_ids).__name__} with {keys}; expected {', '.join(_NAMES)}.")
    ids, mask, types = (input_ids.get(name) for name in _NAMES)
    return ids, mask, types


_NAMES = ("input_ids", "attention_mask", "token_type_ids")


def _checked_threads(threads: Any) -> int:
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 256:
        raise InputError(f"num_threads: found {threads!r}; expected a whole number from 1 to 256.")
    return threads


def _load(path: str, options: dict[str, Any]) -> Model:
    return Model.from_pretrained(path, **options)
