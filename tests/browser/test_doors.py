"""The way in: the link from the terminal, and nothing else."""

import re

from playwright.sync_api import expect
from tests.browser.window import address_of

from seethrough.serve.opening import Opening


def test_the_link_opens_the_studio_and_the_token_leaves_the_address(window):
    window.enter()
    expect(window.network).to_be_visible()
    assert window.path().startswith(f"/look/{window.run}/t")
    assert window.address.token not in address_of(window.page)
    assert window.page.evaluate("document.cookie") == ""


def test_without_the_link_there_is_only_a_page_that_says_how_to_get_in(window):
    window.statuses = {401}
    window.page.goto(f"{window.address.url}/look/{window.run}")
    heading = window.page.get_by_role("heading", name="Please open the link from the terminal")
    expect(heading).to_be_visible()
    assert window.run not in window.page.content()


def test_once_let_in_an_address_alone_is_enough(window):
    window.enter()
    expect(window.network).to_be_visible()
    window.page.goto(f"{window.address.url}/report/{window.run}")
    expect(window.page.get_by_role("heading", name="What it takes for what")).to_be_visible()


def test_the_header_leads_to_every_view_of_the_same_run(window):
    window.enter()
    expect(window.network).to_be_visible()
    views = window.page.get_by_role("navigation", name="Views")
    for name, words in {
        "Photos": "What it learned from",
        "Train": "Training of",
        "Report": "What it takes for what",
        "Runs": "Runs",
        "Look": "Look through",
    }.items():
        views.get_by_role("link", name=name, exact=True).click()
        expect(window.page).to_have_title(re.compile(rf"^{name} · "))
        expect(window.page.get_by_role("heading", name=words).first).to_be_attached()


def test_a_page_that_is_open_early_says_what_it_waits_for_and_goes_on_by_itself(
    studio, serve, open_window
):
    opening = Opening("Reading the photos")
    address = serve(studio.runs_dir, opening=opening)
    window = open_window(address, studio.run.id)
    window.enter("/")
    said = window.page.get_by_role("status")
    expect(said).to_have_text("Reading the photos…")
    opening.tell("Reading photos", 3400, 13800)
    expect(said).to_have_text("Reading photos: 3,400 of 13,800")
    bar = window.page.get_by_role("progressbar")
    expect(bar).to_have_attribute("aria-valuenow", "25")
    opening.end()
    expect(window.network).to_be_visible()
    assert window.path().startswith(f"/look/{window.run}/t")
