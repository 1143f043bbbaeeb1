"""Model files whose `pooling`, `modules` or `prompts` are wrong, each in one way, and words of the message."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.model.make_model_file import SMALL, describe, make_metadata, make_tensors
from tests.model.malformed import NAN, Case, Change, Draft, with_metadata

DENSE = json.dumps([{"type": "dense", "outputs": 3, "activation": "none"}])
TWO_MODES = json.dumps({"mode": "cls+max", "normalize": False})


def _set(draft: Draft, name: str, value: float) -> None:
    draft.tensors[name][0] = value


def _modules_changed(change: Change) -> Callable[[], bytes]:
    """A file with a dense layer behind the pooling, after a change of its parts."""

    def build() -> bytes:
        config, metadata = dict(SMALL["bert"]), {"modules": DENSE}
        tensors = make_tensors(config, 1, metadata)
        draft = Draft(config, tensors, dict(make_metadata(config, metadata)), describe(tensors))
        change(draft)
        return draft.file()

    return build


SENTENCE: dict[str, Case] = {
    "unknown_pooling": (
        with_metadata(pooling='{"mode":"min","normalize":true}'),
        'value "min"; expected cls, max, mean',
    ),
    "empty_pooling": (with_metadata(pooling='{"mode":"","normalize":true}'), 'value ""; expected cls, max, mean'),
    "repeated_pooling": (with_metadata(pooling='{"mode":"max+max","normalize":true}'), 'value "max+max"; expected cls'),
    "dangling_pooling": (with_metadata(pooling='{"mode":"max+","normalize":true}'), 'value "max+"; expected cls'),
    "no_dimensions": (with_metadata(pooling='{"mode":"cls","normalize":true,"truncate_dim":0}'), "truncate_dim is 0"),
    "modules_not_array": (with_metadata(modules="{}"), "modules: expected an array"),
    "unknown_module": (
        with_metadata(modules='[{"type":"lstm"}]'),
        'value "lstm"; expected dense, layer_norm or normalize',
    ),
    "module_without_type": (with_metadata(modules="[{}]"), "wrong keys of a module"),
    "module_with_more": (with_metadata(modules='[{"type":"normalize","outputs":3}]'), "wrong keys of a module"),
    "half_a_dense": (with_metadata(modules='[{"type":"dense","outputs":3}]'), "wrong keys of a module"),
    "unknown_module_key": (with_metadata(modules='[{"kind":"dense"}]'), "modules: unknown key"),
    "dense_of_nothing": (with_metadata(modules='[{"type":"dense","outputs":0,"activation":"none"}]'), "outputs is 0"),
    "huge_dense": (
        with_metadata(modules='[{"type":"dense","outputs":18446744073709551615,"activation":"none"}]'),
        "expected at most 16,384",
    ),
    "unknown_module_activation": (
        with_metadata(modules='[{"type":"dense","outputs":3,"activation":"mish"}]'),
        'activation "mish" is unknown',
    ),
    "too_many_modules": (with_metadata(modules=json.dumps([{"type": "normalize"}] * 17)), "more than 16 modules"),
    "dense_without_weights": (
        with_metadata(modules='[{"type":"dense","outputs":3,"activation":"none"}]'),
        'tensor "modules.0.weight": missing',
    ),
    "norm_without_weights": (
        with_metadata(modules='[{"type":"layer_norm"}]'),
        'tensor "modules.0.norm.weight": missing',
    ),
    "module_of_another_width": (_modules_changed(lambda d: d.metadata.update(pooling=TWO_MODES)), "modules.0.weight"),
    "nan_in_a_module": (_modules_changed(lambda d: _set(d, "modules.0.bias", NAN)), "infinite or NaN"),
    "prompts_not_strings": (with_metadata(prompts='{"query":3}'), "prompts: expected a string"),
    "prompt_twice": (with_metadata(prompts='{"a":"","a":""}'), "prompts: duplicate key"),
    "unknown_default_prompt": (with_metadata(default_prompt="query"), 'default_prompt: value "query"'),
    "pooling_of_no_tokens": (
        with_metadata(pooling='{"mode":"mean","normalize":true,"max_tokens":0}'),
        "pooling: max_tokens is 0",
    ),
    "pooling_twice": (with_metadata(pooling='{"mode":"mean","mode":"cls"}'), "pooling: duplicate key"),
    "half_a_pooling": (with_metadata(pooling='{"mode":"mean"}'), "pooling: missing key"),
}
