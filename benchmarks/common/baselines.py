"""config.json and tensors of the baselines in the paper's table 4 that are no BERTs: OpenAI GPT and ELMo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = tuple[int, ...]
GPT, ELMO = "openai-gpt", "elmo"


def gpt(**changes: Any) -> dict[str, Any]:
    """config.json of openai-gpt, with changes."""
    return {
        "model_type": GPT,
        "architectures": ["OpenAIGPTModel"],
        "vocab_size": 40478,
        "n_positions": 512,
        "n_embd": 768,
        "n_layer": 12,
        "n_head": 12,
        "afn": "gelu",
        "layer_norm_epsilon": 1e-5,
        **changes,
    }


def gpt_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Every tensor as transformers names it; linear layers are [in, out]."""
    n = config["n_embd"]
    found: dict[str, Shape] = {
        "tokens_embed.weight": (config["vocab_size"], n),
        "positions_embed.weight": (config["n_positions"], n),
    }
    layers = {"attn.c_attn": (n, 3 * n), "attn.c_proj": (n, n), "mlp.c_fc": (n, 4 * n), "mlp.c_proj": (4 * n, n)}
    for i in range(config["n_layer"]):
        for name, shape in layers.items():
            found |= {f"h.{i}.{name}.weight": shape, f"h.{i}.{name}.bias": shape[1:]}
        for norm in ("ln_1", "ln_2"):
            found |= {f"h.{i}.{norm}.weight": (n,), f"h.{i}.{norm}.bias": (n,)}
    return found


def elmo(**changes: Any) -> dict[str, Any]:
    """Sizes of the published ELMo (Peters et al. 2018, 93.6 million parameters), with changes.

    filters: (width, number) of each convolution over a word's characters; cell: of an LSTM, whose output and input have
    `projection` values.
    """
    return {
        "model_type": ELMO,
        "characters": 262,
        "characters_per_word": 50,
        "character_size": 16,
        "filters": [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]],
        "highways": 2,
        "layers": 2,
        "cell": 4096,
        "projection": 512,
        **changes,
    }


def elmo_shapes(config: Mapping[str, Any]) -> dict[str, Shape]:
    """Every tensor as benchmarks/peers/engines/elmo.py names it."""
    size, out, cell = config["character_size"], config["projection"], config["cell"]
    wide = sum(count for _, count in config["filters"])
    found: dict[str, Shape] = {"character_embeddings.weight": (config["characters"], size)}
    for i, (width, count) in enumerate(config["filters"]):
        found |= {f"convolutions.{i}.weight": (count, size, width), f"convolutions.{i}.bias": (count,)}
    for i in range(config["highways"]):
        found |= {f"highways.{i}.weight": (2 * wide, wide), f"highways.{i}.bias": (2 * wide,)}
    found |= {"projection.weight": (out, wide), "projection.bias": (out,)}
    for direction in ("ahead", "back"):
        for i in range(config["layers"]):
            at = f"{direction}.{i}."
            found |= {at + f"weight_{source}_l0": (4 * cell, out) for source in ("ih", "hh")}
            found |= {at + f"bias_{source}_l0": (4 * cell,) for source in ("ih", "hh")}
            found[at + "weight_hr_l0"] = (out, cell)
    return found
