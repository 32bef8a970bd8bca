"""Report: from a number to the photos behind it, and through the network at one of them."""

import re

import numpy as np
from playwright.sync_api import expect


def confusion(run) -> np.ndarray:
    """Counted again from what the network said of each test photo."""
    said, table = run.predictions, np.zeros((6, 6), dtype=int)
    labels = run.dataset().labels[said.index]
    np.add.at(table, (labels, said.probabilities.argmax(axis=1)), 1)
    return table


def test_the_accuracy_on_the_screen_is_the_share_of_right_test_photos(window, studio):
    window.enter(f"/report/{window.run}")
    table = confusion(studio.run)
    share = f"{100 * np.trace(table) / table.sum():.1f}"
    lead = window.page.get_by_role("region", name="Accuracy")
    expect(lead).to_contain_text(f"{share}\N{NO-BREAK SPACE}%")
    expect(lead).to_contain_text(f"{table.sum()} test photos")


def test_a_cell_of_the_matrix_leads_to_its_photos_and_on_to_look(window, studio):
    table = confusion(studio.run)
    wrong = table * (1 - np.eye(6, dtype=int))
    row, column = np.unravel_index(wrong.argmax(), wrong.shape)
    classes = studio.run.manifest.dataset.classes
    window.enter(f"/report/{window.run}")
    page = window.page
    page.get_by_role(
        "gridcell", name=re.compile(rf"^\d+ {classes[row]} photos named right")
    ).click()
    expect(page.get_by_role("heading", name=f"{classes[row]} named right")).to_be_visible()
    cell = page.locator(f"[data-cell='{row},{column}']")
    cell.click()
    title = f"{classes[row]} taken for {classes[column]} · {wrong[row, column]} photo"
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    tiles = page.get_by_role("region", name=title).get_by_role("link")
    expect(tiles).to_have_count(int(wrong[row, column]))
    assert page.evaluate("location.search") == f"?label={classes[row]}&predicted={classes[column]}"

    tiles.first.click()
    window.path_becomes(f"/look/{window.run}/t\\d+")
    expect(window.network).to_contain_text(f"True label: {classes[row]}. Wrong")
    best = window.network.locator(".bars .best")
    expect(best).to_contain_text(classes[column])
    page.go_back()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_the_matrix_works_from_the_keyboard(window, studio):
    classes = studio.run.manifest.dataset.classes
    window.enter(f"/report/{window.run}?label={classes[0]}&predicted={classes[0]}")
    page = window.page
    page.locator("[data-cell='0,0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-cell='1,1']")).to_be_focused()
    expect(page.get_by_role("heading", name=f"{classes[1]} named right")).to_be_visible()
