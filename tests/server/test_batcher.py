"""The batcher alone, with a real task whose first call is held until the queue is as the test wants it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import FillMask, InputError
from mobilebert_rt.errors import CancelledError
from mobilebert_rt.model import CancelToken
from mobilebert_rt.server.batcher import Batcher, BatchReport, Operation
from mobilebert_rt.server.errors import ServerError

BUDGET = 20
TEXTS = [f"the {word} [MASK] was good" for word in ("cat", "dog", "film", "city")]


class Held:
    """Runs a task; the first call waits for `go`. calls: the inputs of each call."""

    def __init__(self, task: FillMask) -> None:
        self.task = task
        self.go = threading.Event()
        self.calls: list[list[str]] = []
        self.tokens: list[CancelToken] = []

    def __call__(self, texts: list[str], *, cancel: CancelToken, top_k: int = 2) -> Any:
        self.calls.append(texts)
        self.tokens.append(cancel)
        assert self.go.wait(20)
        return self.task(texts, top_k=top_k, cancel=cancel)


@pytest.fixture(scope="module")
def fill(models: dict[str, Path]) -> FillMask:
    return FillMask.from_pretrained(models["masked"])


@pytest.fixture
def held(fill: FillMask) -> Held:
    return Held(fill)


@pytest.fixture
def reports() -> list[BatchReport]:
    return []


@pytest.fixture
def batcher(reports: list[BatchReport]) -> Iterator[Batcher]:
    found = Batcher("test", BUDGET, reports.append)
    found.start()
    yield found
    found.stop()
    assert not found.is_alive


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    pytest.fail("the condition never came true")


def run(
    batcher: Batcher, held: Held, *requests: tuple[list[str], dict[str, Any]], tokens: int = 5
) -> list[list[Any] | BaseException]:
    """Results of the requests, which wait together behind a first one."""

    async def main() -> list[Any]:
        first = asyncio.create_task(batcher.submit(Operation(held), [TEXTS[0]], [5]))
        await until(lambda: len(held.calls) == 1)
        others = [
            asyncio.create_task(batcher.submit(Operation(held, tuple(options.items())), texts, [tokens] * len(texts)))
            for texts, options in requests
        ]
        await until(lambda: batcher.waiting == len(requests))
        held.go.set()
        await first
        return await asyncio.gather(*others, return_exceptions=True)

    return asyncio.run(main())


def test_waiting_requests_run_in_one_call(batcher: Batcher, held: Held, fill: FillMask) -> None:
    found = run(batcher, held, *[([text], {}) for text in TEXTS])
    assert held.calls == [[TEXTS[0]], TEXTS]
    assert [one[0] for one in found] == fill(TEXTS, top_k=2)  # type: ignore[index]


def test_idle_engine_runs_a_request_at_once(batcher: Batcher, held: Held, reports: list[BatchReport]) -> None:
    held.go.set()
    asyncio.run(batcher.submit(Operation(held), TEXTS[:1], [5]))
    assert held.calls == [TEXTS[:1]]
    while not reports:
        pass
    assert (reports[0].texts, reports[0].tokens, len(reports[0].waits)) == (1, 5, 1)


def test_calls_stay_within_the_budget_of_tokens(batcher: Batcher, held: Held, fill: FillMask) -> None:
    found = run(batcher, held, (TEXTS * 3, {}), (TEXTS[:2], {}), tokens=7)
    assert [len(call) for call in held.calls[1:]] == [2] * 7
    assert found == [fill(TEXTS * 3, top_k=2), fill(TEXTS[:2], top_k=2)]


def test_text_above_the_budget_runs_alone(batcher: Batcher, held: Held) -> None:
    run(batcher, held, (TEXTS, {}), tokens=BUDGET + 1)
    assert [len(call) for call in held.calls] == [1] * 5


def test_part_of_a_large_request_goes_behind_the_others(batcher: Batcher, held: Held) -> None:
    run(batcher, held, (TEXTS * 2, {}), ([TEXTS[0]], {"top_k": 3}))
    assert held.calls[1:] == [TEXTS, [TEXTS[0]], TEXTS]


def test_other_options_run_in_another_call(batcher: Batcher, held: Held, fill: FillMask) -> None:
    found = run(batcher, held, ([TEXTS[0]], {}), ([TEXTS[1]], {"top_k": 3}), ([TEXTS[2]], {}))
    assert held.calls[1:] == [[TEXTS[0], TEXTS[2]], [TEXTS[1]]]
    assert found == [fill([TEXTS[0]], top_k=2), fill([TEXTS[1]], top_k=3), fill([TEXTS[2]], top_k=2)]


def test_wrong_text_fails_its_own_request_only(batcher: Batcher, held: Held, fill: FillMask) -> None:
    wrong = [TEXTS[1], "no mask"]
    good, bad = run(batcher, held, (TEXTS[:1], {}), (wrong, {}))
    assert good == fill(TEXTS[:1], top_k=2)
    with pytest.raises(InputError) as alone:
        fill(wrong)
    assert isinstance(bad, InputError)
    assert str(bad) == str(alone.value)


def test_wrong_text_in_a_later_part_has_its_number_in_the_request(batcher: Batcher, held: Held, fill: FillMask) -> None:
    texts = [*TEXTS, *TEXTS, "no mask"]
    [bad] = run(batcher, held, (texts, {}))
    with pytest.raises(InputError) as alone:
        fill(texts)
    assert str(bad) == str(alone.value)


def test_cancelled_request_does_not_run(batcher: Batcher, held: Held) -> None:
    async def main() -> None:
        first = asyncio.create_task(batcher.submit(Operation(held), [TEXTS[0]], [5]))
        await until(lambda: len(held.calls) == 1)
        second = asyncio.create_task(batcher.submit(Operation(held), [TEXTS[1]], [5]))
        third = asyncio.create_task(batcher.submit(Operation(held), [TEXTS[2]], [5]))
        await until(lambda: batcher.waiting == 2)
        second.cancel()
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(first, third)

    asyncio.run(main())
    assert held.calls == [[TEXTS[0]], [TEXTS[2]]]
    assert not held.tokens[0].cancelled


def test_engine_stops_when_nobody_waits_any_more(batcher: Batcher, held: Held) -> None:
    async def main() -> None:
        task = asyncio.create_task(batcher.submit(Operation(held), [TEXTS[0]], [5]))
        await until(lambda: len(held.calls) == 1)
        task.cancel()
        await asyncio.sleep(0)
        assert held.tokens[0].cancelled
        held.go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await batcher.submit(Operation(held), [TEXTS[1]], [5])

    asyncio.run(main())


def test_worker_outlives_errors(batcher: Batcher, held: Held) -> None:
    def broken(_: list[str], *, cancel: CancelToken) -> Any:
        raise MemoryError

    async def main() -> None:
        with pytest.raises(MemoryError):
            await batcher.submit(Operation(broken), ["a"], [1])
        assert await batcher.submit(Operation(held), [TEXTS[0]], [5])

    held.go.set()
    asyncio.run(main())


def test_all_requests_can_be_failed(batcher: Batcher, held: Held) -> None:
    async def main() -> list[Any]:
        tasks: list[Awaitable[Any]] = [
            asyncio.create_task(batcher.submit(Operation(held), [text], [BUDGET])) for text in TEXTS
        ]
        await until(lambda: len(held.calls) == 1)
        batcher.fail_all(ServerError("unhealthy", "ends"))
        held.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [str(error) for error in asyncio.run(main())] == ["ends"] * 4
    assert len(held.calls) == 1
    with pytest.raises(CancelledError):
        held.task(TEXTS, cancel=held.tokens[0])


@pytest.fixture
def two_workers() -> Iterator[Batcher]:
    found = Batcher("test", BUDGET, lambda _: None, workers=2)
    found.start()
    yield found
    found.stop()
    assert not found.is_alive


def test_two_workers_run_two_calls_at_once(two_workers: Batcher, held: Held, fill: FillMask) -> None:
    async def main() -> list[Any]:
        tasks = []
        for number in range(2):
            tasks.append(asyncio.create_task(two_workers.submit(Operation(held), [TEXTS[number]], [5])))
            await until(lambda: len(held.calls) == len(tasks))
        tasks[0].cancel()
        await asyncio.sleep(0)
        assert [token.cancelled for token in held.tokens] == [True, False]
        held.go.set()
        return await tasks[1]

    assert asyncio.run(main()) == fill([TEXTS[1]], top_k=2)


def test_parts_of_a_request_may_end_in_any_order(two_workers: Batcher) -> None:
    ended = threading.Event()

    def lengths(texts: list[str], *, cancel: CancelToken) -> list[int]:
        if texts[0] == "a":
            assert ended.wait(20)
        elif texts[0] == "ccc":
            ended.set()
        return [len(text) for text in texts]

    found = asyncio.run(two_workers.submit(Operation(lengths), ["a", "bb", "ccc", "dddd"], [BUDGET // 2] * 4))
    assert found == [1, 2, 3, 4]


def test_results_are_rows_of_arrays_too(batcher: Batcher) -> None:
    def rows(texts: list[str], *, cancel: CancelToken) -> Any:
        return np.arange(len(texts), dtype=np.float32)[:, None]

    found = asyncio.run(batcher.submit(Operation(rows), ["a", "b"], [1, 1]))
    np.testing.assert_array_equal(found, [[0], [1]])


def test_no_inputs_need_no_call(batcher: Batcher, held: Held) -> None:
    assert asyncio.run(batcher.submit(Operation(held), [], [])) == []
    assert held.calls == []
