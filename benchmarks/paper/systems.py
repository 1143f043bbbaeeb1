"""The encoders of the paper: their configurations, and the published columns.

Sun et al. 2020, "MobileBERT: a Compact Task-Agnostic BERT for Resource-Limited Devices", tables 1, 4 and 7. Its
latencies are of a Pixel 4, TensorFlow Lite, four threads, 128 tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.common.baselines import elmo, gpt
from benchmarks.common.configs import TEACHER, TINY, WITHOUT_OPT, Config, bert, mobilebert

LENGTH = 128


@dataclass(frozen=True)
class System:
    """One row: a short key, its name in the paper, its configuration, the published columns.

    Parameters in millions, FLOPs in billions; None where the paper prints nothing.
    """

    key: str
    name: str
    config: Config
    parameters: float | None = None
    flops: float | None = None
    milliseconds: float | None = None
    glue: float | None = None
    note: str = ""


# Table 4 from top to bottom, then the two teachers of table 1 and the MobileBERT that its figures describe.
SYSTEMS = (
    System(
        "elmo",
        "ELMo-BiLSTM-Attn",
        elmo(),
        glue=70.0,
        note="a baseline, in PyTorch fp32: ELMo without the BiLSTM with attention that GLUE has behind it",
    ),
    System("gpt", "OpenAI GPT", gpt(), 109, glue=76.9, note="with the released vocabulary of 40,478"),
    System("bert-base", "BERT_BASE", bert(768, 12, 12), 109, 22.5, 342, 78.3),
    System("pkd-6l", "BERT_BASE-6L-PKD", bert(768, 6, 12), 66.5, 11.3),
    System("pkd-4l", "BERT_BASE-4L-PKD", bert(768, 4, 12), 52.2, 7.6),
    System("pkd-3l", "BERT_BASE-3L-PKD", bert(768, 3, 12), 45.3, 5.7),
    System("distilbert-6l", "DistilBERT-6L", bert(768, 6, 12), 62.2, 11.3, note="the shape of BERT_BASE-6L-PKD"),
    System("distilbert-4l", "DistilBERT-4L", bert(768, 4, 12), 52.2, 7.6, note="the shape of BERT_BASE-4L-PKD"),
    System("tinybert", "TinyBERT", bert(312, 4, 12, 1200), 14.5, 1.2, None, 75.4),
    System("tiny", "MobileBERT_TINY", mobilebert(**TINY), 15.1, 3.1, 40, 75.8, note="as its released JSON"),
    System("mobilebert", "MobileBERT", mobilebert(), 25.3, 5.7, 62, 77.7, note="as its released JSON"),
    System("without-opt", "MobileBERT w/o OPT", mobilebert(**WITHOUT_OPT), 25.3, 5.7, 192, 78.5),
    System(
        "mobilebert-paper",
        "MobileBERT of table 1",
        mobilebert(key_query_shared_bottleneck=False),
        25.3,
        5.7,
        note="query and key read the 512-wide stream, as the paper says and the released model does not",
    ),
    System("ib-bert-large", "IB-BERT_LARGE", mobilebert(**TEACHER), 293, note="the teacher, table 1"),
    System("bert-large", "BERT_LARGE", bert(1024, 24, 16), 334, note="table 1"),
)

# Table 7: the effect of each operational optimisation. Two of the four are systems of table 4.
OPTIMISATIONS = (
    System("without-opt", "LayerNorm + GELU", mobilebert(**WITHOUT_OPT), milliseconds=192),
    System("layernorm-relu", "LayerNorm + ReLU", mobilebert(normalization_type="layer_norm"), milliseconds=167),
    System("nonorm-gelu", "NoNorm + GELU", mobilebert(hidden_act="gelu"), milliseconds=92),
    System("mobilebert", "NoNorm + ReLU", mobilebert(), milliseconds=62),
)


def by_key(key: str) -> Config:
    """Configuration of a system. Raises KeyError for an unknown one."""
    found = {system.key: system.config for system in (*SYSTEMS, *OPTIMISATIONS)}
    return found[key]
