"""One block of BERT, IB-BERT or MobileBERT, and the embeddings before it: see models.py for the sizes.

Parameters are named as in transformers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mbrt_train.config import Config

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),  # "gelu" in Google's code
    "relu6": F.relu6,
    "silu": F.silu,
    "tanh": torch.tanh,
}


class NoNorm(nn.Module):
    """y = x * weight + bias per channel; folded into the layer before it at inference."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


def make_norm(config: Config, size: int, eps: float) -> nn.Module:
    return NoNorm(size) if config.normalization_type == "no_norm" else nn.LayerNorm(size, eps=eps)


class Normed(nn.Module):
    """norm(W x + b), or norm(dropout(W x + b) + residual)."""

    def __init__(self, config: Config, inputs: int, outputs: int, eps: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.LayerNorm = make_norm(config, outputs, eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        y = self.dropout(self.dense(x))
        normed: Tensor = self.LayerNorm(y if residual is None else y + residual)
        return normed


class Embeddings(nn.Module):
    """ids, types [B, S] -> [B, S, H]. real [B, S]: 0 for padding, whose word vector is then zero."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width, hidden = config.embedding_size, config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, hidden)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, hidden)
        self.projected = config.trigram_input or width != hidden
        if config.model_type == "mobilebert":  # transformers has this layer even where it is not used
            self.embedding_transformation = nn.Linear(width * (3 if config.trigram_input else 1), hidden)
        self.LayerNorm = make_norm(config, hidden, config.default_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids: Tensor, types: Tensor, real: Tensor | None = None) -> Tensor:
        x = self.word_embeddings(ids)  # [B, S, E]
        if real is not None:
            x = x * real[..., None].to(x.dtype)
        if self.config.trigram_input:
            following = F.pad(x[:, 1:], (0, 0, 0, 1))
            previous = F.pad(x[:, :-1], (0, 0, 1, 0))
            x = torch.cat([following, x, previous], dim=-1)  # [B, S, 3 E]; trained weights depend on this order
        if self.projected:
            x = self.embedding_transformation(x)
        x = x + self.position_embeddings.weight[: ids.shape[1]] + self.token_type_embeddings(types)
        y: Tensor = self.dropout(self.LayerNorm(x))
        return y


class SelfAttention(nn.Module):
    """query_key: input of query and key, value: input of value [B, S, t or H]; bias [B, 1, 1 or S, S].

    Returns context [B, S, t] and scores [B, A, S, S].
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.query = nn.Linear(config.query_inputs, config.body_size)
        self.key = nn.Linear(config.query_inputs, config.body_size)
        self.value = nn.Linear(config.value_inputs, config.body_size)
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(self, query_key: Tensor, value: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        q, k, v = (
            layer(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, A, S, d]
            for layer, x in ((self.query, query_key), (self.key, query_key), (self.value, value))
        )
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        if bias is not None:
            scores = scores + bias
        context = self.dropout(scores.softmax(dim=-1)) @ v
        return context.transpose(1, 2).flatten(2), scores


class Attention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.self = SelfAttention(config)
        dropout = 0.0 if config.use_bottleneck else config.hidden_dropout_prob
        self.output = Normed(config, config.body_size, config.body_size, config.layer_norm_eps, dropout)


class Intermediate(nn.Module):
    """[.., t] -> act(W x + b) [.., I]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.body_size, config.intermediate_size)
        self.act = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.dense(x))


class FeedForward(nn.Module):
    """One of the F - 1 FFNs before the last: [.., t] -> [.., t]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.intermediate = Intermediate(config)
        self.output = Normed(config, config.intermediate_size, config.body_size, config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.output(self.intermediate(x), residual=x)
        return y


class Bottleneck(nn.Module):
    """H -> t: `input` gives the block's residual; `attention`, if shared, the input of query and key."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        sizes = (config.hidden_size, config.body_size, config.layer_norm_eps)
        self.input = Normed(config, *sizes)
        if config.key_query_shared_bottleneck:
            self.attention = Normed(config, *sizes)


class LastOutput(Normed):
    """The second layer of the last FFN, and the output bottleneck t -> H, added to the block's input."""

    def __init__(self, config: Config) -> None:
        dropout = 0.0 if config.use_bottleneck else config.hidden_dropout_prob
        super().__init__(config, config.intermediate_size, config.body_size, config.default_eps, dropout)
        if config.use_bottleneck:
            sizes = (config.body_size, config.hidden_size, config.layer_norm_eps)
            self.bottleneck = Normed(config, *sizes, config.hidden_dropout_prob)


class Block(nn.Module):
    """h [B, S, H] -> h [B, S, H], scores [B, A, S, S]. `intermediate` and `output` are the last FFN of the stack."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if config.use_bottleneck:
            self.bottleneck = Bottleneck(config)
        self.attention = Attention(config)
        self.ffn = nn.ModuleList(FeedForward(config) for _ in range(config.num_feedforward_networks - 1))
        self.intermediate = Intermediate(config)
        self.output = LastOutput(config)

    def inputs(self, h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs of query and key, of value, and of the residual inside the block."""
        if not self.config.use_bottleneck:
            return h, h, h  # BERT
        narrow = self.bottleneck.input(h)
        if self.config.use_bottleneck_attention:
            return narrow, narrow, narrow  # MobileBERT_TINY
        if self.config.key_query_shared_bottleneck:
            return self.bottleneck.attention(h), h, narrow  # MobileBERT
        return h, h, narrow  # IB-BERT

    def forward(self, h: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        query_key, value, residual = self.inputs(h)
        context, scores = self.attention.self(query_key, value, bias)
        x = self.attention.output(context, residual=residual)  # [B, S, t]
        for ffn in self.ffn:
            x = ffn(x)
        x = self.output(self.intermediate(x), residual=x)
        if self.config.use_bottleneck:
            x = self.output.bottleneck(x, residual=h)
        return x, scores
