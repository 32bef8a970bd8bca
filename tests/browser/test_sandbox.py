"""The convolution sandbox: its digits against NumPy, its address, its keyboard, its places."""

import io
import random
from decimal import Decimal
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from tests.browser.counts import counts
from tests.browser.test_accessibility import tab_to
from tests.browser.window import Window, address_of, exact

PAD = {"zeros": "constant", "reflect": "reflect", "replicate": "edge"}
SETTINGS = [
    {},
    {"size": 16, "kernel": 5, "padding": 4, "fill": "reflect", "values": "blur", "at": "0,0"},
    {"size": 9, "stride": 2, "padding": 2, "fill": "replicate", "channel": "red", "at": "23,11"},
    {"size": 14, "dilation": 3, "stride": 3, "channel": "blue", "values": "emboss"},
    {"kernel": 2, "padding": 0, "values": "0.3333,-1.25,7,-0.0001", "channel": "green"},
    {"values": "unit-5-2", "channel": "blue", "padding": 2, "stride": 4},
]
SHOWN = """() => ({
  parts: [...document.querySelectorAll('.equation .part')].map((part) => part.textContent),
  sum: document.querySelector('.equation b').textContent})"""

PLACES = """() =>
  [...document.querySelectorAll('h2, [role=application], input[type=range]')].map((one) => {
    const box = one.getBoundingClientRect();
    return [one.id, Math.round(box.left), Math.round(box.top + scrollY)];
  })"""


def open_sandbox(window: Window, **query: object) -> Page:
    """Open the sandbox with these settings, until its equation stands."""
    window.enter(f"/sandbox/{window.run}?{urlencode(query)}")
    expect(window.page.locator(".equation")).to_be_visible()
    window.quiet()
    return window.page


def grid(page: Page, name: str) -> Locator:
    return page.get_by_role("application", name=f"The {name}, ")


def sentence(page: Page) -> Locator:
    return page.locator("p.sentence")


def asked(page: Page) -> dict[str, str]:
    return {key: value[0] for key, value in parse_qs(urlsplit(address_of(page)).query).items()}


def typed(page: Page, setting: str) -> Locator:
    return page.get_by_role("spinbutton", name=f"{setting}, typed")


def weights(page: Page) -> np.ndarray:
    """The kernel with all its digits, which stand in the titles."""
    cells = page.get_by_role("textbox", name="weight, row")
    flat = [float(title) for title in cells.evaluate_all("(all) => all.map((one) => one.title)")]
    side = round(len(flat) ** 0.5)
    return np.array(flat).reshape(side, side)


def span(settings: dict) -> int:
    """From a window's first pixel to its last."""
    return settings.get("dilation", 1) * (settings.get("kernel", 3) - 1) + 1


def chosen(chance: random.Random) -> dict:
    """Settings that go together: a window fits, and no more is reflected than is there."""
    kernel = chance.randint(1, 7)
    settings = {
        "size": chance.randint(5, 16),
        "kernel": kernel,
        "padding": chance.randrange(kernel),
        "fill": chance.choice(list(PAD)),
        "stride": chance.randint(1, 4),
        "dilation": chance.randint(1, 3),
        "channel": chance.choice(["grey", "red", "green", "blue"]),
        "values": ",".join(f"{chance.uniform(-3, 3):.4f}" for _ in range(kernel**2)),
    }
    settings["at"] = f"{chance.randint(0, 32 - 16)},{chance.randint(0, 32 - 16)}"
    is_reflected = settings["fill"] != "reflect" or settings["padding"] < settings["size"]
    fits = span(settings) <= settings["size"] + 2 * settings["padding"]
    return settings if fits and is_reflected else chosen(chance)


