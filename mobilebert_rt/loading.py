"""What `from_pretrained` loads: a path, "default", or a model of the Hugging Face Hub, downloaded on request."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mobilebert_rt import _core
from mobilebert_rt.default_model import default_model_path
from mobilebert_rt.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

Progress = Callable[[str, int, int], None]

SLOW = 1.0  # seconds of a conversion that is reported
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_FILE_ENDS = (".safetensors", ".bin", ".onnx", ".tflite", ".gguf", ".pt", ".pth", ".h5", ".json", ".txt")


def find_model(path: str | os.PathLike[str], download: bool = False, revision: str | None = None) -> Path:
    """The file or folder of a model. What exists is taken as it is.

    Raises InputError for the name of a model that is not there, MobileBertError when it cannot be downloaded.
    """
    from pathlib import Path  # noqa: PLC0415 - it takes as long to import as half of this package

    name = os.fspath(path)
    if revision is not None and not download:
        raise InputError(f"revision: found {revision!r} without download=True; expected both. Pass download=True.")
    if os.path.exists(name):
        if revision is not None:
            raise InputError(f"revision: found {revision!r} for {name}, which is on this machine. Leave it out.")
        return Path(name)
    if name == "default":
        return default_model_path()
    if not _HUB_NAME.fullmatch(name) or name.endswith(_FILE_ENDS):
        return Path(name)
    if not download:
        raise InputError(
            f"{name}: found no such file or folder; expected a path. Nothing is downloaded unasked: for the model of "
            f"this name on the Hugging Face Hub, run `mbrt download {name}`, or in Python pass download=True."
        )
    from mobilebert_rt.hub import fetch  # noqa: PLC0415 - only downloads need it

    return Path(fetch(name, revision).folder)


def load_folder(
    folder: Path, precision: str, isa: str | None, progress: Progress | None = None, cache: bool = False
) -> _core.Model:
    """The model in a Hugging Face folder, converted in memory, or in the cache folder if `cache`."""
    begin = time.perf_counter()
    if cache:
        from mobilebert_rt.cache import cached_file  # noqa: PLC0415 - few need it

        file, is_new = cached_file(folder, precision, progress)
        model = _core.Model(os.fspath(file), isa)
    else:
        from mobilebert_rt.conversion import build  # noqa: PLC0415 - only folders need it

        model, is_new = _core.Model(build(folder, precision, progress=progress), isa), True
    seconds = time.perf_counter() - begin
    if is_new and seconds > SLOW:
        import logging  # noqa: PLC0415 - keeps the import of the package short

        logging.getLogger(__name__).info(
            "%s: converted to %s in %.1f s; `mbrt convert` writes a file that loads at once.",
            folder,
            precision,
            seconds,
        )
    return model
