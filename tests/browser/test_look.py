"""Look: from the whole network to one multiplication, and back."""

import re

from playwright.sync_api import expect
from tests.browser.window import exact

PAINTED = """() => {
  const canvas = document.querySelector('.sheet > canvas');
  const all = canvas.getBoundingClientRect();
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [...document.querySelectorAll('.sheet > .frame')].every((frame) => {
    const box = frame.getBoundingClientRect();
    const x = Math.round(box.x - all.x + box.width / 2);
    const y = Math.round(box.y - all.y + box.height / 2);
    return data[4 * (y * canvas.width + x) + 3] === 255;
  });
}"""


def test_pointing_at_a_unit_draws_what_it_reads_and_tells_its_range(window):
    window.look()
    curves = window.network.locator("svg path")
    expect(curves).to_have_count(0)
    window.unit("conv2", 3).hover()
    expect(curves).to_have_count(16)
    expect(window.network.locator(".tag")).to_contain_text("conv2 · 3")
    window.unit("relu2", 3).hover()
    expect(curves).to_have_count(1)
    window.unit("softmax", 1).hover()
    expect(curves).to_have_count(6)
    window.page.mouse.move(5, 5)
    expect(curves).to_have_count(0)


def test_a_click_on_a_unit_opens_the_bench_with_every_channel(window):
    window.look()
    window.select("conv3", 7)
    page = window.page
    expect(page.get_by_role("heading", name="conv3 · unit 7")).to_be_visible()
    expect(page.get_by_role("region", name="The unit")).to_contain_text(
        "3 × 3 kernel over 16 maps of relu2, stride 1, padding 1."
    )
    channels = page.get_by_role("region", name="Channel by channel")
    expect(channels.get_by_role("button", name=re.compile("^channel "))).to_have_count(16)
    # input map, kernel and partial map of each: none of the 48 pictures is empty
    expect(channels.locator(".frame")).to_have_count(48)
    window.quiet()
    assert page.evaluate(PAINTED)
    window.path_becomes(f"/look/{window.run}/t\\d+/conv3/7")


def test_a_channel_that_is_chosen_comes_to_the_top_of_the_factors(window):
    window.look()
    window.select("conv3", 7)
    channels = window.page.get_by_role("region", name="Channel by channel")
    top = window.page.get_by_role("region", name="Every factor").locator(".channel").first
    last = window.page.locator("[aria-label='Every factor'] .channel").nth(2).inner_text()
    channels.get_by_role("button", name=f"channel {last[1:]}", exact=True).click()
    expect(top).to_have_text(last)


def test_a_click_on_a_cell_holds_it_and_puts_it_into_the_address(window):
    window.look()
    window.select("conv4", 2)
    window.point(6, 1, size=(8, 8))
    window.page.mouse.down()
    window.page.mouse.up()
    window.path_becomes(f"/look/{window.run}/t\\d+/conv4/2/6,1")
    expect(window.page.get_by_role("region", name="The unit")).to_contain_text("Held")
    before = window.sentence.inner_text()
    box = window.map.bounding_box()
    window.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 2)
    expect(window.map).to_have_attribute("aria-label", re.compile("cell 6, 1: "))
    assert window.sentence.inner_text() == before


def test_arrow_keys_move_the_cell_and_stop_at_the_edge(window):
    window.look()
    window.select("conv4", 2)
    window.point(7, 3, size=(8, 8))
    window.map.focus()
    for key, row, column in [
        ("ArrowRight", 7, 4),
        ("ArrowUp", 6, 4),
        ("ArrowDown", 7, 4),
        ("ArrowDown", 7, 4),
        ("ArrowLeft", 7, 3),
    ]:
        window.page.keyboard.press(key)
        expect(window.sentence).to_contain_text(f"conv4, unit 2, row {row}, column {column}: ")
        window.path_becomes(f"/look/{window.run}/t\\d+/conv4/2/{row},{column}")


def test_play_moves_the_window_by_itself_until_pause(window):
    window.look()
    window.select("conv4", 2)
    window.point(0, 0, size=(8, 8))
    play = window.page.get_by_role("button", name="Play")
    play.click()
    moved = re.compile(r"row (0, column [2-7]|[1-7], column \d): ")
    expect(window.sentence).to_have_text(moved)
    window.page.get_by_role("button", name="Pause").click()
    expect(play).to_be_visible()
    paused = window.map.get_attribute("aria-label")
    window.page.get_by_role("button", name="Step").click()
    expect(window.map).not_to_have_attribute("aria-label", paused)