def ground(window: Window, settings: dict) -> np.ndarray:
    """The padded input from the photo's own pixels, 0 to 1."""
    photo = asked(window.page)["photo"]
    path = f"/api/runs/{window.run}/photos/{photo}/image?fitted=true"
    answer = window.page.context.request.get(window.address.url + path)
    pixels = np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB"), dtype=float)
    size, pad = settings.get("size", 12), settings.get("padding", 1)
    middle = (pixels.shape[0] - size) // 2
    row, column = map(int, settings.get("at", f"{middle},{middle}").split(","))
    crop = pixels[row : row + size, column : column + size]
    channel = settings.get("channel", "grey")
    if channel == "grey":
        one = np.floor(crop @ [299, 587, 114] / 1000 + 0.5)
    else:
        one = crop[..., ["red", "green", "blue"].index(channel)]
    return np.pad(one / 255, pad, mode=PAD[settings.get("fill", "zeros")])


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: urlencode(settings) or "first")
def test_digits_of_random_cells_add_up_and_equal_numpys_convolution(window, settings):
    page = open_sandbox(window, **settings)
    kernel = weights(page)
    assert np.any(kernel)
    padded = ground(window, settings)
    side = (len(padded) - span(settings)) // settings.get("stride", 1) + 1
    expect(page.get_by_test_id("size").locator("b")).to_have_text(str(side))
    box = grid(page, "output").bounding_box()
    chance = random.Random(f"{settings}")
    for _ in range(5):
        row, column = chance.randrange(side), chance.randrange(side)
        x, y = (column + 0.5) * box["width"] / side, (row + 0.5) * box["height"] / side
        grid(page, "output").click(position={"x": x, "y": y})
        expect(sentence(page)).to_contain_text(f"Output row {row}, column {column}: ")
        assert_equal(page, padded, kernel, settings, (row, column))


@pytest.mark.parametrize("count", counts(6, 60))
def test_digits_of_random_settings_add_up_and_equal_numpys_convolution(window, count):
    """Size, kernel, padding, border, stride, dilation, channel, crop, photo and cell at random."""
    page = open_sandbox(window)
    chance, photos = random.Random(61), window.photos()
    for _ in range(count):
        settings = chosen(chance)
        padded = settings["size"] + 2 * settings["padding"]
        side = (padded - span(settings)) // settings["stride"] + 1
        row, column = chance.randrange(side), chance.randrange(side)
        asked_for = {**settings, "photo": chance.choice(photos), "cell": f"{row},{column}"}
        window.go(f"/sandbox/{window.run}?{urlencode(asked_for)}")
        window.quiet()
        assert sentence(page).inner_text().startswith(f"Output row {row}, column {column}: ")
        assert page.get_by_test_id("size").locator("b").inner_text() == str(side)
        kernel = weights(page)
        assert ",".join(f"{weight:.4f}" for weight in kernel.ravel()) == settings["values"]
        assert_equal(page, ground(window, settings), kernel, settings, (row, column))


def assert_equal(
    page: Page, padded: np.ndarray, kernel: np.ndarray, settings: dict, cell: tuple[int, int]
) -> None:
    """The digits of a cell add up, and are NumPy's products and their sum, rounded."""
    stride, dilation = settings.get("stride", 1), settings.get("dilation", 1)
    shown = page.evaluate(SHOWN)
    parts, total = [exact(part) for part in shown["parts"]], exact(shown["sum"])
    assert sum(parts, Decimal(0)) == total
    rows, columns = (
        slice(at * stride, at * stride + dilation * (len(kernel) - 1) + 1, dilation) for at in cell
    )
    products = (padded[rows, columns] * kernel).ravel()
    unit = float(Decimal(1).scaleb(total.as_tuple().exponent))
    assert np.abs(np.array(parts, dtype=float) - products).max() < unit
    assert abs(float(total) - products.sum()) <= unit / 2 + 1e-9


def test_a_kernel_of_the_run_is_the_one_that_the_server_has(window, studio):
    page = open_sandbox(window, values="unit-5-2")
    answer = page.context.request.get(
        f"{window.address.url}/api/runs/{window.run}/weights?layer=conv1"
    )
    shape = [int(side) for side in answer.headers["x-shape"].split(",")]
    learned = np.frombuffer(answer.body(), dtype="<f4").reshape(shape)
    assert np.array_equal(weights(page), learned[5, 2])
    page.get_by_role("combobox", name="Channel of the learned kernel").select_option("red")
    expect(page.get_by_role("radio", name="red")).to_be_checked()
    assert np.array_equal(weights(page), learned[5, 0])


