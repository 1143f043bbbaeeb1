"""Teachers: read from a Hugging Face folder, checked against a student, and copied into it before training."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, get_num_threads, nn

from mbrt_train.config import Config, bert
from mbrt_train.errors import TrainingError
from mbrt_train.models import Encoder, MaskedLm, Output, PreTraining
from mobilebert_rt import Model

# DistilBERT's names and this package's, replaced in this order.
_DISTILBERT = (
    ("transformer.layer.", "encoder.layer."),
    ("attention.q_lin.", "attention.self.query."),
    ("attention.k_lin.", "attention.self.key."),
    ("attention.v_lin.", "attention.self.value."),
    ("attention.out_lin.", "attention.output.dense."),
    ("sa_layer_norm.", "attention.output.LayerNorm."),
    ("ffn.lin1.", "intermediate.dense."),
    ("ffn.lin2.", "output.dense."),
    ("output_layer_norm.", "output.LayerNorm."),
    ("vocab_transform.", "cls.predictions.transform.dense."),
    ("vocab_layer_norm.", "cls.predictions.transform.LayerNorm."),
    ("vocab_projector.", "cls.predictions."),
)
_KNOWN = {field.name for field in fields(Config)}


@dataclass
class Teacher:
    """A frozen encoder, and its masked LM head if the checkpoint has one."""

    name: str
    body: Encoder
    predictions: MaskedLm | None
    engine: Model | None = None

    @torch.no_grad()
    def states(self, ids: Tensor, mask: Tensor, types: Tensor, depth: int | None = None) -> Output:
        """Output for each text run alone; from the engine, if one was given, without attention scores."""
        if self.engine is None:
            found: Output = self.body(ids, mask, types, alone=True, depth=depth)
            return found
        given = self.engine(ids.cpu().numpy(), mask.cpu().numpy(), types.cpu().numpy(), output_hidden_states=True)
        assert given.hidden_states is not None
        states = given.hidden_states[: None if depth is None else depth + 1]
        return Output([torch.from_numpy(np.asarray(state)).to(ids.device) for state in states])

    def by_engine(self, precision: str) -> Teacher:
        """The same teacher with states computed by the engine, with torch's number of threads."""
        return replace(
            self, engine=Model.from_pretrained(self.name, precision=precision, num_threads=get_num_threads())
        )

    @property
    def config(self) -> Config:
        return self.body.config

    def to(self, device: torch.device) -> Teacher:
        for part in (self.body, self.predictions):
            if part is not None:
                part.to(device).eval().requires_grad_(False)
        return self


