"""Malformed model files: each case is an error that names what is wrong.

CASES maps a name to a function that returns the file, and to words of the message. The files are small int8
MobileBERT and fp32 BERT models with one error each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tests.model.make_model_file import (
    SMALL,
    Array,
    assemble,
    data_of,
    describe,
    make_file,
    make_metadata,
    make_tensors,
)

WORD = "embeddings.word.weight"
QUERY = "encoder.layer.1.attention.query"
NAN, INF = float("nan"), float("inf")


@cache
def _tensors(kind: str) -> dict[str, Array]:
    return make_tensors(SMALL[kind], seed=1)


@dataclass
class Draft:
    """The parts of a file, to be changed before they are assembled."""

    config: dict[str, Any]
    tensors: dict[str, Array]
    metadata: dict[str, Any]
    entries: dict[str, Any]

    @classmethod
    def of(cls, kind: str = "mobilebert_int8") -> Draft:
        tensors = {name: array.copy() for name, array in _tensors(kind).items()}
        config = dict(SMALL[kind])
        return cls(config, tensors, dict(make_metadata(config)), describe(tensors))

    def header(self) -> str:
        return json.dumps({"__metadata__": self.metadata} | self.entries)

    def file(self) -> bytes:
        return assemble(self.header(), data_of(self.tensors))


Change = Callable[[Draft], Any]


def _draft(change: Change, kind: str = "mobilebert_int8") -> Callable[[], bytes]:
    """The file after a change of its parts."""

    def build() -> bytes:
        draft = Draft.of(kind)
        change(draft)
        return draft.file()

    return build


def _tensors_changed(change: Change, kind: str = "mobilebert_int8") -> Callable[[], bytes]:
    """The same, with the header describing the changed tensors."""

    def build() -> bytes:
        draft = Draft.of(kind)
        change(draft)
        draft.entries = describe(draft.tensors)
        return draft.file()

    return build


def _value(name: str, index: tuple[int, ...], value: float, kind: str = "mobilebert_int8") -> Callable[[], bytes]:
    return _draft(lambda d: d.tensors[name].__setitem__(index, value), kind)


def _config(kind: str = "mobilebert_int8", **changes: Any) -> Callable[[], bytes]:
    """Another configuration over the same tensors; None removes a key."""

    def change(draft: Draft) -> None:
        config = {key: value for key, value in (draft.config | changes).items() if value is not None}
        draft.metadata["config"] = json.dumps(config)

    return _draft(change, kind)


def with_metadata(**changes: Any) -> Callable[[], bytes]:
    def change(draft: Draft) -> None:
        draft.metadata = {key: value for key, value in (draft.metadata | changes).items() if value is not None}

    return _draft(change)


def _entry(name: str, **changes: Any) -> Callable[[], bytes]:
    return _draft(lambda d: d.entries[name].update(changes))


def _shifted(name: str, begin: int, end: int) -> Callable[[], bytes]:
    def change(draft: Draft) -> None:
        offsets = draft.entries[name]["data_offsets"]
        draft.entries[name]["data_offsets"] = [offsets[0] + begin, offsets[1] + end]

    return _draft(change)


def _text(old: str, new: str | bytes) -> Callable[[], bytes]:
    """The header's text with one piece replaced."""

    def build() -> bytes:
        draft = Draft.of()
        text = draft.header()
        assert old in text
        before, after = text.split(old, 1)
        middle = new.encode() if isinstance(new, str) else new
        return assemble(before.encode() + middle + after.encode(), data_of(draft.tensors))

    return build


def _header(text: str | bytes) -> Callable[[], bytes]:
    return lambda: assemble(text, bytes(64))


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    return lambda: change(make_file(SMALL["mobilebert_int8"], seed=1))


def _length(value: int) -> Callable[[], bytes]:
    return _bytes(lambda file: value.to_bytes(8, "little") + file[8:])


def _renamed(draft: Draft, old: str, new: str) -> None:
    draft.tensors = {new if name == old else name: array for name, array in draft.tensors.items()}


