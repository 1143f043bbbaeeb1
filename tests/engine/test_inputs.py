"""Every wrong argument is an InputError that says what is wrong and where; every right form is accepted."""

from __future__ import annotations

from collections import UserDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mobilebert_rt as mbrt
from mobilebert_rt import _core
from tests import interpreter
from tests.emulation import import_on_host
from tests.engine.support import digest, load, write_model

V, P = 37, 19  # vocabulary and positions of the small models
IDS = [[5, 6, 7], [8]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> mbrt.Model:
    return load(tmp_path_factory.mktemp("model"), "bert_int8")


WRONG_IDS: dict[str, tuple[Any, str]] = {
    "no text": ([], "empty list"),
    "a text without tokens": ([[1], []], r"input_ids\[1\].*at least one token"),
    "rows without tokens": (np.zeros((2, 0), np.int64), r"shape \(2, 0\).*at least one"),
    "no rows": (np.zeros((0, 3), np.int64), r"shape \(0, 3\).*at least one"),
    "a vector": (np.zeros(3, np.int64), r"shape \(3,\).*\[batch, length\]"),
    "a cube": (np.zeros((1, 2, 3), np.int64), r"shape \(1, 2, 3\)"),
    "a string": ("hello", "input_ids: found str"),
    "strings": ([["a", "b"]], r"input_ids\[0\]: found dtype"),
    "floats": (np.zeros((1, 3), np.float32), "dtype float32.*integers"),
    "booleans": (np.ones((1, 3), np.bool_), "dtype bool.*integers"),
    "ragged rows in a row": ([[[1, 2], [3]]], r"input_ids\[0\]: found rows of different lengths"),
    "too long": ([[1] * (P + 1)], f"sequence 0: {P + 1} tokens; this model takes 1 to {P}"),
    "an id too large": ([[1], [2, V]], f"sequence 1, token 1: token id {V}; this model has 0 to {V - 1}"),
    "an id below 0": ([[-1]], "sequence 0, token 0: token id -1"),
    "an id past int32": ([[2**40]], r"input_ids\[0\]: found 1099511627776"),
    "an id that wraps to a valid one": (np.array([[2**32 + 5]]), "4294967301"),
}


@pytest.mark.parametrize("case", WRONG_IDS)
def test_error_names_wrong_ids(model: mbrt.Model, case: str) -> None:
    ids, words = WRONG_IDS[case]
    with pytest.raises(mbrt.InputError, match=words):
        model(ids)


def test_causal_model_needs_its_first_token(tmp_path: Path) -> None:
    model = load(tmp_path, "gpt")
    model([[1, 2, 3]], [[1, 0, 1]])
    with pytest.raises(
        mbrt.InputError, match=r"sequence 1: the attention mask hides the first token.*Pad on the right"
    ):
        model([[1], [1, 2, 3]], [[1], [0, 1, 1]])
    with pytest.raises(mbrt.InputError, match="sequence 0, query 1: the attention mask hides every token"):
        model([[1, 2, 3]], [[[1, 0, 0], [0, 0, 1], [0, 0, 1]]])


WRONG_MASKS: dict[str, tuple[Any, Any, str]] = {
    "another shape": (np.ones((2, 3), int), np.ones((2, 4), int), r"attention_mask: found shape \(2, 4\)"),
    "all masked, 2-D": (
        np.ones((2, 3), int),
        np.array([[1, 1, 0], [0, 0, 0]]),
        "sequence 1: the attention mask hides every token",
    ),
    "all masked, list": (IDS, [[1, 1, 1], [0]], "sequence 1: the attention mask hides every token"),
    "a query without keys": (
        IDS,
        [[[1, 0, 0], [0, 0, 0], [0, 0, 1]], [1]],
        "sequence 0, query 1: the attention mask hides",
    ),
    "a cube's query without keys": (
        np.ones((1, 3), int),
        np.array([[[1, 1, 1], [1, 1, 1], [0, 0, 0]]]),
        "sequence 0, query 2: the attention mask hides",
    ),
    "fractions": (np.ones((1, 3), int), np.full((1, 3), 0.5), "other than 0 and 1"),
    "an additive mask": (np.ones((1, 3), int), np.array([[0.0, 0.0, -1e9]]), "other than 0 and 1"),
    "NaN": (np.ones((1, 3), int), np.full((1, 3), np.nan), "other than 0 and 1"),
    "strings": (np.ones((1, 3), int), np.array([["1", "1", "1"]]), "dtype"),
    "too few": (IDS, [[1, 1, 1]], "one entry for each of the 2 sequences"),
    "another length": (IDS, [[1, 1], [1]], r"attention_mask\[0\]: found shape \(2,\)"),
}


@pytest.mark.parametrize("case", WRONG_MASKS)
def test_error_names_wrong_mask(model: mbrt.Model, case: str) -> None:
    ids, mask, words = WRONG_MASKS[case]
    with pytest.raises(mbrt.InputError, match=words):
        model(ids, mask)


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ([[0, 0, 2], [0]], "sequence 0, token 2: token type 2; this model has 0 to 1"),
        ([[0, 0, -1], [0]], "token type -1"),
        ([[0, 0], [0]], r"token_type_ids\[0\]: found shape \(2,\)"),
        ([[0, 0, 0]], "one entry for each of the 2 sequences"),
        ([[0.0, 0.0, 1.0], [0.0]], r"token_type_ids\[0\]: found dtype float64"),
    ],
)
def test_error_names_wrong_token_types(model: mbrt.Model, types: Any, words: str) -> None:
    with pytest.raises(mbrt.InputError, match=words):
        model(IDS, token_type_ids=types)


