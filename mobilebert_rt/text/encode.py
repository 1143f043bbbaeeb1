"""Methods of `TextEmbedder` with the names, keywords and results of `sentence_transformers.SentenceTransformer`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from mobilebert_rt.errors import InputError
from mobilebert_rt.text.tokenizer import Text
from mobilebert_rt.text.vectors import Output, check_output

if TYPE_CHECKING:
    from mobilebert_rt.text.embedder import TextEmbedder


def encode(  # noqa: PLR0917 - the signature of another library
    self: TextEmbedder,
    inputs: str | Iterable[Text],
    prompt_name: str | None = None,
    prompt: str | None = None,
    batch_size: int = 32,
    show_progress_bar: bool | None = None,
    output_value: Literal["sentence_embedding", "token_embeddings"] = "sentence_embedding",
    precision: Output | None = "float32",
    convert_to_numpy: bool = True,
    convert_to_tensor: bool = False,
    device: Any = None,
    normalize_embeddings: bool = False,
    truncate_dim: int | None = None,
    pool: None = None,
    chunk_size: int | None = None,
) -> Any:
    """`SentenceTransformer.encode`, so that an embedder can stand in for a SentenceTransformer.

    Keywords and results are those of the library, but: token embeddings are numpy arrays; of no texts the result is
    [0, H]; batch_size and chunk_size change nothing (see max_batch_tokens); device is the CPU; pool is refused. A tuple
    is a list of texts here. convert_to_tensor=True, and convert_to_numpy=False, need torch.

    Raises InputError, also for precision "int8" and "uint8" of one text when the embedder has no ranges.

    >>> from mobilebert_rt import TextEmbedder
    >>> TextEmbedder().encode(["a cat", "a dog"], normalize_embeddings=True).shape
    (2, 384)
    """
    if device is not None and str(device) != "cpu":
        raise InputError(f"device: found {device!r}; expected 'cpu' or None.")
    if pool is not None:
        raise InputError(f"pool: found {type(pool).__name__}; expected None. The threads of a Model do all work.")
    if output_value not in ("sentence_embedding", "token_embeddings"):
        raise InputError(f"output_value: found {output_value!r}; expected sentence_embedding, token_embeddings.")
    precision = "float32" if precision is None else precision
    check_output(precision, "precision")
    is_single = isinstance(inputs, str | Mapping)
    texts: Any = [inputs] if is_single else list(inputs) if isinstance(inputs, tuple) else inputs
    name = prompt_name if prompt is None else None
    if output_value == "token_embeddings":
        states = self.token_vectors(texts, prompt=prompt, prompt_name=name)
        return states[0] if is_single else states
    found: Any = self(
        texts,
        prompt=prompt,
        prompt_name=name,
        normalize=True if normalize_embeddings else None,
        truncate_dim=truncate_dim,
        output=precision,
        progress=bool(show_progress_bar),
    )
    if convert_to_tensor or not convert_to_numpy:
        import torch  # noqa: PLC0415 - not a requirement

        found = torch.from_numpy(found) if convert_to_tensor else list(torch.from_numpy(found))
    return found[0] if is_single else found


def encode_with_prompt(name: str) -> Callable[..., Any]:
    """`encode` with another default of prompt_name."""
    signature = inspect.signature(encode)

    def method(self: TextEmbedder, *values: Any, **keywords: Any) -> Any:
        given = signature.bind_partial(self, *values).arguments | keywords
        del given["self"]
        if given.get("prompt") is None and given.get("prompt_name") is None:
            given["prompt_name"] = name
        return self.encode(**given)

    method.__name__ = f"encode_{name}"
    method.__doc__ = f'`encode` with the prompt "{name}" of the model, if it has one, unless another prompt is given.'
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method