def _gap(draft: Draft) -> None:
    """64 bytes that belong to no tensor before the last one."""
    *_, name = draft.tensors
    offsets = draft.entries[name]["data_offsets"]
    draft.entries[name]["data_offsets"] = [offset + 64 for offset in offsets]
    last = draft.tensors.pop(name)
    draft.tensors |= {"gap": np.zeros(16, np.float32), name: last}


def _other_type(draft: Draft) -> None:
    """The same number of bytes with the other type."""
    draft.entries[WORD]["dtype"] = "F32"
    draft.entries[WORD]["shape"][0] //= 4


def _unaligned_header() -> bytes:
    draft = Draft.of()
    text = draft.header().encode()
    text += b" " * (8 - len(text) % 64 % 8)
    text += b" " * 8 * (len(text) % 64 == 56)
    return len(text).to_bytes(8, "little") + text + data_of(draft.tensors)


Case = tuple[Callable[[], bytes], str]

CONTAINER: dict[str, Case] = {
    "empty": (lambda: b"", "found an empty file; expected a model file"),
    "seven_bytes": (lambda: b"\x40" + bytes(6), "the file has 7 bytes"),
    "only_a_length": (lambda: bytes(8), "expected an opening brace"),
    "truncated_in_header": (_bytes(lambda file: file[:100]), "header length"),
    "truncated_in_data": (_bytes(lambda file: file[:-64]), 'tensor "next_sentence.bias": bytes'),
    "one_byte_short": (_bytes(lambda file: file[:-1]), 'tensor "next_sentence.bias": bytes'),
    "one_byte_long": (_bytes(lambda file: file + b"\0"), "the last tensor ends at byte"),
    "64_bytes_long": (_bytes(lambda file: file + bytes(64)), "the last tensor ends at byte"),
    "header_length_past_end": (_length(1 << 20), "header length 1,048,576; the file has"),
    "header_length_100_mb": (_length(100_000_001), "header length 100,000,001; the file has"),
    "header_length_2_64": (_length((1 << 64) - 1), "header length 18,446,744,073,709,551,615"),
    "header_length_2_64_minus_8": (_length((1 << 64) - 8), "header length"),
    "header_one_shorter": (
        _bytes(lambda f: (int.from_bytes(f[:8], "little") - 1).to_bytes(8, "little") + f[8:]),
        "64",
    ),
    "zip": (_bytes(lambda file: b"PK\x03\x04" + file[4:]), "found a zip file, as torch.save writes"),
}

