"""MobileBERT and small BERT encoders on a CPU.

>>> import mobilebert_rt as mbrt
>>> embed = mbrt.TextEmbedder()  # the model that comes with the package
>>> embed("A cat sleeps.").shape
(384,)

The text tasks are `TextEmbedder`, `TextClassifier`, `ZeroShotClassifier`, `Reranker`, `TokenClassifier`,
`QuestionAnswerer` and `FillMask`; `Model` takes token ids. Modules that need more than numpy are imported when they
are first used.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

try:
    from mobilebert_rt import _core
except ImportError:
    if importlib.util.find_spec("mobilebert_rt._core") is not None:
        raise  # it is there and cannot be loaded
    raise ImportError(
        f"{__path__[0]}: source folder without the compiled module _core. For development, run `make dev` in the "
        "repository; to use an installed package, start Python in another folder or with `python -P`."
    ) from None

from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.errors import (
    CancelledError,
    InputError,
    MobileBertError,
    ModelFormatError,
    TimeoutError,
    UnsupportedModelError,
)
from mobilebert_rt.model import CancelToken, Model, ModelOutput

if TYPE_CHECKING:
    from mobilebert_rt.conversion import convert
    from mobilebert_rt.text import (
        FillMask,
        QuestionAnswerer,
        Reranker,
        TextClassifier,
        TextEmbedder,
        TokenClassifier,
        ZeroShotClassifier,
    )

__version__: str = _core.__version__

__all__ = [
    "CancelToken",
    "CancelledError",
    "FillMask",
    "InputError",
    "MobileBertError",
    "Model",
    "ModelFormatError",
    "ModelOutput",
    "QuestionAnswerer",
    "Reranker",
    "TextClassifier",
    "TextEmbedder",
    "TimeoutError",
    "TokenClassifier",
    "UnsupportedModelError",
    "ZeroShotClassifier",
    "__version__",
    "active_isa",
    "available_isas",
    "convert",
    "default_model_path",
]

# Name: its module, imported on first use.
_LAZY = {"convert": "conversion"} | dict.fromkeys(
    (
        "FillMask",
        "QuestionAnswerer",
        "Reranker",
        "TextClassifier",
        "TextEmbedder",
        "TokenClassifier",
        "ZeroShotClassifier",
    ),
    "text",
)


def available_isas() -> list[str]:
    """Names of the kernel sets that this CPU can run, slowest first; "scalar" is always among them.

    >>> available_isas()[0]
    'scalar'
    """
    return _core.available_isas()


def active_isa() -> str:
    """The set that a model gets when `isa` is not given: the environment's MBRT_ISA, or the fastest.

    Raises InputError when MBRT_ISA names a set that this CPU cannot run.

    >>> active_isa() in available_isas()
    True
    """
    return _core.active_isa()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