@pytest.mark.parametrize(
    ("positions", "words"),
    [
        ([[0]], "1 lists; the batch has 2 sequences"),
        ([[1, 0], [0]], r"logit_positions\[0\]: found 0 after 1; expected ascending"),
        ([[0, 0], [0]], r"logit_positions\[0\]: found 0 after 0; expected ascending"),
        ([[0], [1]], r"logit_positions\[1\]: found 1 after -1; expected ascending indices from 0 to 0"),
        ([[-1], [0]], r"logit_positions\[0\]: found -1"),
    ],
)
def test_error_names_wrong_logit_positions(model: mbrt.Model, positions: Any, words: str) -> None:
    with pytest.raises(mbrt.InputError, match=words):
        model(IDS, logit_positions=positions)


def test_error_names_other_wrong_arguments(model: mbrt.Model, tmp_path: Path) -> None:
    with pytest.raises(mbrt.InputError, match='"packed" or "hf"'):
        model(IDS, padding="left")
    path = write_model(tmp_path, "without_opt")
    with pytest.raises(mbrt.InputError, match="one row of logits per sequence"):
        mbrt.Model.from_pretrained(path)(IDS, logit_positions=[[0], [0]])
    for threads in (0, -1, 257, 1.5, "2"):
        with pytest.raises(mbrt.InputError, match="1 to 256"):
            mbrt.Model.from_pretrained(path, num_threads=threads)  # type: ignore[arg-type]
    with pytest.raises(mbrt.InputError, match='isa: unknown instruction set "sse9"; expected one of scalar'):
        mbrt.Model.from_pretrained(path, isa="sse9")
    for isa in set(_core.compiled_isas()) - set(_core.available_isas()):
        with pytest.raises(mbrt.InputError, match="this CPU cannot run"):
            mbrt.Model.from_pretrained(path, isa=isa)


