"""One step of a run that Muon trains: the lines of a weight that moves with its whole kernel."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
from playwright.sync_api import expect
from tests.browser.back import turn
from tests.browser.window import exact

from seethrough.data.load import load
from seethrough.model.spec import parse
from seethrough.runs.continued import continuation
from seethrough.runs.folder import Run
from seethrough.runs.record import train
from seethrough.serve.server import Address, running_server
from seethrough.train.place import Place
from seethrough.train.recipe import Optimizer, Recipe

LAYERS = "conv 4 k3 s2, norm, relu, conv 6 k3, norm, relu, maxpool 2, flatten, dense"


@dataclass(frozen=True)
class Trained:
    run: Run
    address: Address


@pytest.fixture(scope="module")
def muon(photos, tmp_path_factory) -> Iterator[Trained]:
    """A small network after one epoch; conv2 is its only kernel between first and last."""
    place = tmp_path_factory.mktemp("muon")
    recipe = Recipe(
        epochs=1, batch=24, optimizer=Optimizer.MUON, peak_lr=0.01, unit_kernels=True, seed=3
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        run = train(
            load(photos, image_px=32),
            network=parse(LAYERS, image_px=32),
            recipe=recipe,
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
        with running_server(place / "runs") as address:
            yield Trained(run, address)


def assert_adds_up(line: str) -> bool:
    """Whether it is a sum; then it holds to the last digit."""
    if " = " not in line:
        return False
    left, right = line.split(" = ")
    first, *others = re.split(r" (?=[+−] )", left)
    signed = [(exact(each[2:]), each[0]) for each in others]
    total = exact(first) + sum(size if sign == "+" else -size for size, sign in signed)
    assert total == exact(right), line
    return True


def assert_product(line: str) -> None:
    """A product is what its factors make, as far as they are shown."""
    left, right = line.split(" ≈ ")
    factors = [exact(each) for each in left.split(" × ") if "√" not in each]
    if len(factors) == 2:
        unit = Decimal(1).scaleb(exact(right).as_tuple().exponent)
        product = factors[0] * factors[1]
        assert abs(product - exact(right)) <= unit + abs(product) / 1000, line


def taken_apart(window, at):
    """The rendered update of a number of conv2's unit 3; its index."""
    page = window.page
    update = page.get_by_role("region", name="The update")
    window.quiet()
    number = page.get_by_role("region", name="Weights").locator("button[data-at]").nth(at)
    _, place = number.get_attribute("aria-label").split(": ")[0].split(" ")
    number.click()
    expect(update.get_by_role("heading")).to_have_text(re.compile(rf"conv2\.weight\s+{place}"))
    window.quiet()
    return update, tuple(map(int, place.split(",")))


def assert_lines(update) -> Decimal:
    """Every line as it is rendered; the new weight."""
    expect(update.locator(".check")).to_contain_text("✓ recomputed")
    shown = update.locator(".digits span").all_inner_texts()
    products = [line for line in shown if "≈" in line and " × " in line]
    assert sum(map(assert_adds_up, shown)) == 2 + 5 + 2  # v' and u, x₁ to x₅, decay and step
    assert len(products) >= 2 + 2 + 5 * 3
    for line in products:
        assert_product(line)
    names = update.locator("tr.line th").all_inner_texts()
    formulas = update.locator("tr.line .formula").all_inner_texts()
    assert formulas[4:9] == [
        f"x{new} = a·x{old} + b·y + c·z" for old, new in zip("₀₁₂₃₄", "₁₂₃₄₅", strict=True)
    ]
    assert "unit length" in " ".join(names)
    expect(update).to_contain_text("6 × 36 matrix")
    # all but the decay are held against what the training's own code has
    held = [text for text in update.locator("tr.line td.apart").all_inner_texts() if text]
    assert len(held) == len(names) - 1
    new = exact(update.locator("b").inner_text())
    assert exact(shown[-1].split(" = ")[1]) == new
    return new


def test_a_weight_that_muon_moves_is_taken_apart_in_digits_that_add_up(open_window, muon):
    window = open_window(muon.address, muon.run.id)
    window.look()
    turn(window, "One step")
    window.unit("conv2", 3).click()
    for at in (0, 5):
        update, _ = taken_apart(window, at)
        assert_lines(update)


def test_on_the_run_s_batch_it_arrives_at_the_weight_that_training_takes_next(open_window, muon):
    own = continuation(muon.run)
    window = open_window(muon.address, muon.run.id)
    window.look()
    turn(window, "One step")
    window.unit("conv2", 3).click()
    window.page.get_by_text("the run’s batch", exact=True).click()
    expect(window.page.locator("[data-part=batch]")).to_contain_text("24 photos")
    for times in (1, 2):
        if times == 2:
            window.page.get_by_role("button", name="One step more").click()
            expect(window.page.get_by_label("Steps taken")).to_have_text("2")
        expected = own.take().new_weights["conv2.weight"]
        update, place = taken_apart(window, 2)
        new = assert_lines(update)
        assert float(new) == pytest.approx(float(expected[place]), abs=1e-7)
