"""The page at / in headless Chromium: each panel, by keyboard, light and dark. Nothing is loaded from elsewhere."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api

import mobilebert_rt as mbrt
from tests.server.process import Server

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """The page; any request to another server and any error of its script fails the test."""
    found = browser.new_page()
    problems: list[str] = []
    found.on("request", lambda request: None if request.url.startswith(server.url) else problems.append(request.url))
    found.on("pageerror", lambda error: problems.append(str(error)))
    found.goto(server.url)
    yield found
    found.close()
    assert problems == []


def result(page: Any, panel: str) -> Any:
    """The output of a panel once it has something."""
    output = page.locator(f"#{panel} output")
    output.locator(":scope > *").first.wait_for()
    return output


def run(page: Any, panel: str, **fields: str) -> Any:
    for name, text in fields.items():
        page.fill(f"#{panel} [name={name}]", text)
    page.click(f"#{panel} button")
    return result(page, panel)


def test_similarity_is_a_heat_map(page: Any, models: dict[str, Path]) -> None:
    texts = ["the cat", "a dog in paris", "the film was good"]
    output = run(page, "similarity", texts="\n".join(texts) + "\n\n")
    cells = [float(text) for text in output.locator("td").all_inner_texts()]
    vectors = mbrt.TextEmbedder.from_pretrained(models["embed"])(texts)
    assert cells == pytest.approx((vectors @ vectors.T).ravel().tolist(), abs=0.006)
    colours = output.locator("td").evaluate_all("cells => cells.map(cell => cell.style.background)")
    assert len(set(colours)) > 2


def test_labels_are_bars_best_first(page: Any, models: dict[str, Path]) -> None:
    output = run(page, "classify", text="the film was good", labels="city, film, dog")
    expected = mbrt.ZeroShotClassifier.from_pretrained(models["nli"])("the film was good", ["city", "film", "dog"])
    assert output.locator("th").all_inner_texts() == list(expected.labels)
    widths = output.locator(".bar").evaluate_all("bars => bars.map(bar => parseFloat(bar.style.width))")
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 0


def test_answer_is_marked_in_the_paragraph(page: Any, models: dict[str, Path]) -> None:
    context = "\N{GRINNING FACE} ada lovelace wrote the notes in london"  # two units of UTF-16 before the answer
    output = run(page, "answer", context=context, question="who wrote notes?")
    expected = mbrt.QuestionAnswerer.from_pretrained(models["squad"])("who wrote notes?", context)[0]
    assert output.locator("mark").inner_text() == expected.text
    assert output.locator("p").first.inner_text() == context


def test_tokens_and_layers(page: Any) -> None:
    output = run(page, "profile", text="the cats")
    assert output.locator(".token").all_inner_texts() == ["[CLS]", "the", "cat", "s", "[SEP]"]
    names = output.locator("th").all_inner_texts()
    assert sum(name.startswith("layer") for name in names) == 2
    assert re.match(r"5 tokens, [\d.]+ ms", output.locator("p").nth(1).inner_text())


def test_error_is_shown(page: Any) -> None:
    output = run(page, "similarity", texts="\n")
    assert "inputs: found an empty list" in output.locator(".error").inner_text()


def test_page_works_by_keyboard(page: Any) -> None:
    page.focus("#classify [name=labels]")
    page.keyboard.press("Enter")
    result(page, "classify")
    page.focus("#answer [name=question]")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    result(page, "answer")
    assert page.locator("input, textarea, button").evaluate_all("all => all.every(one => one.labels !== null)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_light_or_dark_and_fits_a_phone(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    for panel in ("similarity", "classify", "answer", "profile"):
        run(page, panel)
    colour = page.evaluate("getComputedStyle(document.querySelector('a')).color")
    assert colour == {"light": "rgb(20, 88, 168)", "dark": "rgb(125, 180, 245)"}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_key_of_the_page_is_sent(browser: Any, models: dict[str, Path]) -> None:
    with Server(str(models["embed"]), MBRT_SERVE_API_KEY="secret") as locked:
        page = browser.new_page()
        page.goto(locked.url)
        assert "authorization" in run(page, "similarity").inner_text()
        page.fill("#key", "secret")
        page.click("#similarity button")
        page.locator("#similarity output table").wait_for()
        page.close()


def test_page_says_when_no_model_can_do_it(browser: Any, models: dict[str, Path]) -> None:
    with Server(str(models["embed"])) as alone:
        page = browser.new_page()
        page.goto(alone.url)
        assert "model embed: cannot answer questions" in run(page, "answer").inner_text()
        assert "cosines of text and label" in run(page, "classify", text="the cat").inner_text()
        page.close()