def test_binding_checks_its_arguments(tmp_path: Path) -> None:
    core = _core.Model(str(write_model(tmp_path, "bert")))
    ids = np.array([1, 2, 3], np.int32)

    def lengths(*values: int) -> Any:
        return np.array(values, np.int64)

    for wrong in (lengths(2), lengths(4), lengths(3, 1), lengths(-1, 4), lengths(2**62, 2**62)):
        with pytest.raises(mbrt.InputError, match="their sum is not the number"):
            core.run(ids, wrong)
    with pytest.raises(mbrt.InputError, match="batch: 0 sequences"):
        core.run(ids[:0], lengths())
    with pytest.raises(mbrt.InputError, match="sequence 1: 0 tokens"):
        core.run(ids, lengths(2, 0, 1))
    for name, value in {
        "types": np.zeros(2, np.int32),
        "key_mask": np.ones(4, np.uint8),
        "pair_mask": np.ones(10, np.uint8),
    }.items():
        with pytest.raises(mbrt.InputError, match="the batch needs"):
            core.run(ids, lengths(3), **{name: value})  # type: ignore[arg-type]
    for tokens in ([3], [-1], [1, 1], [2, 0]):
        with pytest.raises(mbrt.InputError, match="expected ascending indices"):
            core.run(ids, lengths(3), logit_positions=[tokens])


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", ">i8", ">u2"])
def test_accepts_every_integer_dtype(model: mbrt.Model, dtype: str) -> None:
    expected = digest(model([[5, 6, 7]]), 0)
    array = np.array([[5, 6, 7]], dtype)
    assert digest(model(array), 0) == expected
    assert digest(model([array[0]]), 0) == expected
    assert digest(model((tuple(array[0]),)), 0) == expected


def test_accepts_every_memory_layout(model: mbrt.Model) -> None:
    whole = np.arange(24).reshape(4, 6)
    for view in (whole[:, ::2], whole.T, np.asfortranarray(whole), whole[::-1, ::-1]):
        frozen = view.view()
        frozen.flags.writeable = False
        expected = [digest(model([row.tolist()]), 0) for row in view]
        assert [digest(model(frozen), i) for i in range(len(view))] == expected


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i8", "f4", "f8"])
def test_accepts_every_mask_dtype(model: mbrt.Model, dtype: str) -> None:
    ids = np.array([[5, 6, 7, 9], [8, 2, 1, 1]])
    mask = np.array([[1, 0, 1, 1], [1, 1, 0, 0]])
    output = model(ids, mask.astype(dtype))
    alone = model([[8, 2]])
    assert digest(model([[5, 6, 7, 9]], [[1, 0, 1, 1]]), 0) == digest(model(ids[:1], mask[:1].astype(dtype)), 0)
    np.testing.assert_array_equal(output.last_hidden_state[1, :2], alone.last_hidden_state[0])
    assert (output.last_hidden_state[1, 2:] == 0).all()


@pytest.mark.parametrize("value", ["0", "-1", "257", "two", "1.5", "1 2", "99999999999999999999"])
def test_error_names_bad_thread_count_in_environment(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MBRT_NUM_THREADS", value)
    with pytest.raises(mbrt.InputError, match=r"MBRT_NUM_THREADS.*1 to 256"):
        _core.default_thread_count()


def test_environment_sets_number_of_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write_model(tmp_path, "bert")
    monkeypatch.setenv("MBRT_NUM_THREADS", "5")
    assert mbrt.Model.from_pretrained(path).num_threads == 5
    assert mbrt.Model.from_pretrained(path, num_threads=2).num_threads == 2
    monkeypatch.setenv("MBRT_NUM_THREADS", "")
    assert mbrt.Model.from_pretrained(path).num_threads == min(_core.usable_cores(), 256)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("MBRT_ISA", "sse9", 'MBRT_ISA: unknown instruction set "sse9"'),
        ("MBRT_NUM_THREADS", "many", 'MBRT_NUM_THREADS: "many"; expected an integer'),
    ],
)
def test_bad_environment_variable_is_an_error(tmp_path: Path, variable: str, value: str, words: str) -> None:
    path = write_model(tmp_path, "bert")
    code = f"import mobilebert_rt; print(mobilebert_rt.Model.from_pretrained({str(path)!r})([[1]]))"
    done = interpreter.run(code, **{variable: value})
    assert done.returncode == 1
    assert "InputError" in done.stderr
    assert words in done.stderr
    assert done.stdout == ""


class Tensor:
    """An array of another library, that numpy reads."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.values


class DlpackTensor:
    """An array of another library, that numpy reads by DLPack only."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __dlpack__(self, **options: Any) -> Any:
        return self.values.__dlpack__()

    def __dlpack_device__(self) -> Any:
        return self.values.__dlpack_device__()


