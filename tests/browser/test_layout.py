"""What must hold for every view: it fits narrow windows, and nothing jumps."""

from playwright.sync_api import expect

SETTLED = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
# of the parts of a bench in the document: the page may be scrolled
PLACES = """() => [...document.querySelectorAll('.three > div, .bench > .below')].map((part) =>
  [part.offsetLeft, part.offsetTop, part.offsetWidth, part.offsetHeight])"""


def test_no_view_is_wider_than_a_phone(open_window, studio):
    window = open_window(studio.address, studio.run.id, width=390, height=844)
    page, run = window.page, studio.run.id
    window.look()
    photo = window.path().split("/")[3]
    inside = {
        f"/look/{run}/{photo}/{place}": f"{place.split('/')[0]} · unit"
        for place in ("conv1/5/3,3", "norm2/1", "pool1/0/1,1", "flatten/7", "dense1/2", "softmax/1")
    }
    found = {}
    for path, heading in {**inside, **views(run)}.items():
        page.goto(f"{studio.address.url}{path}")
        expect(page.get_by_role("heading", name=heading).first).to_be_attached()
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 844})
            page.evaluate(SETTLED)
            found[path, width] = window.overflow_px()
    assert found == dict.fromkeys(found, 0)


def views(run: str) -> dict[str, str]:
    """Where each view is, and a heading that it has."""
    return {
        f"/look/{run}": "Click any unit",
        f"/train/{run}": "The network",
        f"/train/{run}?curve=loss": "The network",
        f"/report/{run}": "What it takes for what",
        f"/photos/{run}": "Photos of each class",
        f"/time/{run}": "When it learned which photo",
        "/runs": "Runs",
    }


def test_hardly_anything_jumps_while_a_view_arrives(window, studio):
    window.enter()
    found = {}
    for path, heading in views(studio.run.id).items():
        window.page.goto(f"{studio.address.url}{path}")
        expect(window.page.get_by_role("heading", name=heading).first).to_be_attached()
        window.quiet()
        window.page.evaluate(SETTLED)
        found[path] = window.shift()
    assert {path: shift for path, shift in found.items() if shift >= 0.1} == {}


def test_nothing_jumps_between_a_click_and_its_equation(window):
    """Between layers the bench changes its kind, so a little may move; its parts stay for cells."""
    window.look()
    window.quiet()
    found = {}

    def seen(step: str) -> None:
        window.page.evaluate(SETTLED)
        found[step] = window.shift() - sum(found.values())

    seen("arriving")
    for layer, unit in [("conv3", 7), ("conv3", 8), ("pool1", 2), ("norm4", 3), ("conv5", 3)]:
        window.select(layer, unit)
        seen(f"{layer} {unit}")
    places = window.page.evaluate(PLACES)
    assert len(places) == 4
    for row, column in [(0, 0), (5, 6), (7, 7)]:
        window.point(row, column, size=(8, 8))
        seen(f"{row},{column}")
        assert window.page.evaluate(PLACES) == places
    assert {step: shift for step, shift in found.items() if shift >= 0.02} == {}


def test_both_papers_can_be_chosen_and_are_remembered(window):
    window.look()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = window.page.evaluate(ground)
    window.page.get_by_role("button", name="Switch to dark paper").click()
    dark = window.page.evaluate(ground)
    assert dark != light
    window.page.reload()
    expect(window.unit("softmax", 0)).to_be_visible()
    assert window.page.evaluate(ground) == dark


def test_the_name_at_the_top_leads_to_the_newest_run_from_everywhere(window, studio):
    for path in ("/runs", f"/report/{studio.run.id}"):
        window.enter(path)
        window.page.get_by_role("link", name="Seethrough, home").click()
        window.path_becomes(f"/look/{studio.run.id}/t\\d+")
        expect(window.unit("softmax", 0)).to_be_visible()
