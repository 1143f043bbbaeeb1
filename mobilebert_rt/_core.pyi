"""The native engine. Inputs are packed: sequences one after another, without padding."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import Buffer

from mobilebert_rt import _core_kernels, _core_tasks

kernels = _core_kernels
tasks = _core_tasks

__version__: str

def available_isas() -> list[str]:
    """Kernel sets that this CPU can run, slowest first."""

def compiled_isas() -> list[str]:
    """Kernel sets that are in this build, whether this CPU can run them or not."""

def active_isa() -> str:
    """The set named by MBRT_ISA, or the fastest. InputError when the CPU cannot run it."""

def default_thread_count() -> int:
    """MBRT_NUM_THREADS, or `usable_cores()`. InputError when the variable is no number from 1 to 256."""

def usable_cores() -> int:
    """min(affinity mask, control group quota rounded up, physical cores)."""

class CancelToken:
    """Stops the calls that were given it, within one layer's time."""

    def __init__(self) -> None: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

class Sharing(Enum):
    """How the threads of a call share a chunk of the batch."""

    NONE = 0
    ROWS = 1
    COLUMNS = 2

class Model:
    """A model file, opened from a path or from an image in memory that stays exported while the model lives."""

    def __init__(self, image: str | Buffer, isa: str | None = None) -> None: ...
    def run(
        self,
        ids: npt.NDArray[np.int32],
        lengths: npt.NDArray[np.int64],
        **call: Any,
    ) -> dict[str, Any]:
        """The fields of `mobilebert_rt.ModelOutput`. Keywords that are None have their default; unknown ones raise
        TypeError. types: int32 [T]; key_mask: uint8 [T]; pair_mask: uint8, for each sequence [S, S]. padded_length:
        None gives what has one row per token as a list of [S_b, n]; a number S as one array [B, S, n] with 0 in the
        padding. hidden_states, attentions, logits: as output_hidden_states and so on in `mobilebert_rt.Model`, as are
        logit_positions, timeout and cancel. num_threads: 1 by default. profile: a Profile to fill. sharing: a Sharing,
        how threads share the work even where one thread is faster; for tests."""

    def trim(self) -> int: ...
    def tensors(self) -> list[tuple[str, str, list[int], int]]: ...
    @property
    def workspace_bytes(self) -> int: ...
    @property
    def file_bytes(self) -> int: ...
    @property
    def isa(self) -> str: ...
    @property
    def metadata(self) -> dict[str, str]: ...

def foreign_file(file: bytes) -> tuple[str, str] | None:
    """The format of a file that is given in place of a model, and how to get a model; None when it is not known."""

class Profile:
    """Room for the times of one call at a time of `model` with up to `num_threads`; each call overwrites it.

    InputError when it is given to a call that does not fit it, or used while a call is writing.
    """

    def __init__(self, model: Model, num_threads: int = 1) -> None: ...
    def totals(self) -> npt.NDArray[np.uint64]:
        """[threads, stages, operations, 5]: calls, nanoseconds, int8 and fp32 multiply-accumulates, bytes of weights.

        Stages: the call itself, embeddings, head, then the layers; operations as `operation_names()` has them."""

    def events(self, thread: int) -> npt.NDArray[np.uint64]:
        """[events, 5], one after another: begin and end in nanoseconds of the call, stage, operation, rows."""

    @property
    def nanoseconds(self) -> int:
        """Of the whole call, from the first thread's begin to the last one's end."""

    @property
    def dropped_events(self) -> int:
        """Events that had no room; the totals have them."""

def operation_names() -> list[str]: ...

commands: dict[str, str]
"""Name of a command of csrc/tools: what it does."""

def on_command_line(message: str) -> str:
    """A message of the library, with options of the command line in place of keywords."""

def overview(others: list[tuple[str, str]], examples: str) -> str: ...
def run_command(
    name: str,
    words: list[bytes],
    load: Callable[[bytes, str | None, str | None], Model],
    facts: Callable[[], dict[str, str | dict[str, str]]],
) -> None:
    """Runs a command with the words behind its name. It writes to the file descriptors of the process.

    load: makes the model of a path, a precision and a kernel set. facts: what `info` shows in addition. Raises
    mobilebert_rt.cli.UsageError, BrokenPipeError, KeyboardInterrupt and the errors of the engine."""