def test_a_link_shows_the_same_and_back_undoes_one_change(window):
    page = open_sandbox(
        window, size=9, kernel=2, padding=1, fill="replicate", values="1,-2,3.5,0", cell="3,2"
    )
    before = sentence(page).inner_text()
    assert before.startswith("Output row 3, column 2: 4 products")
    first = address_of(page)
    typed(page, "Stride").fill("2")
    typed(page, "Stride").press("Enter")
    expect(page.get_by_test_id("size").locator("b")).to_have_text("5")
    assert asked(page)["stride"] == "2"
    page.get_by_role("textbox", name="weight, row 0, column 1").fill("0.5")
    page.keyboard.press("Enter")
    expect(sentence(page)).not_to_have_text(before)
    assert asked(page)["values"] == "1,0.5,3.5,0"
    changed = sentence(page).inner_text()
    page.reload()
    expect(sentence(page)).to_have_text(changed)
    page.go_back()
    page.go_back()
    expect(sentence(page)).to_have_text(before)
    assert address_of(page) == first


def test_what_cannot_be_is_said_beforehand_and_refused(window):
    page = open_sandbox(window, size=5, padding=0)
    words = "At most 5: a window 6 px wide does not fit into 5 px."
    expect(page.get_by_text(words)).to_be_visible()
    typed(page, "Kernel").fill("7")
    typed(page, "Kernel").press("Enter")
    expect(typed(page, "Kernel")).to_have_value("5")
    expect(page.get_by_role("slider", name="Kernel")).to_have_value("5")
    expect(page.get_by_test_id("size").locator("b")).to_have_text("1")
    open_sandbox(window, size=5, padding=0, kernel=7, dilation=3)
    expect(page.get_by_text("The address asks for sizes that do not fit")).to_be_visible()


def test_what_is_never_reached_is_said(window):
    page = open_sandbox(window, size=12, padding=0, stride=2)
    expect(page.get_by_text("never reached (row 11 of the crop)")).to_be_visible()
    expect(page.get_by_test_id("size")).to_contain_text("⌊(12 + 2·0 − 1·(3 − 1) − 1) / 2⌋ + 1")


def test_with_the_keyboard_alone(window):
    page = open_sandbox(window)
    tab_to(page, r"^The photo; ")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => location.search.includes('at=')")
    tab_to(page, r"^The input, ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(sentence(page)).to_contain_text("Output row 1, column 2: ")
    page.wait_for_function("() => location.search.includes('cell=1%2C2')")
    page.keyboard.press("n")
    expect(sentence(page)).to_contain_text("Output row 1, column 3: ")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(sentence(page)).not_to_contain_text("Output row 1, column 3: ")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    tab_to(page, r"^weight, row 0, column 0$")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("() => location.search.includes('values=-0.9%2C0')")
    tab_to(page, r"^The output, ")


def test_a_weight_is_dragged_sideways(window):
    page = open_sandbox(window, values="identity")
    box = page.get_by_role("textbox", name="weight, row 1, column 1").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y)
    page.mouse.move(x - 60, y)
    page.mouse.up()
    expect(page.get_by_role("textbox", name="weight, row 1, column 1")).to_have_value("0")
    assert asked(page)["values"] == "0,0,0,0,0,0,0,0,0"


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_moves_and_nothing_reaches_over_the_edge(open_window, studio, width):
    window = open_window(studio.address, studio.run.id, width=width)
    page = open_sandbox(window)
    places = page.evaluate(PLACES)
    assert len(places) >= 6
    for setting, key in (("Kernel", "End"), ("Padding", "End"), ("Stride", "End")):
        page.get_by_role("slider", name=setting).press(key)
        assert window.overflow_px() == 0
        assert page.evaluate(PLACES) == places
    expect(page.get_by_role("slider", name="Kernel")).to_have_value("7")
    page.get_by_role("slider", name="Input").press("Home")
    page.get_by_role("slider", name="Dilation").press("End")
    page.get_by_role("slider", name="Padding").press("Home")
    assert page.evaluate(PLACES) == places
    assert asked(page)["stride"] == "4"