JSON: dict[str, Case] = {
    "array": (_header("[]"), "expected an opening brace"),
    "leading_space": (_header(" {}"), "expected an opening brace"),
    "byte_order_mark": (_header("\ufeff{}"), "expected an opening brace"),
    "unclosed": (_header("{"), "expected a key"),
    "two_values": (_header("{}{}"), "data after the end"),
    "trailing_comma": (_header('{"__metadata__":{"a":"b"},}'), "expected a key"),
    "leading_comma": (_header('{,"__metadata__":{}}'), "expected a key"),
    "missing_colon": (_header('{"__metadata__"{}}'), "expected a colon"),
    "single_quotes": (_header("{'a':{}}"), "expected a key"),
    "deep_arrays": (_header('{"a":{"shape":' + "[" * 100_000), "expected a number"),
    "deep_objects": (_header('{"a":' * 100_000), "unknown key"),
    "metadata_not_strings": (_header('{"__metadata__":{"a":1}}'), "expected a string"),
    "metadata_twice": (_header('{"__metadata__":{},"__metadata__":{}}'), "duplicate key"),
    "metadata_key_twice": (_text('"format":', '"format": "x", "format":'), "duplicate key"),
    "tensor_twice": (_text('"next_sentence.bias":', '"next_sentence.weight":'), "duplicate name"),
    "tensor_not_object": (_header('{"a":1}'), "expected an object"),
    "tensor_key_twice": (_text('"dtype":', '"dtype": "I8", "dtype":'), "duplicate key"),
    "tensor_unknown_key": (_text('"dtype":', '"kind": "I8", "dtype":'), "unknown key"),
    "tensor_without_shape": (_header('{"a":{"dtype":"F32","data_offsets":[0,64]}}'), 'the header has no "shape"'),
    "negative_shape": (_header('{"a":{"shape":[-1]}}'), "not negative"),
    "fractional_shape": (_header('{"a":{"shape":[1.0]}}'), "whole number"),
    "exponent_shape": (_header('{"a":{"shape":[1e2]}}'), "whole number"),
    "leading_zero": (_header('{"a":{"shape":[01]}}'), "leading zero"),
    "2_64": (_header('{"a":{"shape":[18446744073709551616]}}'), "too large"),
    "thousand_digits": (_header('{"a":{"shape":[' + "9" * 1000 + "]}}"), "longer than 64"),
    "nine_dimensions": (_header('{"a":{"shape":[1,1,1,1,1,1,1,1,1]}}'), "more than 8"),
    "one_offset": (_header('{"a":{"data_offsets":[0]}}'), "expected two offsets"),
    "three_offsets": (_header('{"a":{"data_offsets":[0,64,64]}}'), "more than two offsets"),
    "not_utf8": (_header(b'{"\xff":{}}'), "not UTF-8"),
    "overlong_utf8": (_header(b'{"\xc0\xaf":{}}'), "not UTF-8"),
    "surrogate_utf8": (_header(b'{"\xed\xa0\x80":{}}'), "not UTF-8"),
    "cut_utf8": (_header(b'{"\xe2\x82":{}}'), "not UTF-8"),
    "control_in_string": (_header('{"a\n":{}}'), "control character"),
    "unknown_escape": (_header('{"\\x41":{}}'), "unknown escape"),
    "short_escape": (_header('{"\\u12":{}}'), "hexadecimal"),
    "lone_high_surrogate": (_header('{"\\ud800":{}}'), "high surrogate"),
    "lone_low_surrogate": (_header('{"\\udc00":{}}'), "low surrogate"),
    "unended_string": (_header('{"abc'), "unterminated string"),
}

LAYOUT: dict[str, Case] = {
    "f16": (_entry(WORD, dtype="F16"), 'type "F16"; expected F32 or I8'),
    "hostile_type": (_entry(WORD, dtype="\x1b[31m" * 1000), 'type "\\x1b[31m'),
    "empty_dimension": (_entry(WORD, shape=[0, 16]), "shape 0 x 16 is empty"),
    "huge_shape": (_entry(WORD, shape=[1 << 32, 1 << 32, 2]), "needs over 2^64"),
    "huge_shape_that_wraps": (_entry(WORD, shape=[(1 << 64) - 1, 64]), "needs over 2^64"),
    "shape_too_small": (
        _entry(WORD, shape=[36, 16]),
        f'"{WORD}": 640 bytes; its shape 36 x 16 I8 needs 576',
    ),
    "shape_too_large": (_entry(WORD, shape=[44, 16]), "needs 704"),
    "offsets_backwards": (_entry(WORD, data_offsets=[64, 0]), "bytes 64 to 0 of the data; the file has"),
    "offset_2_64": (
        _entry(WORD, data_offsets=[0, (1 << 64) - 1]),
        "bytes 0 to 18,446,744,073,709,551,615",
    ),
    "overlap": (_shifted(QUERY + ".bias", -64, -64), "overlap before byte"),
    "gap": (_draft(_gap), "gap before byte"),
    "misaligned": (_shifted(QUERY + ".bias", -4, -4), "multiples of 64"),
    "header_not_aligned": (_unaligned_header, "expected a multiple of 64"),
    "no_tensors": (_tensors_changed(lambda d: d.tensors.clear()), f'"{WORD}": missing'),
}