class DeviceTensor:
    """An array on another device, that numpy cannot read."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("can't convert a cuda tensor to numpy")


ROWS, MASK = [[5, 6, 7], [8, 0, 0]], [[1, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize("of", [Tensor, DlpackTensor])
def test_arrays_of_other_libraries_are_those_of_numpy(model: mbrt.Model, of: type) -> None:
    expected = model(np.array(ROWS), np.array(MASK))
    assert model(of(ROWS), of(MASK)) == expected
    assert model({"input_ids": of(ROWS), "attention_mask": of(MASK)}) == expected
    assert model([of([5, 6, 7]), of([8])]) == model([[5, 6, 7], [8]])


def test_tensors_of_torch_are_those_of_numpy(model: mbrt.Model) -> None:
    torch = import_on_host("torch")
    expected = model(np.array(ROWS), np.array(MASK))
    assert model(torch.tensor(ROWS), torch.tensor(MASK)) == expected
    assert model(torch.tensor(ROWS), torch.tensor(MASK, dtype=torch.bool)) == expected


def test_array_that_numpy_cannot_read_is_refused(model: mbrt.Model) -> None:
    with pytest.raises(mbrt.InputError, match=r"DeviceTensor: numpy cannot read it .*; expected an array on the CPU"):
        model(DeviceTensor())


def test_batch_encoding_stands_for_its_arrays(model: mbrt.Model) -> None:
    batch = UserDict(input_ids=np.array(ROWS), attention_mask=np.array(MASK), token_type_ids=np.zeros((2, 3), int))
    assert model(batch) == model(**batch)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "input_ids: found dict with no keys; expected input_ids, attention_mask, token_type_ids"),
        ({"text": "a"}, "input_ids: found dict with text; expected input_ids, attention_mask"),
        ({"input_ids": ROWS, "labels": [1, 2]}, "input_ids: found dict with input_ids, labels; expected"),
    ],
)
def test_mapping_with_other_keys_is_refused(model: mbrt.Model, given: dict[str, Any], message: str) -> None:
    with pytest.raises(mbrt.InputError, match=message):
        model(given)


def test_mapping_and_arrays_beside_it_are_refused(model: mbrt.Model) -> None:
    with pytest.raises(mbrt.InputError, match="expected either a mapping or arrays"):
        model({"input_ids": ROWS}, attention_mask=MASK)


def test_flat_list_of_ids_is_one_sequence(model: mbrt.Model) -> None:
    assert model([5, 6, 7]) == model([[5, 6, 7]])
    assert model((np.int64(5), np.int32(6))) == model([[5, 6]])
    assert model([5, 6, 7], [1, 1, 0], [0, 0, 1]) == model([[5, 6, 7]], [[1, 1, 0]], [[0, 0, 1]])
    assert model({"input_ids": [5, 6], "attention_mask": [1, 1]}) == model([[5, 6]], [[1, 1]])


def test_outputs_are_equal_when_their_arrays_are(model: mbrt.Model) -> None:
    output = model(ROWS, MASK, output_hidden_states=True)
    assert output == model(ROWS, MASK, output_hidden_states=True)
    assert output != model(ROWS, MASK)
    assert output != model(np.array(ROWS), np.array(MASK), output_hidden_states=True)
    assert output != model([[5, 6, 7]], output_hidden_states=True)
    assert output != 3


def test_output_prints_names_types_and_shapes(model: mbrt.Model) -> None:
    hidden = model.config.hidden_size
    arrays = repr(model(np.array(ROWS), output_hidden_states=True))
    assert arrays.startswith(f"ModelOutput(last_hidden_state: float32 [2, 3, {hidden}], ")
    assert f"hidden_states: tuple of {model.config.num_layers + 1}, each float32 [2, 3, {hidden}]" in arrays
    assert repr(model(IDS)).startswith(f"ModelOutput(last_hidden_state: list of 2 float32 [*, {hidden}]")
