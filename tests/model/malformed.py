"""Malformed model files: each case is a promise that the reader names what is wrong.

CASES maps a name to a function that returns the file, and to words that the message must hold. Files come
from one small int8 MobileBERT and one small fp32 BERT, broken in one place.
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
    """A file in parts, to be broken before it is put together."""

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


def _metadata(**changes: Any) -> Callable[[], bytes]:
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
    """64 bytes that belong to nobody before the last tensor."""
    *_, name = draft.tensors
    offsets = draft.entries[name]["data_offsets"]
    draft.entries[name]["data_offsets"] = [offset + 64 for offset in offsets]
    last = draft.tensors.pop(name)
    draft.tensors |= {"gap": np.zeros(16, np.float32), name: last}


def _other_type(draft: Draft) -> None:
    """Bytes enough, but of the other type."""
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
    "empty": (lambda: b"", "holds 0 bytes"),
    "seven_bytes": (lambda: b"\x40" + bytes(6), "holds 7 bytes"),
    "only_a_length": (lambda: bytes(8), "expected an opening brace"),
    "truncated_in_header": (_bytes(lambda file: file[:100]), "header is said to hold"),
    "truncated_in_data": (_bytes(lambda file: file[:-64]), 'tensor "next_sentence.bias" lies at'),
    "one_byte_short": (_bytes(lambda file: file[:-1]), 'tensor "next_sentence.bias" lies at'),
    "one_byte_long": (_bytes(lambda file: file + b"\0"), "the last tensor ends at byte"),
    "64_bytes_long": (_bytes(lambda file: file + bytes(64)), "the last tensor ends at byte"),
    "header_length_past_end": (_length(1 << 20), "header is said to hold 1,048,576 bytes"),
    "header_length_100_mb": (_length(100_000_001), "header is said to hold 100,000,001 bytes"),
    "header_length_2_64": (_length((1 << 64) - 1), "header is said to hold 18,446,744,073,709,551,615"),
    "header_length_2_64_minus_8": (_length((1 << 64) - 8), "header is said to hold"),
    "header_one_shorter": (
        _bytes(lambda f: (int.from_bytes(f[:8], "little") - 1).to_bytes(8, "little") + f[8:]),
        "64",
    ),
    "zip": (_bytes(lambda file: b"PK\x03\x04" + file[4:]), "is this a .safetensors file"),
}

JSON: dict[str, Case] = {
    "array": (_header("[]"), "expected an opening brace"),
    "leading_space": (_header(" {}"), "expected an opening brace"),
    "byte_order_mark": (_header("\ufeff{}"), "expected an opening brace"),
    "unclosed": (_header("{"), "expected a key"),
    "two_values": (_header("{}{}"), "something after the end"),
    "trailing_comma": (_header('{"__metadata__":{"a":"b"},}'), "expected a key"),
    "leading_comma": (_header('{,"__metadata__":{}}'), "expected a key"),
    "missing_colon": (_header('{"__metadata__"{}}'), "expected a colon"),
    "single_quotes": (_header("{'a':{}}"), "expected a key"),
    "deep_arrays": (_header('{"a":{"shape":' + "[" * 100_000), "expected a number"),
    "deep_objects": (_header('{"a":' * 100_000), "unknown key"),
    "metadata_not_strings": (_header('{"__metadata__":{"a":1}}'), "expected a string"),
    "metadata_twice": (_header('{"__metadata__":{},"__metadata__":{}}'), "comes twice"),
    "metadata_key_twice": (_text('"format":', '"format": "x", "format":'), "comes twice"),
    "tensor_twice": (_text('"next_sentence.bias":', '"next_sentence.weight":'), "comes twice"),
    "tensor_not_object": (_header('{"a":1}'), "expected an object"),
    "tensor_key_twice": (_text('"dtype":', '"dtype": "I8", "dtype":'), "comes twice"),
    "tensor_unknown_key": (_text('"dtype":', '"kind": "I8", "dtype":'), "unknown key"),
    "tensor_without_shape": (_header('{"a":{"dtype":"F32","data_offsets":[0,64]}}'), 'has no "shape"'),
    "negative_shape": (_header('{"a":{"shape":[-1]}}'), "not negative"),
    "fractional_shape": (_header('{"a":{"shape":[1.0]}}'), "whole number"),
    "exponent_shape": (_header('{"a":{"shape":[1e2]}}'), "whole number"),
    "leading_zero": (_header('{"a":{"shape":[01]}}'), "leading zero"),
    "2_64": (_header('{"a":{"shape":[18446744073709551616]}}'), "too large"),
    "thousand_digits": (_header('{"a":{"shape":[' + "9" * 1000 + "]}}"), "too long"),
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
    "unended_string": (_header('{"abc'), "without an end"),
}

LAYOUT: dict[str, Case] = {
    "f16": (_entry(WORD, dtype="F16"), 'is of type "F16", only F32 and I8'),
    "hostile_type": (_entry(WORD, dtype="\x1b[31m" * 1000), 'is of type "\\x1b[31m'),
    "empty_dimension": (_entry(WORD, shape=[0, 16]), "which is empty"),
    "huge_shape": (_entry(WORD, shape=[1 << 32, 1 << 32, 2]), "needs more than there are"),
    "huge_shape_that_wraps": (_entry(WORD, shape=[(1 << 64) - 1, 64]), "needs more than there are"),
    "shape_too_small": (
        _entry(WORD, shape=[36, 16]),
        f'"{WORD}" holds 640 bytes, its shape 36 x 16 I8 needs 576',
    ),
    "shape_too_large": (_entry(WORD, shape=[44, 16]), "needs 704"),
    "offsets_backwards": (_entry(WORD, data_offsets=[64, 0]), "lies at bytes 64 to 0"),
    "offset_2_64": (
        _entry(WORD, data_offsets=[0, (1 << 64) - 1]),
        "lies at bytes 0 to 18,446,744,073,709,551,615",
    ),
    "overlap": (_shifted(QUERY + ".bias", -64, -64), "they overlap"),
    "gap": (_draft(_gap), "there is a gap"),
    "misaligned": (_shifted(QUERY + ".bias", -4, -4), "multiples of 64"),
    "header_not_aligned": (_unaligned_header, "which is not a multiple of 64"),
    "no_tensors": (_tensors_changed(lambda d: d.tensors.clear()), f'"{WORD}" is missing'),
}

SET: dict[str, Case] = {
    "missing": (_tensors_changed(lambda d: d.tensors.pop(QUERY + ".bias")), f'"{QUERY}.bias" is missing'),
    "unexpected": (
        _tensors_changed(lambda d: d.tensors.update(spare=np.zeros(16, np.float32))),
        '"spare" is not part of the configured model',
    ),
    "renamed": (_tensors_changed(lambda d: _renamed(d, QUERY + ".bias", QUERY + ".offset")), "is missing"),
    "hostile_name": (
        _tensors_changed(lambda d: d.tensors.update({"\x1b[2J" + "x" * 5000: np.zeros(16, np.float32)})),
        '..." is not part of',
    ),
    "other_type": (_draft(_other_type), 'is of type "F32", the configuration needs I8'),
    "transposed": (_entry(QUERY + ".weight", shape=[4, 1, 16, 4]), "has the shape 4 x 1 x 16 x 4"),
    "flattened": (_entry(QUERY + ".weight", shape=[256]), "has the shape 256"),
    "one_layer_more": (_config(num_layers=3), '"encoder.layer.2.bottleneck.input.weight" is missing'),
    "one_layer_less": (_config("bert", num_layers=1), '"encoder.layer.1.attention.key.bias" is not part of'),
    "other_precision": (_config(precision="fp32"), 'is of type "I8", the configuration needs F32'),
    "other_width": (_config(embedding_size=17), "the configuration needs 40 x 32"),
}

VALUES: dict[str, Case] = {
    "nan_scale": (
        _value(QUERY + ".scale", (3,), NAN),
        f'"{QUERY}.scale" holds a value that is infinite or not',
    ),
    "infinite_scale": (_value(QUERY + ".scale", (3,), INF), "at element 3"),
    "zero_scale": (_value(QUERY + ".scale", (3,), 0), "a scale that is not positive at element 3"),
    "negative_scale": (_value(QUERY + ".scale", (3,), -1), "a scale that is not positive at element 3"),
    "scale_in_padding": (_value(QUERY + ".scale", (15,), 1), "padding that is not zero at element 15"),
    "zero_word_scale": (
        _value("embeddings.word.scale", (36,), 0),
        "a scale that is not positive at element 36",
    ),
    "zero_hidden_scale": (
        _value("encoder.hidden_scale", (1, 29), 0),
        "a scale that is not positive at element 61",
    ),
    "nan_bias": (_value(QUERY + ".bias", (0,), NAN), "infinite or not a number at element 0"),
    "infinite_residual_scale": (
        _value("encoder.layer.0.attention.output.residual_scale", (14,), -INF),
        "at element 14",
    ),
    "nan_position": (_value("embeddings.position.weight", (18, 29), NAN), "at element 605"),
    "nan_fp32_weight": (
        _value(QUERY + ".weight", (1, 23, 7), NAN, "bert"),
        "infinite or not a number at element 887",
    ),
    "infinite_word": (_value(WORD, (36, 0), INF, "bert"), "at element 1,152"),
    "minus_128": (
        _value(QUERY + ".weight", (0, 1, 2, 3), -128),
        "holds -128, the least value is -127, at element 75",
    ),
    "minus_128_word": (_value(WORD, (36, 6), -128), "holds -128, the least value is -127, at element 582"),
    "row_padding": (_value(WORD, (0, 7), 1), "padding that is not zero at element 7"),
    "vocabulary_padding": (_value(WORD, (37, 0), 1), "padding that is not zero at element 592"),
    "input_padding": (_value(QUERY + ".weight", (0, 3, 0, 3), 1), "padding that is not zero at element 195"),
    "output_padding": (_value(QUERY + ".weight", (0, 0, 15, 0), 1), "padding that is not zero at element 60"),
    "trigram_padding": (_value("embeddings.projection.weight", (0, 5, 0, 3), 1), "padding that is not zero"),
    "fp32_padding": (
        _value(QUERY + ".weight", (0, 24, 0), 1, "bert"),
        "padding that is not zero at element 384",
    ),
    "table_padding": (_value("embeddings.type.weight", (1, 30), 1), "padding that is not zero at element 62"),
}

CONFIG: dict[str, Case] = {
    "no_config": (_metadata(config=None), "the metadata have no config"),
    "empty_config": (_metadata(config=""), "config: expected an object"),
    "config_twice": (_metadata(config='{"eps":1,"eps":1}'), "config: a key that comes twice"),
    "missing_key": (_config(eps=None), 'the key "eps" is missing'),
    "unknown_key": (_config(dropout=0.1), "unknown key at byte"),
    "zero_heads": (_config(num_heads=0), "the number 0, which is not from 1 to 128"),
    "zero_layers": (_config(num_layers=0), "the number 0, which is not from 1 to 128"),
    "too_many_layers": (_config(num_layers=129), "the number 129"),
    "huge_hidden": (
        _config(hidden_size=1 << 60),
        "the number 1,152,921,504,606,846,976, which is not from 1 to 4,096",
    ),
    "negative_width": (_config(body_size=-16), "not negative"),
    "fractional_width": (_config(body_size=15.0), "without fraction"),
    "text_for_number": (_config(body_size="15"), "expected a number"),
    "number_for_bool": (_config(trigram=1), "expected true or false"),
    "number_for_choice": (_config(bottleneck=0), "expected a string"),
    "unknown_choice": (_config(activation="mish"), 'the value "mish", which is none of relu, gelu'),
    "zero_eps": (_config(eps=0), "not positive in 32-bit"),
    "vanishing_eps": (_config(eps=1e-60), "not positive in 32-bit"),
    "negative_eps": (_config(eps=-1e-12), "not positive in 32-bit"),
    "overflowing_eps": (_config(eps=1e39), "not positive in 32-bit"),
    "nan_eps": (_config(eps=NAN), "expected a number"),
    "heads_do_not_divide": (_config(num_heads=2), "num_heads is 2, which does not divide body_size 15"),
    "body_without_bottleneck": (_config(bottleneck="none"), "it must equal hidden_size 30"),
    "pad_outside_vocabulary": (_config(pad_token_id=37), "pad_token_id is 37, the vocabulary has 37 tokens"),
    "labels_without_classifier": (_config(num_labels=2), "num_labels is 2, the head needs exactly 0"),
    "classifier_without_labels": (
        _config(head="token_classification"),
        "num_labels is 0, the head needs at least 1",
    ),
    "head_without_pooler": (_config(pooler="none"), "the head reads the pooled output"),
}

METADATA: dict[str, Case] = {
    "no_metadata": (_draft(lambda d: d.metadata.clear()), "a safetensors file of another program"),
    "other_format": (_metadata(format="pt"), "a safetensors file of another program"),
    "no_version": (_metadata(format_version=None), "no format_version"),
    "version_words": (_metadata(format_version="one"), 'format_version is "one", which is not a version'),
    "version_zero": (_metadata(format_version="0"), "which is not a version"),
    "labels_too_many": (_metadata(labels='["a","b"]'), "labels: there are 2, the configuration has 0"),
    "labels_not_array": (_metadata(labels='{"0":"a"}'), "labels: expected an array"),
    "unknown_problem_type": (_metadata(problem_type="ranking"), 'problem_type: the value "ranking"'),
    "unknown_pooling": (_metadata(pooling='{"mode":"max","normalize":true}'), 'the value "max"'),
    "pooling_of_no_tokens": (
        _metadata(pooling='{"mode":"mean","normalize":true,"max_tokens":0}'),
        "pooling: the number 0",
    ),
    "pooling_twice": (_metadata(pooling='{"mode":"mean","mode":"cls"}'), "pooling: a key that comes twice"),
    "half_a_pooling": (_metadata(pooling='{"mode":"mean"}'), "are both needed"),
}

CASES: dict[str, Case] = CONTAINER | JSON | LAYOUT | SET | VALUES | CONFIG | METADATA

# Sound, but not for this release: UnsupportedModelError; all others are ModelFormatError.
UNSUPPORTED: dict[str, Case] = {
    "newer_version": (_metadata(format_version="2"), "format_version is 2, this release reads version 1"),
}
