"""A recipe: everything that determines the results of a run, as TOML on disk and as dataclasses here.

A file may name a shipped recipe as its `base` and contain only the differences. Missing keys have the base's values or
the defaults below; unknown keys are errors.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from mbrt_train import config as configs
from mbrt_train.config import Config
from mbrt_train.data.batches import Batching
from mbrt_train.errors import TrainingError
from mbrt_train.strategies import STRATEGIES, Budget, Progressive, Stage, Strategy
from mbrt_train.tasks import PREFIXES, Weights

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")
BASES = {
    "mobilebert": configs.MOBILEBERT,
    "mobilebert_without_opt": configs.MOBILEBERT_WITHOUT_OPT,
    "mobilebert_tiny": configs.MOBILEBERT_TINY,
    "ib_bert_large": configs.IB_BERT_LARGE,
    "bert": configs.bert(768, 12, 12),
}
OBJECTIVES = ("pretraining", "distillation", "sentence", "vectors")
PRECISIONS = ("fp32", "bf16", "bf16_weights")


@dataclass(frozen=True)
class Optimiser:
    """name: lamb or adamw. clip: maximum norm of the whole gradient, 0 for no limit."""

    name: str = "lamb"
    weight_decay: float = 0.01
    clip: float = 1.0


@dataclass(frozen=True)
class Keeping:
    """Steps between checkpoints, checkpoints to keep, steps between log lines, held-out batches per checkpoint."""

    checkpoint_every: int = 1000
    keep: int = 3
    log_every: int = 50
    heldout_batches: int = 8


@dataclass(frozen=True)
class Recipe:
    """objective: "pretraining" (no teacher), "distillation" (the paper's last stage: words and next sentence),
    "sentence" (mean-pooled vectors), or "vectors" (mean-pooled vectors, from a file of the teacher's). precision: fp32;
    bf16, as torch.autocast chooses; or bf16_weights, everything but the optimiser and the losses, which is faster where
    the CPU multiplies bf16. MobileBERT's states overflow fp16. quantised: train a student of sentence vectors with the
    engine's int8 arithmetic. teacher_states: what computes the teacher's states: "torch", or the engine in "fp32" or
    "int8", which is faster on a CPU but gives no attention maps.
    """

    title: str
    objective: str = "distillation"
    strategy: str = "progressive"
    earlier: float = 0.1
    precision: str = "fp32"
    quantised: bool = False
    teacher_states: str = "torch"
    seed: int = 0
    hardware: str = ""
    student: Config = field(default_factory=Config)
    data: Batching = field(default_factory=Batching)
    budget: Budget = field(default_factory=Budget)
    weights: Weights = field(default_factory=Weights)
    optimiser: Optimiser = field(default_factory=Optimiser)
    keeping: Keeping = field(default_factory=Keeping)

    def __post_init__(self) -> None:
        _one_of("objective", self.objective, OBJECTIVES)
        _one_of("strategy", self.strategy, tuple(STRATEGIES))
        _one_of("teacher_states", self.teacher_states, ("torch", "fp32", "int8"))
        if self.teacher_states != "torch" and (self.objective != "sentence" or self.weights.attention):
            raise TrainingError(
                'teacher_states from the engine require objective = "sentence" and weights.attention = 0: it gives '
                "neither attention scores nor logits of masked words."
            )
        if self.precision not in PRECISIONS:
            raise TrainingError(
                f"precision is {self.precision!r}; expected one of {', '.join(PRECISIONS)}. fp16 is not supported: "
                "MobileBERT's states reach 2.5e7, the maximum of fp16 is 65,504."
            )
        if self.objective == "vectors" and (self.strategy != "auxiliary" or self.budget.transfer_steps):
            raise TrainingError(
                'objective = "vectors" has no states to transfer; expected strategy = "auxiliary" and '
                "budget.transfer_steps = 0."
            )
        if self.weights.prefixes and (self.objective != "vectors" or self.student.hidden_size <= PREFIXES[0]):
            raise TrainingError(
                f"weights.prefixes is {self.weights.prefixes:g}; expected 0 unless the objective is "
                f'"vectors" and the student is wider than {PREFIXES[0]}, the shortest prefix.'
            )
        whole = self.objective in ("sentence", "vectors") and self.strategy != "progressive"
        if self.quantised and not (whole and self.precision == "fp32"):
            raise TrainingError(
                'quantised = true requires objective = "sentence" or "vectors", fp32, and a strategy other than '
                "progressive."
            )
        if self.objective == "pretraining" and self.budget.transfer_steps:
            raise TrainingError("pretraining has no teacher, so budget.transfer_steps must be 0.")

    def stages(self) -> list[Stage]:
        """The stages, in order. Raises TrainingError if there is none."""
        make = STRATEGIES[self.strategy]
        strategy: Strategy = (
            Progressive(self.budget, self.earlier) if make is Progressive else make(self.budget)  # type: ignore[assignment]
        )
        found = strategy.stages(self.student.num_hidden_layers)
        if not any(stage.steps for stage in found):
            raise TrainingError("the recipe has no steps. Set budget.transfer_steps or budget.distil_steps.")
        return found

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, as JSON types."""
        return asdict(self)


def shipped() -> dict[str, Path]:
    """Names and files of the shipped recipes."""
    folder = Path(str(resources.files("mbrt_train"))) / "recipes_shipped"
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}


def load_recipe(name: str | Path) -> Recipe:
    """A recipe by path, or by name if it is shipped. Raises TrainingError."""
    path = shipped().get(str(name), Path(name))
    if not path.is_file():
        raise TrainingError(f"no recipe {str(name)!r}; expected a file or one of {', '.join(shipped())}.")
    return parse_recipe(_tables(path), str(path))


def _tables(path: Path) -> dict[str, Any]:
    """The keys of a file, merged into those of its base."""
    try:
        tables = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"{path}: not valid TOML ({error}).") from None
    base = tables.pop("base", None)
    if base is None:
        return tables
    bases = {name: file for name, file in shipped().items() if file != path}
    _one_of(f"{path}: base", base, tuple(bases))
    return _over(_tables(bases[base]), tables)


