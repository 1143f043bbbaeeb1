"""BERT, IB-BERT and MobileBERT in plain PyTorch, in one class.

    ids [B, S] -> embeddings [B, S, H] -> L x block -> hidden state [B, S, H] -> pooler, masked LM, next sentence
Sizes: B texts, S tokens, H hidden_size (between blocks), t body width (inside a block), A heads of width d = t / A,
I intermediate_size, E embedding_size, V vocabulary.

Parameters are named as in transformers, so state dicts are interchangeable where transformers has the model. It has no
IB-BERT, whose query and key read the stream between blocks (width H; transformers' class expects t).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mbrt_train.config import Config
from mbrt_train.layers import ACTIVATIONS, Block, Embeddings


@dataclass
class Output:
    """hidden_states: L + 1 of [B, S, H]; attention_scores: L of [B, A, S, S], scaled and masked, before softmax."""

    hidden_states: list[Tensor] = field(default_factory=list)
    attention_scores: list[Tensor] = field(default_factory=list)
    pooled: Tensor | None = None  # [B, H]

    @property
    def last_hidden_state(self) -> Tensor:
        return self.hidden_states[-1]


class Stack(nn.Module):
    """The blocks, under transformers' name."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))


class Pooler(nn.Module):
    """tanh(W h + b) of the first token, [B, H] -> [B, H]."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, first: Tensor) -> Tensor:
        return torch.tanh(self.dense(first))


class Encoder(nn.Module):
    """Embeddings, blocks, pooler: transformers' MobileBertModel and BertModel."""

    def __init__(self, config: Config, pooling: bool = True) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = Stack(config)
        self.pooling = pooling
        if pooling and config.classifier_activation:
            self.pooler = Pooler(config)
        initialise(self, config)

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        types: Tensor | None = None,
        alone: bool = False,
        depth: int | None = None,
    ) -> Output:
        """ids, types [B, S]; mask [B, S] or [B, S, S], 1 where a key may be attended. depth: number of blocks to run.

        alone: run each text as the engine does; transformers' trigram of the last word reads the vector of [PAD].
        """
        h = self.embeddings(ids, torch.zeros_like(ids) if types is None else types, mask if alone else None)
        bias = None if mask is None else attention_bias(mask, h.dtype)
        out = Output([h])
        for block in self.encoder.layer[:depth]:
            h, scores = block(h, bias)
            out.hidden_states.append(h)
            out.attention_scores.append(scores)
        if self.pooling and depth is None:
            first = h[:, 0]
            out.pooled = self.pooler(first) if self.config.classifier_activation else first
        return out


def attention_bias(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """0 for a key that may be attended, the lowest float for others: [B, 1, 1 or S, S]."""
    allowed = mask[:, None, None, :] if mask.ndim == 2 else mask[:, None]
    return (1 - allowed.to(dtype)) * torch.finfo(dtype).min


def initialise(module: nn.Module, config: Config) -> None:
    """Weights N(0, initializer_range), biases 0, norms the identity, the row of [PAD] 0."""
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Embedding)):
            nn.init.normal_(part.weight, std=config.initializer_range)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
        if isinstance(part, nn.Embedding) and part.padding_idx is not None:
            nn.init.zeros_(part.weight[part.padding_idx].data)


class Transform(nn.Module):
    """LayerNorm(act(W h + b)), [.., H] -> [.., H]; always LayerNorm."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.act = ACTIVATIONS[config.hidden_act]
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, h: Tensor) -> Tensor:
        y: Tensor = self.LayerNorm(self.act(self.dense(h)))
        return y


class MaskedLm(nn.Module):
    """[.., H] -> logits [.., V]: the word table multiplies the first E features, MobileBERT's extra matrix the rest."""

    def __init__(self, config: Config, words: nn.Embedding) -> None:
        super().__init__()
        width = config.embedding_size
        self.transform = Transform(config)
        self.decoder = nn.Linear(width, config.vocab_size)
        self.decoder.weight = words.weight
        self.bias = self.decoder.bias
        if config.model_type == "mobilebert":
            self.dense = nn.Linear(config.vocab_size, config.hidden_size - width, bias=False)  # [H - E, V]

    def forward(self, h: Tensor) -> Tensor:
        x = self.transform(h)
        width = self.decoder.in_features
        logits: Tensor = self.decoder(x[..., :width])
        return logits + x[..., width:] @ self.dense.weight if width < x.shape[-1] else logits


class Heads(nn.Module):
    """Hidden state and pooled first token to masked LM logits [B, S, V] and next sentence logits [B, 2]."""

    def __init__(self, config: Config, words: nn.Embedding) -> None:
        super().__init__()
        self.predictions = MaskedLm(config, words)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)  # 0: is next, 1: is not

    def forward(self, h: Tensor, pooled: Tensor | None) -> tuple[Tensor, Tensor]:
        return self.predictions(h), self.seq_relationship(pooled)


class WithBody(nn.Module):
    """A model whose encoder is named "mobilebert" or "bert", as in transformers."""

    config: Config

    @property
    def body(self) -> Encoder:
        found = self.get_submodule(self.config.model_type)
        assert isinstance(found, Encoder)
        return found


class PreTraining(WithBody):
    """An encoder with both heads of pre-training: transformers' MobileBertForPreTraining and BertForPreTraining."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        body = Encoder(config)
        self.add_module(config.model_type, body)  # "mobilebert" or "bert", as in transformers
        self.cls = Heads(config, body.embeddings.word_embeddings)
        initialise(self, config)

    def forward(
        self,
        ids: Tensor,
        mask: Tensor | None = None,
        types: Tensor | None = None,
        alone: bool = False,
        predict: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Output]:
        """Masked LM logits [B, S, V] (or [M, V], of the M tokens `predict` [B, S]), next sentence logits, output."""
        out: Output = self.body(ids, mask, types, alone=alone)
        h = out.last_hidden_state
        words, relation = self.cls(h if predict is None else h[predict], out.pooled)
        return words, relation, out


def save(model: Encoder | PreTraining, folder: str | Path) -> None:
    """Write config.json and model.safetensors, as transformers does and as mobilebert_rt reads them."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    family = {"mobilebert": "MobileBert", "bert": "Bert"}[model.config.model_type]
    architecture = family + ("ForPreTraining" if isinstance(model, PreTraining) else "Model")
    text = json.dumps(asdict(model.config) | {"architectures": [architecture]}, indent=2)
    (target / "config.json").write_text(text + "\n")
    save_file(stored(model.state_dict()), target / "model.safetensors", metadata={"format": "pt"})


def stored(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a file: the decoder is tied to the word table and its bias to `bias`, so each is stored once."""
    return {name: value.detach().contiguous() for name, value in state_dict.items() if ".decoder." not in name}


def load(model: nn.Module, folder: str | Path) -> None:
    """Read the weights that `save` or transformers wrote for the same class and configuration."""
    tensors = load_file(Path(folder) / "model.safetensors")
    own = {name: value for name, value in model.state_dict().items() if ".decoder." not in name}
    wrong = sorted(own.keys() ^ tensors.keys())
    wrong += [name for name in own.keys() & tensors.keys() if own[name].shape != tensors[name].shape]
    if wrong:
        raise ValueError(f"{folder}: the weights are of another model; different tensors: {', '.join(wrong[:5])}")
    model.load_state_dict(tensors, strict=False)
