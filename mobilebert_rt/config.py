"""The engine's configuration: the `config` object of docs/model_format.md, field by field."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from mobilebert_rt.errors import UnsupportedModelError

# field: smallest and largest value that the format allows.
LIMITS: dict[str, tuple[int, int]] = {
    "vocab_size": (1, 1 << 20),
    "hidden_size": (1, 4096),
    "body_size": (1, 4096),
    "embedding_size": (1, 4096),
    "num_layers": (1, 128),
    "num_heads": (1, 128),
    "intermediate_size": (1, 16384),
    "num_ffn": (1, 16),
    "max_positions": (1, 4096),
    "type_vocab_size": (0, 64),
    "num_labels": (0, 65536),
}

PRECISIONS = ("fp32", "int8")


@dataclass(frozen=True)
class EngineConfig:
    """What the engine must know of a model. Sizes are counts; `eps_*` are added to variances."""

    precision: str
    vocab_size: int
    hidden_size: int
    body_size: int
    embedding_size: int
    num_layers: int
    num_heads: int
    intermediate_size: int
    num_ffn: int
    max_positions: int
    type_vocab_size: int
    trigram: bool
    bottleneck: str
    norm: str
    activation: str
    eps_embeddings: float
    eps: float
    eps_output: float
    eps_mlm: float
    mlm_activation: str
    pooler: str
    head: str
    num_labels: int
    causal: bool = False
    embedding_norm: bool = True

    def __post_init__(self) -> None:
        """Check what concerns more than one field. Raises UnsupportedModelError."""
        if self.body_size % self.num_heads != 0:
            raise UnsupportedModelError(
                f"config.json: {self.num_heads} attention heads do not divide the width "
                f"{self.body_size} of a block. "
                "Use a model whose heads share the width evenly."
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.body_size // self.num_heads

    @property
    def has_projection(self) -> bool:
        """Whether a linear layer lies between the word table and the stream."""
        return self.trigram or self.embedding_size != self.hidden_size

    @property
    def taps(self) -> int:
        """How many word vectors the projection reads: next, current, previous; or the current one alone."""
        return 3 if self.trigram else 1

    @property
    def layer_norm(self) -> bool:
        """True for LayerNorm; False for NoNorm, which folds away."""
        return self.norm == "layer_norm"

    @property
    def normed_embeddings(self) -> bool:
        """Whether a LayerNorm lies behind the embeddings."""
        return self.layer_norm and self.embedding_norm

    @property
    def has_mlm(self) -> bool:
        """Whether the model has a masked-language-model head."""
        return self.head in ("masked_lm", "pretraining")

    def with_precision(self, precision: str) -> EngineConfig:
        """The same model at another precision."""
        return replace(self, precision=precision)

    def to_json(self) -> str:
        """The JSON object that the file's metadata carries under `config`; optional keys only where they matter."""
        defaults = {"causal": False, "embedding_norm": True}
        return json.dumps({key: value for key, value in asdict(self).items() if defaults.get(key) is not value})
