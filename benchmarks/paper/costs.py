"""What a configuration costs: parameters, and floating-point operations."""

from __future__ import annotations

from math import prod

from benchmarks.common.baselines import ELMO, GPT
from benchmarks.common.configs import Config, body_size, shapes
from benchmarks.common.random_weights import is_table


def parameters(config: Config) -> int:
    """All of the encoder's, the pooler's included where it has one."""
    return sum(prod(shape) for shape in shapes(config).values())


def flops(config: Config, length: int) -> int:
    """Of one text: twice the multiply-accumulates of all products, attention's included.

    Table look-ups, biases, norms, activations and softmax are left out, and so is the pooler, which reads one token.
    """
    dense: int = sum(
        2 * length * prod(shape) * _times(config, shape)
        for name, shape in shapes(config).items()
        if len(shape) >= 2 and not is_table(name) and not name.startswith("pooler.")
    )
    if config["model_type"] == ELMO:
        return dense
    causal = config["model_type"] == GPT
    pairs = length * (length + 1) // 2 if causal else length * length
    attention = 2 * 2 * pairs * body_size(config)  # scores, and the weighted sum of values
    return dense + int(config["n_layer" if causal else "num_hidden_layers"]) * attention


def _times(config: Config, shape: tuple[int, ...]) -> int:
    """How often a token is multiplied with a tensor: once, or at each place of a convolution over its characters."""
    return 1 if len(shape) == 2 else int(config["characters_per_word"]) - shape[2] + 1
