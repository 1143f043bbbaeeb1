"""Downloads from the Hugging Face Hub, on request only, by the library `huggingface_hub` (the extra `hub`).

The library's settings apply: HF_HOME and HF_HUB_CACHE, HF_HUB_OFFLINE, HF_ENDPOINT, tokens. An interrupted download
continues where it stopped.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mobilebert_rt.errors import MobileBertError, UnsupportedModelError

# Weights in safetensors and the small files beside them; never pickles, ONNX models or code.
WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "*/model.safetensors")
WANTED = (*WEIGHTS, "*.json", "vocab.txt", "*/vocab.txt")
UNWANTED = ("onnx/*", "openvino/*", "coreml/*", ".*")


class Download(NamedTuple):
    """A downloaded model. folder: in the cache of huggingface_hub; commit: the resolved revision."""

    folder: str
    commit: str


def fetch(name: str, revision: str | None = None, progress: bool = True) -> Download:
    """Download the model `name` ("organisation/model"), or what is missing of it.

    revision: a branch, a tag or a commit hash; the main branch by default. progress: show bars on standard error.

    Raises MobileBertError without huggingface_hub or when the download fails; UnsupportedModelError for a repository
    without safetensors weights.
    """
    library = _library()
    try:
        with _bars(library, progress):
            folder = library.snapshot_download(
                name, revision=revision, allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED)
            )
    except Exception as error:  # of the library, and of the HTTP clients of its versions
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MobileBertError(
            f"{name}: the download failed: {reason} Check the name, the revision and the connection."
        ) from error
    commit = Path(folder).name
    if not any(any(Path(folder).glob(pattern)) for pattern in WEIGHTS):
        raise UnsupportedModelError(
            f"{name}: revision {commit} has no safetensors weights, and no other format is downloaded. Many "
            "repositories have a converted revision, such as refs/pr/1: pass it as the revision."
        )
    logging.getLogger(__name__).info("%s: revision %s in %s", name, commit, folder)
    return Download(folder, commit)


def _library() -> Any:
    try:
        import huggingface_hub  # noqa: PLC0415 - optional, slow to import
        import huggingface_hub.utils  # noqa: PLC0415
    except ImportError as error:
        raise MobileBertError(
            f"download: {error}; expected the library huggingface_hub. Install it: pip install huggingface_hub"
        ) from error
    return huggingface_hub


@contextlib.contextmanager
def _bars(library: Any, shown: bool) -> Iterator[None]:
    """Hides the library's progress bars for a while unless they are to be shown."""
    hide = not shown and not library.utils.are_progress_bars_disabled()
    if hide:
        library.utils.disable_progress_bars()
    try:
        yield
    finally:
        if hide:
            library.utils.enable_progress_bars()
