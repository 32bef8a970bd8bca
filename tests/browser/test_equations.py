"""The digits on the screen, read like a reader reads them and added up with a pencil."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.window import exact, last

RNG = np.random.default_rng(11)

# Every text of the bench in one go: a list of tables, as they stand on the screen.
BLOCKS = """() => [...document.querySelectorAll('[aria-label="Every factor"] .row:not(.head)')].map(
  (row) => ({
    ...Object.fromEntries(['window', 'kernel', 'products'].map((name) => [name,
      [...row.querySelectorAll(`[aria-label^="${name} "] > span`)].map((tile) => ({
        shown: tile.textContent, title: tile.title, isPadding: tile.classList.contains('padding')
      }))])),
    sum: row.querySelector('.right').textContent
  }))"""
BARS = """() => [...document.querySelectorAll('[aria-label="The sum"] .waterfall .num')].map(
  (bar) => bar.textContent)"""
TERMS = """() => [...document.querySelectorAll('[aria-label="Every contribution"] .list .row')].map(
  (row) => row.querySelectorAll('.right')[2].textContent)"""
FACTS = """() => Object.fromEntries(
  [...document.querySelectorAll('[aria-label="The function"] dt')].map(
    (word) => [word.textContent, word.nextElementSibling.textContent]))"""


def added(shown) -> Decimal:
    return sum(map(exact, shown), Decimal(0))


def shown_sum(window) -> Decimal:
    """What stands behind the equals sign of the sum, once the page says that it was checked."""
    region = window.page.get_by_role("region", name="The sum")
    expect(region.locator(".check")).to_contain_text("✓ recomputed")
    return last(region.locator("li").first.inner_text())


def cells(rows: int, columns: int, count: int) -> list[tuple[int, int]]:
    """The corners, where padding is, and some others."""
    corners = [(0, 0), (0, columns - 1), (rows - 1, 0), (rows - 1, columns - 1)]
    others = [(int(RNG.integers(rows)), int(RNG.integers(columns))) for _ in range(count - 4)]
    return corners + others


def full(title: str) -> float:
    """The number with all its digits, behind the colon of a title."""
    return float(title.rpartition(": ")[2].replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize(
    ("layer", "unit", "channels", "kernel", "size", "padded"),
    [("conv1", 5, 3, 3, 16, 5), ("conv3", 11, 16, 3, 16, 5), ("conv6", 2, 16, 3, 4, 5)],
    ids=["stride 2, padding 1", "padding 1", "padding 1, small map"],
)
def test_every_shown_product_of_a_convolution_adds_up_to_the_shown_sum(
    window, layer, unit, channels, kernel, size, padded
):
    """`padded`: how many cells of the window at the first corner lie outside the map."""
    window.look()
    window.select(layer, unit)
    fold = window.page.get_by_role("region", name="Every factor").locator("[aria-expanded]")
    for number, (row, column) in enumerate(cells(size, size, 6)):
        window.point(row, column, size=(size, size))
        total = shown_sum(window)
        if fold.count():
            assert fold.get_attribute("aria-expanded") == "false"
            shown = [block["sum"] for block in window.page.evaluate(BLOCKS)]
            rest = fold.locator(".num").inner_text()
            assert added([*shown, rest]) == total
            fold.click()
        blocks = window.page.evaluate(BLOCKS)
        assert len(blocks) == channels
        for block in blocks:
            products = [tile["shown"] for tile in block["products"]]
            assert len(products) == kernel**2
            assert added(products) == exact(block["sum"])
            if number == 0:
                assert sum(tile["isPadding"] for tile in block["window"]) == padded
            for cell, weight, product in zip(
                block["window"], block["kernel"], block["products"], strict=True
            ):
                # Two float32 multiplied in float64 are exact.
                found = full(cell["title"]) * full(weight["title"])
                assert found == full(product["title"])
        assert added(block["sum"] for block in blocks) == total
        assert added(window.page.evaluate(BARS)) == total
        if fold.count():
            fold.click()


def test_batch_normalisation_shows_a_product_and_a_shift_that_add_up(window):
    window.look()
    window.select("norm2", 7)
    for row, column in cells(16, 16, 5):
        window.point(row, column, size=(16, 16))
        facts = window.page.evaluate(FACTS)
        assert exact(facts["product"]) + exact(facts["shift"]) == exact(facts["out"])
        assert added(window.page.evaluate(BARS)) == exact(facts["out"]) == shown_sum(window)
        about = exact(facts["in"]) * exact(facts["scale"])
        assert abs(about - exact(facts["product"])) < Decimal("0.01")


def test_pooling_marks_the_winner_and_passes_it_on(window):
    window.look()
    window.select("pool1", 4)
    bench = window.page.get_by_role("region", name="The window")
    for row, column in cells(8, 8, 6):
        window.point(row, column, size=(8, 8))
        tiles = bench.get_by_role("group", name="the window").locator("> span")
        shown = [exact(text) for text in tiles.all_inner_texts()]
        assert len(shown) == 4
        assert exact(bench.locator(".winner").inner_text()) == max(shown) == shown_sum(window)
        winner = [index for index, tile in enumerate(tiles.all()) if _is_winner(tile)]
        assert len(winner) == 1
        place = f"Cell {2 * row + winner[0] // 2},{2 * column + winner[0] % 2} is passed on"
        expect(bench).to_contain_text(place)


def _is_winner(tile) -> bool:
    return "winner" in tile.get_attribute("class").split()


def test_all_contributions_to_a_class_and_its_bias_add_up_to_its_logit(window):
    window.look()
    logits = []
    for unit in range(6):
        window.select_class("dense1", unit)
        fold = window.page.get_by_role("region", name="Every contribution").locator(
            "[aria-expanded]"
        )
        if fold.get_attribute("aria-expanded") == "false":
            folded = added(window.page.evaluate(TERMS)) + exact(fold.locator(".num").inner_text())
            fold.click()
        terms = window.page.evaluate(TERMS)
        assert len(terms) == 256
        bars = window.page.evaluate(BARS)
        bias = exact(bars[0])
        total = shown_sum(window)
        assert added(terms) + bias == total == added(bars)
        if unit == 0:
            assert folded == added(terms)
        assert all(abs(exact(a)) >= abs(exact(b)) - Decimal("0.0001") for a, b in pairwise(terms))
        logits.append(total)
    window.select_class("softmax", 0)
    table = window.page.get_by_role("region", name="Softmax").get_by_role("table")
    inputs = table.locator("tbody td:nth-of-type(1)").all_inner_texts()
    assert max(abs(exact(text) - logit) for text, logit in zip(inputs, logits, strict=True)) < 1e-3


def test_the_exponentials_of_softmax_add_up_and_their_shares_are_the_probabilities(window):
    window.look()
    shares = []
    for unit in range(6):
        window.select_class("softmax", unit)
        table = window.page.get_by_role("region", name="Softmax").get_by_role("table")
        powers = table.locator("tbody td:nth-of-type(2)").all_inner_texts()
        total = exact(table.locator("tfoot td").nth(1).inner_text())
        assert added(powers) == total == added(window.page.evaluate(BARS))
        region = window.page.get_by_role("region", name="The sum")
        probability = exact(region.locator(".result b").inner_text())
        assert abs(exact(powers[unit]) / total - probability) < Decimal("0.0005")
        shares.append(probability)
    assert abs(sum(shares) - 1) < Decimal("0.001")