def _over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged by key; other values are replaced."""
    merged = dict(base)
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(below, value)
        else:
            merged[key] = value
    return merged


def parse_recipe(raw: Mapping[str, Any], where: str) -> Recipe:
    """A recipe from nested tables. student.base names the published configuration that the other keys change."""
    tables = dict(raw)
    student = dict(tables.pop("student", {}))
    base = student.pop("base", "mobilebert")
    _one_of(f"{where}: student.base", base, tuple(BASES))
    tables["student"] = asdict(BASES[base]) | student
    return build(Recipe, tables, where)


def build(kind: type[T], raw: Mapping[str, Any], where: str) -> T:
    """A dataclass from a table, nested ones from sub-tables; every key known, every value of its type."""
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    for key in raw:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; expected one of {', '.join(known)}."
            raise TrainingError(f"{where}: unknown key {key!r}{hint}")
    values: dict[str, Any] = {}
    for name, entry in known.items():
        if name in raw:
            values[name] = _value(hints[name], raw[name], f"{where}: {name}")
        elif entry.default is MISSING and entry.default_factory is MISSING:
            raise TrainingError(f"{where}: {name} is missing.")
    try:
        return kind(**values)
    except TrainingError:
        raise
    except ValueError as error:
        raise TrainingError(f"{where}: {error}.") from None


def _value(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, Mapping):
            raise TrainingError(f"{where} must be a table.")
        return build(kind, value, where)
    if get_origin(kind) is not None and type(None) in get_args(kind):
        kind = get_args(kind)[0]
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TrainingError(f"{where} is {value!r}; expected {kind.__name__}.")
    return value


def _one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise TrainingError(f"{name} is {value!r}; expected one of {', '.join(allowed)}.")
