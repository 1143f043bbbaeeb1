"""ELMo (Peters et al. 2018) in PyTorch: the baseline of the paper's table 4, which no engine here runs.

Convolutions over each word's characters, two highway layers and a projection make a word's vector; two layers of LSTMs
with projections, the second with a residual, read the text in each direction.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from benchmarks.peers.engines.interface import Call, Ids, padded


class Elmo(nn.Module):
    """Character ids [B, S, C] to the last layer's states of both directions [B, S, 2 * projection]."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        size, out = config["character_size"], config["projection"]
        wide = sum(count for _, count in config["filters"])
        self.character_embeddings = nn.Embedding(config["characters"], size)
        self.convolutions = nn.ModuleList(nn.Conv1d(size, count, width) for width, count in config["filters"])
        self.highways = nn.ModuleList(nn.Linear(wide, 2 * wide) for _ in range(config["highways"]))
        self.projection = nn.Linear(wide, out)

        def stack() -> nn.ModuleList:
            cells = (nn.LSTM(out, config["cell"], batch_first=True, proj_size=out) for _ in range(config["layers"]))
            return nn.ModuleList(cells)

        self.ahead, self.back = stack(), stack()

    def forward(self, characters: Tensor) -> Tensor:
        words = self._words(characters)
        back = self._run(self.back, words.flip(1)).flip(1)
        return torch.cat([self._run(self.ahead, words), back], dim=-1)

    def _words(self, characters: Tensor) -> Tensor:
        batch, length, count = characters.shape
        x = self.character_embeddings(characters.view(batch * length, count)).transpose(1, 2)
        x = torch.cat([convolution(x).amax(dim=-1).relu() for convolution in self.convolutions], dim=-1)
        for highway in self.highways:
            other, gate = highway(x).chunk(2, dim=-1)
            gate = gate.sigmoid()
            x = gate * x + (1 - gate) * other.relu()
        return self.projection(x).view(batch, length, -1)

    @staticmethod
    def _run(layers: nn.ModuleList, x: Tensor) -> Tensor:
        for i, layer in enumerate(layers):
            y = layer(x)[0]
            x = y if i == 0 else x + y
        return x


class Engine:
    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None:
        torch.set_num_threads(threads)
        self._config = json.loads((Path(file) / "config.json").read_text(encoding="utf-8"))
        self._model = Elmo(self._config).eval()
        self._model.load_state_dict(load_file(Path(file) / "model.safetensors"))

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        ids = torch.from_numpy(padded(texts, length)[0])
        # A word's characters follow from its id; the time does not depend on them.
        places = torch.arange(self._config["characters_per_word"])
        characters = (ids[..., None] * 31 + places * places * 7) % self._config["characters"]

        def call() -> Any:
            with torch.inference_mode():
                return self._model(characters).numpy()

        return call
