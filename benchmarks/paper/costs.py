"""What a configuration costs: parameters, and floating-point operations."""

from __future__ import annotations

from math import prod

from benchmarks.common.configs import Config, body_size, shapes


def parameters(config: Config) -> int:
    """All of the encoder's, the pooler's included where it has one."""
    return sum(prod(shape) for shape in shapes(config).values())


def flops(config: Config, length: int) -> int:
    """Of one text: twice the multiply-accumulates of all products, attention's included.

    Table look-ups, biases, norms, activations and softmax are left out, and so is the pooler, which reads one token.
    """
    dense: int = sum(
        2 * length * prod(shape)
        for name, shape in shapes(config).items()
        if len(shape) == 2 and "_embeddings." not in name and not name.startswith("pooler.")
    )
    attention = 2 * 2 * length * length * body_size(config)  # scores, and the weighted sum of values
    return dense + int(config["num_hidden_layers"]) * attention
