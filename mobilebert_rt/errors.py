"""The named errors of the package. Each message says what is wrong, where, and how to mend it.

The C++ engine raises these same classes through the binding.
"""

from __future__ import annotations

import builtins


class MobileBertError(Exception):
    """The root of every error that the package raises on purpose."""


class ModelFormatError(MobileBertError):
    """A model file, checkpoint or config that is damaged, inconsistent or not what it says it is."""


class UnsupportedModelError(MobileBertError):
    """A well-formed model that asks for something this engine does not do."""


class InputError(MobileBertError, ValueError):
    """A wrong argument: token ids, masks, sizes, paths, names."""


class CancelledError(MobileBertError):
    """The caller cancelled the call."""


class TimeoutError(MobileBertError, builtins.TimeoutError):
    """The call's deadline passed."""
