"""What is measured: engines, the packages that they need, and models."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OURS = "ours"
TORCH = "torch==2.13.0"  # pinned: other versions install gigabytes of CUDA


@dataclass(frozen=True)
class Peer:
    """One engine at one precision.

    runtime: its module in benchmarks/peers/engines. converter: its kind in convert.py; "" if it reads the Hugging Face
    folder itself. distribution: the package whose version and size are reported; also: what else is imported.
    fixed_length: a model file takes texts of one length, one at a time. dynamic: it takes any, but is faster if told
    the shape. bert_only: it runs plain BERTs, not MobileBERT. vectors: it gives one vector a text, of a model of its
    own; the cosine to the mean of the reference's states is reported, and none is too low.
    """

    name: str
    label: str
    runtime: str
    precision: str
    distribution: str
    converter: str = ""
    suffix: str = ""
    environment: str = "peers"
    fixed_length: bool = False
    also: tuple[str, ...] = ()
    dynamic: bool = False
    bert_only: bool = False
    vectors: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> str:
        """Precision of the model file: bf16 engines read an fp32 file."""
        return "int8" if self.precision == "int8" and self.converter else "fp32"

    @property
    def one_file(self) -> bool:
        """Whether one file serves texts with and without padding, of every length."""
        return self.converter in ("", OURS)


# Converters whose int8 files are made from the Hugging Face folder; those of others from their float file.
DIRECT = (OURS, "ctranslate2", "llama")


def _openvino(name: str, label: str, precision: str, **options: Any) -> Peer:
    return Peer(name, label, "openvino_", precision, "openvino", "openvino", ".xml", dynamic=True, options=options)


def _onnxruntime(name: str, label: str, precision: str) -> Peer:
    return Peer(name, label, "onnxruntime_", precision, "onnxruntime", "onnx", ".onnx", dynamic=True)


def _torch(name: str, label: str, precision: str, **options: Any) -> Peer:
    return Peer(name, label, "pytorch", precision, "torch", also=("transformers",), options=options)


def _litert(name: str, label: str, precision: str) -> Peer:
    return Peer(name, label, "litert", precision, "ai-edge-litert", "litert", ".tflite", fixed_length=True)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("ours-int8", "mobilebert_rt int8", OURS, "int8", "mobilebert-rt", OURS, ".safetensors", OURS),
        Peer("ours-fp32", "mobilebert_rt fp32", OURS, "fp32", "mobilebert-rt", OURS, ".safetensors", OURS),
        _litert("litert-int8", "LiteRT int8 dynamic", "int8"),
        _litert("litert-fp32", "LiteRT fp32", "fp32"),
        _onnxruntime("ort-int8", "ONNX Runtime int8 dynamic", "int8"),
        _onnxruntime("ort-fp32", "ONNX Runtime fp32", "fp32"),
        # int8 leaves the other operations at OpenVINO's default, which is bf16 where the processor has it.
        _openvino("openvino-int8", "OpenVINO int8 (NNCF)", "int8"),
        _openvino("openvino-bf16", "OpenVINO bf16", "bf16", INFERENCE_PRECISION_HINT="bf16"),
        _openvino("openvino-fp32", "OpenVINO fp32", "fp32", INFERENCE_PRECISION_HINT="f32"),
        _torch("torch-int8", "PyTorch int8 dynamic", "int8", quantize=True),
        _torch("torch-fp32", "PyTorch fp32", "fp32"),
        Peer("ct2-int8", "CTranslate2 int8", "ctranslate2_", "int8", "ctranslate2", "ctranslate2", bert_only=True),
        Peer("llama-q8_0", "llama.cpp Q8_0", "llama", "int8", "llama-cpp-python", "llama", ".gguf", bert_only=True),
        # The floor of latency: a look-up.
        Peer(
            "words",
            "mean of word vectors",
            "words",
            "fp32",
            "mobilebert-rt",
            "",
            "",
            OURS,
            bert_only=True,
            vectors=True,
        ),
    )
}

# One `pip install` each, in this order; one that fails does not stop the others.
PACKAGES: tuple[tuple[str, ...], ...] = (
    (TORCH, "transformers>=5,<6", "safetensors>=0.4"),
    (TORCH, "onnx>=1.17", "onnxscript>=0.5", "onnxruntime>=1.20"),
    (TORCH, "openvino>=2025.0", "nncf>=2.15"),
    (TORCH, "litert-torch>=0.6", "ai-edge-litert>=1.4", "ai-edge-quantizer>=0.3"),
    (TORCH, "ctranslate2>=4.8"),
    (TORCH, "gguf>=0.19", "llama-cpp-python>=0.3.36"),  # compiled: it has no wheels
)

# The distributions whose versions determine what a converter writes.
MADE_WITH = {
    "onnx": ("torch", "transformers", "onnx", "onnxscript", "onnxruntime"),
    "openvino": ("torch", "transformers", "openvino", "nncf"),
    "litert": ("torch", "transformers", "litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
    "ctranslate2": ("torch", "transformers", "ctranslate2"),
    "llama": ("safetensors", "gguf"),
    OURS: ("mobilebert-rt", "converter of mobilebert-rt"),
    "": ("torch", "transformers"),
}
