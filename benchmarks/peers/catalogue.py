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
    the shape.
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
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> str:
        """Precision of the model file: bf16 engines read an fp32 file."""
        return "int8" if self.precision == "int8" and self.converter else "fp32"

    @property
    def one_file(self) -> bool:
        """Whether one file serves texts with and without padding, of every length."""
        return self.converter in ("", OURS)


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
    )
}

# One `pip install` each, in this order; one that fails does not stop the others.
PACKAGES: tuple[tuple[str, ...], ...] = (
    (TORCH, "transformers>=5,<6", "safetensors>=0.4"),
    (TORCH, "onnx>=1.17", "onnxscript>=0.5", "onnxruntime>=1.20"),
    (TORCH, "openvino>=2025.0", "nncf>=2.15"),
    (TORCH, "litert-torch>=0.6", "ai-edge-litert>=1.4", "ai-edge-quantizer>=0.3"),
)

# The distributions whose versions determine what a converter writes.
MADE_WITH = {
    "onnx": ("torch", "transformers", "onnx", "onnxscript", "onnxruntime"),
    "openvino": ("torch", "transformers", "openvino", "nncf"),
    "litert": ("torch", "transformers", "litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
    OURS: ("mobilebert-rt", "converter of mobilebert-rt"),
    "": ("torch", "transformers"),
}