def read_config(folder: Path) -> Config:
    """config.json of transformers' BERT, DistilBERT or MobileBERT; missing keys have transformers' defaults."""
    path = folder / "config.json"
    if not path.is_file():
        raise TrainingError(f"{folder}: no config.json. Give the folder of a saved BERT or MobileBERT.")
    raw: dict[str, Any] = json.loads(path.read_text())
    family = raw.get("model_type")
    known = {key: value for key, value in raw.items() if key in _KNOWN and value is not None}
    if family == "mobilebert":
        return Config(**{"classifier_activation": True} | known)
    if family == "bert":
        known.pop("model_type")
        hidden = known.pop("hidden_size", 768)
        plain = {"classifier_activation": True, "embedding_size": hidden, "intermediate_size": 3072}
        sizes = (known.pop("num_hidden_layers", 12), known.pop("num_attention_heads", 12))
        return bert(hidden, *sizes, **plain | known)
    if family == "distilbert":
        same = ("vocab_size", "max_position_embeddings", "pad_token_id")
        shared: dict[str, Any] = {key: known[key] for key in same if key in known}
        shared |= {"intermediate_size": raw.get("hidden_dim", 3072), "hidden_act": raw.get("activation", "gelu")}
        return bert(raw.get("dim", 768), raw.get("n_layers", 6), raw.get("n_heads", 12), **shared)
    raise TrainingError(
        f"{path}: model_type is {family!r}; expected bert, distilbert or mobilebert (including IB-BERT)."
    )


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """The weights of a folder: model.safetensors, its shards, or pytorch_model.bin (loaded with weights_only)."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        files = [folder / "model.safetensors"]
    elif index.is_file():
        names: dict[str, str] = json.loads(index.read_text())["weight_map"]
        files = [folder / name for name in sorted(set(names.values()))]
    elif (folder / "pytorch_model.bin").is_file():
        loaded: dict[str, Tensor] = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
        return loaded
    else:
        raise TrainingError(f"{folder}: no model.safetensors. Save the teacher with transformers' save_pretrained.")
    tensors: dict[str, Tensor] = {}
    for file in files:
        tensors |= load_file(file)
    return tensors


def load_teacher(folder: str | Path) -> Teacher:
    """Read a teacher: encoder with or without pooler, and its masked LM head if it has one. Raises TrainingError."""
    source = Path(folder)
    config = read_config(source)
    tensors = _our_names(read_tensors(source), config)
    body = Encoder(config, pooling="pooler.dense.weight" in tensors or not config.classifier_activation)
    _fill(body, tensors, source)
    head = None
    if "cls.predictions.transform.dense.weight" in tensors:
        head = MaskedLm(config, body.embeddings.word_embeddings)
        _fill(head, {name.removeprefix("cls.predictions."): value for name, value in tensors.items()}, source)
    return Teacher(str(folder), body.eval(), None if head is None else head.eval()).to(torch.device("cpu"))


def _our_names(tensors: dict[str, Tensor], config: Config) -> dict[str, Tensor]:
    """Float tensors without the family's prefix, under the names of this package's models."""
    found = {}
    for stored, value in tensors.items():
        name = stored.removeprefix(config.model_type + ".").removeprefix("distilbert.")
        if name.endswith(("LayerNorm.gamma", "LayerNorm.beta")):  # as TensorFlow had them
            name = name.replace("gamma", "weight").replace("beta", "bias")
        for theirs, ours in _DISTILBERT:
            name = name.replace(theirs, ours)
        found[name] = value.float()
    if any("q_lin" in stored for stored in tensors):  # DistilBERT has no token types
        found["embeddings.token_type_embeddings.weight"] = torch.zeros(config.type_vocab_size, config.hidden_size)
    return found


def _fill(module: nn.Module, tensors: dict[str, Tensor], source: Path) -> None:
    own = {name: value for name, value in module.state_dict().items() if not name.startswith("decoder.")}
    missing = [name for name in own if name not in tensors]
    if missing:
        raise TrainingError(f"{source}: tensors missing: {', '.join(missing[:3])}; config.json requires them.")
    for name, value in own.items():
        if tensors[name].shape != value.shape:
            raise TrainingError(
                f"{source}: {name} has shape {list(tensors[name].shape)}; config.json requires {list(value.shape)}."
            )
    module.load_state_dict({name: tensors[name] for name in own}, strict=False)


def check_fit(teacher: Teacher, student: Config) -> None:
    """Raises TrainingError if feature or attention maps differ in width or heads: they are compared unprojected."""
    t = teacher.config
    wrong = []
    if t.hidden_size != student.hidden_size:
        wrong.append(f"hidden_size {student.hidden_size} (teacher: {t.hidden_size})")
    if t.num_attention_heads != student.num_attention_heads:
        wrong.append(f"num_attention_heads {student.num_attention_heads} (teacher: {t.num_attention_heads})")
    if t.num_hidden_layers % student.num_hidden_layers:
        wrong.append(
            f"num_hidden_layers {student.num_hidden_layers} (not a divisor of the teacher's {t.num_hidden_layers})"
        )
    if t.vocab_size != student.vocab_size:
        wrong.append(f"vocab_size {student.vocab_size} (teacher: {t.vocab_size})")
    if not wrong:
        return
    heads, layers = t.num_attention_heads, t.num_hidden_layers
    divisors = ", ".join(str(n) for n in range(1, layers + 1) if layers % n == 0)
    widths = ", ".join(str(heads * width) for width in (8, 16, 32))
    raise TrainingError(
        f"the student does not match the teacher {teacher.name}: it has {'; '.join(wrong)}. Use "
        f"hidden_size = {t.hidden_size}, num_attention_heads = {heads}, vocab_size = {t.vocab_size}, num_hidden_layers "
        f"one of {divisors}, and as intra_bottleneck_size a multiple of {heads}, such as {widths}."
    )


def layer_map(teacher: Config, student: Config) -> list[int]:
    """For each student block the teacher block that it learns from: every n-th, including the last."""
    step = teacher.num_hidden_layers // student.num_hidden_layers
    return [step * (i + 1) - 1 for i in range(student.num_hidden_layers)]


@torch.no_grad()
def inherit(teacher: Teacher, student: PreTraining) -> list[str]:
    """Copy embeddings and heads from the teacher; returns the names of the tensors that were set.

    Tables and heads of the same name and shape are copied. A word table of another width is factorised (`factorise`).
    If the teacher's embeddings have LayerNorm and the student's NoNorm, NoNorm is initialised with the affine map of
    LayerNorm for a word of average standard deviation. The row of [PAD] stays zero: the engine has no padding.
    """
    theirs = teacher.body.state_dict()
    if teacher.predictions is not None:
        theirs |= {f"cls.predictions.{name}": value for name, value in teacher.predictions.state_dict().items()}
    body = student.body
    done = []
    for name, value in student.state_dict().items():
        key = name.removeprefix(student.config.model_type + ".")
        if key.startswith(("encoder.", "embeddings.LayerNorm.")):
            continue
        if key in theirs and theirs[key].shape == value.shape:
            value.copy_(theirs[key])
            done.append(name)
    same_path = teacher.body.embeddings.projected == body.embeddings.projected
    if not same_path or teacher.config.embedding_size != student.config.embedding_size:
        done += factorise(teacher, body)
    done += _inherit_norm(teacher, body)
    pad = student.config.pad_token_id
    body.embeddings.word_embeddings.weight[pad] = 0
    return done


def factorise(teacher: Teacher, student: Encoder) -> list[str]:
    """Factorise the teacher's word table [V, E_t] into a table [V, E] and a projection [H, E]: least squared error.

    Singular value decomposition: U S becomes the table and V the projection, whose other two trigram taps are 0.
    Raises TrainingError if the student has no projection, the teacher has one, or the student's words are wider.
    """
    target, config = student.embeddings, student.config
    words = teacher.body.embeddings.word_embeddings.weight
    width = config.embedding_size
    if teacher.body.embeddings.projected or not target.projected or width > words.shape[1]:
        raise TrainingError(
            f"embedding_size is {width} in the student, {words.shape[1]} in the teacher; they can be factorised only "
            "if the teacher has no projection and the student projects narrower words. Use the same embedding_size."
        )
    _, vectors = torch.linalg.eigh(words.double().T @ words.double())  # ascending
    basis = vectors[:, -width:].flip(1)  # [E_t = H, E]
    target.word_embeddings.weight.copy_((words.double() @ basis).float())
    projection = target.embedding_transformation
    projection.weight.zero_()
    projection.bias.zero_()
    start = width if config.trigram_input else 0  # [next, current, previous]
    projection.weight[:, start : start + width] = basis.float()
    return ["embeddings.word_embeddings.weight", "embeddings.embedding_transformation.weight"]


def _inherit_norm(teacher: Teacher, student: Encoder) -> list[str]:
    theirs, own = teacher.body.embeddings, student.embeddings
    weight, bias = theirs.LayerNorm.weight, theirs.LayerNorm.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    if student.config.normalization_type == teacher.config.normalization_type:
        own.LayerNorm.weight.copy_(weight)  # type: ignore[operator]
        own.LayerNorm.bias.copy_(bias)  # type: ignore[operator]
        return ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
    if student.config.normalization_type == "layer_norm":
        return []
    ids = torch.arange(min(student.config.vocab_size, 1 << 15))[:, None]
    words = theirs.word_embeddings(ids)[:, 0]
    if theirs.config.trigram_input:
        words = torch.cat([torch.zeros_like(words), words, torch.zeros_like(words)], dim=-1)
    if theirs.projected:
        words = theirs.embedding_transformation(words)
    sums = words + theirs.position_embeddings.weight[1] + theirs.token_type_embeddings.weight[0]
    mean, spread = sums.mean(), sums.std(-1).mean()
    own.LayerNorm.weight.copy_(weight / spread)  # type: ignore[operator]
    own.LayerNorm.bias.copy_(bias - weight * mean / spread)  # type: ignore[operator]
    return ["embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"]
