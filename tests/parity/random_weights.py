"""Random weights that keep a signal through 24 layers, for every torch model of the family."""

from __future__ import annotations

import re
from typing import Any

import torch

# Layers whose result joins a residual, and those that attention compares, as each family names them.
BRANCH = re.compile(r"(output\.dense|output\.bottleneck\.dense|out_lin|lin2|c_proj)\.weight$")
QUERY_KEY = re.compile(r"(query|key|q_lin|k_lin|c_attn)\.weight$")
NORM = re.compile(r"(norm|ln_\d)\.weight$", re.IGNORECASE)
CONV1D = re.compile(r"\.c_\w+\.weight$")  # OpenAI GPT's linear layers are [inputs, outputs]


def randomise(model: Any, seed: int = 0) -> None:
    """A random value for every parameter, such that states stay near 1 and tokens stay apart.

    Branches add 0.4 of the stream's size, which NoNorm's weights (0.9 on average) take off again; every tenth of
    these is negative. The rows of a branch have mean 0, because activations have one, which would draw all tokens the
    same way. Queries and keys are large enough to prefer some tokens. Biases are never 0, and the row of [PAD] is as
    large as any other.
    """
    random = torch.Generator().manual_seed(seed)
    tables = {id(part.weight) for part in model.modules() if isinstance(part, torch.nn.Embedding)}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            inputs = 0 if CONV1D.search(name) else 1
            if NORM.search(name):
                parameter.uniform_(0.5, 1.3, generator=random)
                parameter[::10] *= -1
            elif name in ("classifier.bias", "cls.seq_relationship.bias"):
                # A row of one or two logits that happen to be near 0 has no relative error to speak of.
                parameter.uniform_(3, 4, generator=random)
            elif parameter.ndim == 1:
                parameter.normal_(0, 0.1, generator=random)
            elif id(parameter) in tables:
                parameter.normal_(0, 0.7, generator=random)
            else:
                parameter.normal_(0, parameter.shape[inputs] ** -0.5, generator=random)
            if QUERY_KEY.search(name):
                parameter.mul_(1.2)
            elif BRANCH.search(name):
                parameter.sub_(parameter.mean(dim=inputs, keepdim=True)).mul_(0.4)
