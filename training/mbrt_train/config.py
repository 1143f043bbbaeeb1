"""The configuration of a model: transformers' config.json as a dataclass, and the published models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

ACTIVATIONS = ("relu", "gelu", "gelu_new", "relu6", "silu", "tanh")


@dataclass(frozen=True)
class Config:
    """config.json of transformers' MobileBertConfig or BertConfig; the defaults are MobileBERT's."""

    model_type: str = "mobilebert"  # or "bert"
    vocab_size: int = 30522
    hidden_size: int = 512
    num_hidden_layers: int = 24
    num_attention_heads: int = 4
    intermediate_size: int = 512
    hidden_act: str = "relu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0
    embedding_size: int = 128
    trigram_input: bool = True
    use_bottleneck: bool = True
    intra_bottleneck_size: int = 128
    use_bottleneck_attention: bool = False
    key_query_shared_bottleneck: bool = True
    num_feedforward_networks: int = 4
    normalization_type: str = "no_norm"
    classifier_activation: bool = False

    def __post_init__(self) -> None:
        if self.body_size % self.num_attention_heads:
            raise ValueError(
                f"num_attention_heads is {self.num_attention_heads}; it must divide the body width {self.body_size}"
            )
        if self.use_bottleneck_attention and self.key_query_shared_bottleneck:
            raise ValueError(
                "use_bottleneck_attention and key_query_shared_bottleneck are both true; at most one can be"
            )
        if self.hidden_act not in ACTIVATIONS:
            raise ValueError(f"hidden_act is {self.hidden_act!r}; expected one of {', '.join(ACTIVATIONS)}")

    @property
    def body_size(self) -> int:
        """t: width of attention and FFNs."""
        return self.intra_bottleneck_size if self.use_bottleneck else self.hidden_size

    @property
    def query_inputs(self) -> int:
        """Width of the input of query and key."""
        narrow = self.use_bottleneck_attention or self.key_query_shared_bottleneck
        return self.body_size if narrow else self.hidden_size

    @property
    def value_inputs(self) -> int:
        """Width of the input of value."""
        return self.body_size if self.use_bottleneck_attention else self.hidden_size

    @property
    def default_eps(self) -> float:
        """eps of the norms that transformers' MobileBERT builds without one: torch's default."""
        return 1e-5 if self.model_type == "mobilebert" else self.layer_norm_eps


MOBILEBERT = Config()
MOBILEBERT_WITHOUT_OPT = replace(MOBILEBERT, hidden_act="gelu", normalization_type="layer_norm")
MOBILEBERT_TINY = replace(
    MOBILEBERT, use_bottleneck_attention=True, key_query_shared_bottleneck=False, num_feedforward_networks=2
)
IB_BERT_LARGE = replace(
    MOBILEBERT_WITHOUT_OPT,
    hidden_dropout_prob=0.1,
    intra_bottleneck_size=1024,
    intermediate_size=4096,
    key_query_shared_bottleneck=False,
    num_feedforward_networks=1,
    classifier_activation=True,
)


def bert(hidden_size: int, num_hidden_layers: int, num_attention_heads: int, **changes: Any) -> Config:
    """A plain BERT; bert(768, 12, 12) is BERT_BASE."""
    plain = Config(
        model_type="bert",
        hidden_size=hidden_size,
        num_hidden_layers=num_hidden_layers,
        num_attention_heads=num_attention_heads,
        intermediate_size=4 * hidden_size,
        hidden_act="gelu",
        hidden_dropout_prob=0.1,
        embedding_size=hidden_size,
        trigram_input=False,
        use_bottleneck=False,
        key_query_shared_bottleneck=False,
        num_feedforward_networks=1,
        normalization_type="layer_norm",
        classifier_activation=True,
    )
    return replace(plain, **changes)