def test_reloading_leads_to_the_same_cell_and_the_same_digits(window):
    window.look()
    window.select("conv1", 9)
    window.point(3, 12, size=(16, 16))
    window.path_becomes(f"/look/{window.run}/t\\d+/conv1/9/3,12")
    before = window.page.get_by_role("region", name="The sum").inner_text()
    window.page.reload()
    expect(window.sentence).to_contain_text("conv1, unit 9, row 3, column 12: ")
    assert window.page.get_by_role("region", name="The sum").inner_text() == before


def test_back_and_forward_walk_through_what_was_looked_at(window):
    window.look()
    window.select("conv1", 3)
    window.select("pool1", 4)
    window.page.go_back()
    expect(window.sentence).to_have_text(re.compile("^conv1, unit 3,"))
    window.page.go_back()
    expect(window.page.get_by_role("region", name="The unit")).to_have_count(0)
    window.page.go_forward()
    window.page.go_forward()
    expect(window.sentence).to_have_text(re.compile("^pool1, unit 4,"))


def test_another_photo_is_shown_at_the_same_unit(window):
    window.look()
    window.select("conv2", 1)
    before = window.sentence.inner_text()
    window.page.locator(".photos a:not([aria-current])").nth(3).click()
    expect(window.sentence).not_to_have_text(before)
    window.path_becomes(f"/look/{window.run}/t\\d+/conv2/1.*")


def test_the_probabilities_on_the_screen_are_those_of_the_terminal(window, studio):
    window.look()
    photo = int(window.path().split("/")[3].removeprefix("t"))
    pixels = studio.run.dataset().images[photo]
    expected = studio.run.classifier.predict(pixels).probabilities
    bars = window.network.locator(".bars [data-unit]")
    expect(bars).to_have_count(6)
    for bar in bars.all():
        name = bar.locator(".name").evaluate("(name) => name.firstChild.textContent")
        shown = bar.locator(".num").inner_text()
        if not shown.startswith(("<", ">")):
            assert abs(float(exact(shown)) / 100 - expected[name]) <= 0.0005 + 1e-9


def test_the_way_through_needs_no_mouse(window):
    window.enter(f"/look/{window.run}")
    expect(window.unit("softmax", 0)).to_be_visible()
    page = window.page
    focused = "document.activeElement?.dataset?.unit ?? null"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(focused) is not None:
            break
    assert page.evaluate(focused) == "0"
    while not page.evaluate("document.activeElement.ariaLabel").startswith("conv2"):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    name = page.evaluate("document.activeElement.ariaLabel")
    assert re.fullmatch(r"conv2, unit \d+", name)
    page.keyboard.press("Enter")
    expect(window.map).to_be_focused()
    expect(window.sentence).to_have_text(re.compile(f"^{name}, row "))
    before = window.sentence.inner_text()
    page.keyboard.press("ArrowLeft" if ", column 15: " in before else "ArrowRight")
    expect(window.sentence).not_to_have_text(before)
    page.keyboard.press("Escape")
    expect(window.network.get_by_role("button", name=name, exact=True)).to_be_focused()


def test_a_click_on_a_unit_that_was_pointed_at_asks_for_its_equation_once(window):
    window.look()
    page = window.page
    window.quiet()
    with page.expect_request("**/equation?*layer=conv3&unit=7*") as asked:
        window.unit("conv3", 7).hover()
    asked.value.response()
    later = []
    page.on("request", lambda request: later.append(request.url))
    window.select("conv3", 7)
    assert [url for url in later if "/equation" in url] == []


def test_an_arrow_key_asks_for_the_cell_after_the_next_one(window):
    window.look()
    window.select("conv3", 7)
    page = window.page
    window.point(3, 3, size=(16, 16))
    window.map.focus()
    with page.expect_request("**/equation?*row=3&column=5*") as asked:
        page.keyboard.press("ArrowRight")
    asked.value.response()
    expect(window.sentence).to_contain_text(", row 3, column 4: ")
    later = []
    page.on("request", lambda request: later.append(request.url))
    page.keyboard.press("ArrowRight")
    expect(window.sentence).to_contain_text(", row 3, column 5: ")
    assert [url for url in later if "column=5" in url] == []