SET: dict[str, Case] = {
    "missing": (_tensors_changed(lambda d: d.tensors.pop(QUERY + ".bias")), f'"{QUERY}.bias": missing'),
    "unexpected": (
        _tensors_changed(lambda d: d.tensors.update(spare=np.zeros(16, np.float32))),
        '"spare": not part of the configured model',
    ),
    "renamed": (
        _tensors_changed(lambda d: _renamed(d, QUERY + ".bias", QUERY + ".offset")),
        "missing; the configuration needs it",
    ),
    "hostile_name": (
        _tensors_changed(lambda d: d.tensors.update({"\x1b[2J" + "x" * 5000: np.zeros(16, np.float32)})),
        '...": not part of',
    ),
    "other_type": (_draft(_other_type), 'type "F32"; the configuration needs I8'),
    "transposed": (_entry(QUERY + ".weight", shape=[4, 1, 16, 4]), "shape 4 x 1 x 16 x 4"),
    "flattened": (_entry(QUERY + ".weight", shape=[256]), "shape 256"),
    "one_layer_more": (_config(num_layers=3), '"encoder.layer.2.bottleneck.input.weight": missing'),
    "one_layer_less": (_config("bert", num_layers=1), '"encoder.layer.1.attention.key.bias": not part of'),
    "other_precision": (_config(precision="fp32"), 'type "I8"; the configuration needs F32'),
    "embedding_norm_too_many": (_config("bert", embedding_norm=False), '"embeddings.norm.bias": not part of'),
    "embedding_norm_missing": (_config("gpt", embedding_norm=None), '"embeddings.norm.weight": missing'),
    "other_width": (_config(embedding_size=17), "the configuration needs 40 x 32"),
}

VALUES: dict[str, Case] = {
    "nan_scale": (
        _value(QUERY + ".scale", (3,), NAN),
        f'"{QUERY}.scale": element 3 is infinite or NaN',
    ),
    "infinite_scale": (_value(QUERY + ".scale", (3,), INF), "element 3 is infinite or NaN"),
    "zero_scale": (_value(QUERY + ".scale", (3,), 0), "element 3 is a scale of 0 or less"),
    "negative_scale": (_value(QUERY + ".scale", (3,), -1), "element 3 is a scale of 0 or less"),
    "scale_in_padding": (_value(QUERY + ".scale", (15,), 1), "element 15 is padding and not zero"),
    "zero_word_scale": (
        _value("embeddings.word.scale", (36,), 0),
        "element 36 is a scale of 0 or less",
    ),
    "zero_hidden_scale": (
        _value("encoder.hidden_scale", (1, 29), 0),
        "element 61 is a scale of 0 or less",
    ),
    "nan_bias": (_value(QUERY + ".bias", (0,), NAN), "element 0 is infinite or NaN"),
    "infinite_residual_scale": (
        _value("encoder.layer.0.attention.output.residual_scale", (14,), -INF),
        "element 14 is infinite or NaN",
    ),
    "nan_position": (_value("embeddings.position.weight", (18, 29), NAN), "element 605 is infinite or NaN"),
    "nan_fp32_weight": (
        _value(QUERY + ".weight", (1, 23, 7), NAN, "bert"),
        "element 887 is infinite or NaN",
    ),
    "infinite_word": (_value(WORD, (36, 0), INF, "bert"), "element 1,152 is infinite or NaN"),
    "minus_128": (
        _value(QUERY + ".weight", (0, 1, 2, 3), -128),
        "element 75 is -128; expected -127 to 127",
    ),
    "minus_128_word": (_value(WORD, (36, 6), -128), "element 582 is -128; expected -127 to 127"),
    "row_padding": (_value(WORD, (0, 7), 1), "element 7 is padding and not zero"),
    "vocabulary_padding": (_value(WORD, (37, 0), 1), "element 592 is padding and not zero"),
    "input_padding": (_value(QUERY + ".weight", (0, 3, 0, 3), 1), "element 195 is padding and not zero"),
    "output_padding": (_value(QUERY + ".weight", (0, 0, 15, 0), 1), "element 60 is padding and not zero"),
    "trigram_padding": (_value("embeddings.projection.weight", (0, 5, 0, 3), 1), "is padding and not zero"),
    "fp32_padding": (
        _value(QUERY + ".weight", (0, 24, 0), 1, "bert"),
        "element 384 is padding and not zero",
    ),
    "table_padding": (_value("embeddings.type.weight", (1, 30), 1), "element 62 is padding and not zero"),
}

CONFIG: dict[str, Case] = {
    "no_config": (with_metadata(config=None), "no config in the metadata"),
    "empty_config": (with_metadata(config=""), "config: expected an object"),
    "config_twice": (with_metadata(config='{"eps":1,"eps":1}'), "config: duplicate key"),
    "missing_key": (_config(eps=None), 'missing key "eps"'),
    "unknown_key": (_config(dropout=0.1), "unknown key (byte"),
    "zero_heads": (_config(num_heads=0), "number 0; expected 1 to 128"),
    "zero_layers": (_config(num_layers=0), "number 0; expected 1 to 128"),
    "too_many_layers": (_config(num_layers=129), "number 129; expected 1 to 128"),
    "huge_hidden": (
        _config(hidden_size=1 << 60),
        "number 1,152,921,504,606,846,976; expected 1 to 4,096",
    ),
    "negative_width": (_config(body_size=-16), "not negative"),
    "fractional_width": (_config(body_size=15.0), "without fraction"),
    "text_for_number": (_config(body_size="15"), "expected a number"),
    "number_for_bool": (_config(trigram=1), "expected true or false"),
    "number_for_causal": (_config(causal=1), "expected true or false"),
    "causal_twice": (with_metadata(config='{"causal":true,"causal":true}'), "config: duplicate key"),
    "number_for_choice": (_config(bottleneck=0), "expected a string"),
    "unknown_choice": (_config(activation="mish"), 'value "mish"; expected one of relu, gelu'),
    "zero_eps": (_config(eps=0), "expected a positive 32-bit float"),
    "vanishing_eps": (_config(eps=1e-60), "expected a positive 32-bit float"),
    "negative_eps": (_config(eps=-1e-12), "expected a positive 32-bit float"),
    "overflowing_eps": (_config(eps=1e39), "expected a positive 32-bit float"),
    "nan_eps": (_config(eps=NAN), "expected a number"),
    "heads_do_not_divide": (_config(num_heads=2), "num_heads is 2; expected a divisor of body_size 15"),
    "body_without_bottleneck": (_config(bottleneck="none"), "expected hidden_size 30"),
    "labels_without_classifier": (_config(num_labels=2), "num_labels is 2; the head needs exactly 0"),
    "classifier_without_labels": (
        _config(head="token_classification"),
        "num_labels is 0; the head needs at least 1",
    ),
    "head_without_pooler": (_config(pooler="none"), "the head needs a pooled output"),
}

METADATA: dict[str, Case] = {
    "no_metadata": (_draft(lambda d: d.metadata.clear()), "a safetensors file of another program"),
    "other_format": (with_metadata(format="pt"), "a safetensors file of another program"),
    "no_version": (with_metadata(format_version=None), "no format_version in the metadata"),
    "version_words": (with_metadata(format_version="one"), 'format_version: "one"; expected a number'),
    "version_zero": (with_metadata(format_version="0"), "expected a number"),
    "labels_too_many": (with_metadata(labels='["a","b"]'), "labels: 2 labels; the configuration has 0"),
    "labels_not_array": (with_metadata(labels='{"0":"a"}'), "labels: expected an array"),
    "unknown_problem_type": (with_metadata(problem_type="ranking"), 'problem_type: value "ranking"'),
    "unknown_activation_of_scores": (with_metadata(activation="tanh"), 'activation: value "tanh"'),
}

CASES: dict[str, Case] = CONTAINER | JSON | LAYOUT | SET | VALUES | CONFIG | METADATA

# Valid, but of a later release: UnsupportedModelError; all others are ModelFormatError.
UNSUPPORTED: dict[str, Case] = {
    "newer_version": (with_metadata(format_version="2"), "format_version: 2; this release reads version 1"),
}
