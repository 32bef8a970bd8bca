"""A run of several labels in the studio: all its labels are told, and nothing of one class is."""

import re
from decimal import Decimal

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.train.shapes import LABELS, NETWORK, PX, written

from seethrough.data.load import load
from seethrough.data.split import Split
from seethrough.model.spec import parse
from seethrough.runs.record import train
from seethrough.serve.server import running_server
from seethrough.train.place import Place
from seethrough.train.recipe import Recipe

DIGITS = re.compile(r"[\u2212-]?\d+(?:\.\d+)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """A finished run, its photos, and a server that looks at it."""
    place = tmp_path_factory.mktemp("several")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(place / "cache"))
        photos = load(place / "photos", labels=written(place, 160), image_px=PX)
        run = train(
            photos,
            network=parse(NETWORK, image_px=PX),
            recipe=Recipe(epochs=4, batch=16, peak_lr=0.1, shift_px=1, seed=2),
            runs_dir=place / "runs",
            place=Place(threads=1),
        )
        with running_server(place / "runs") as address:
            yield run, photos, address


@pytest.fixture
def window(several, open_window):
    run, _, address = several
    return open_window(address, run.id)


def test_the_report_tells_how_often_all_labels_are_right_and_leads_to_a_labels_photos(
    window, several
):
    run, photos, _ = several
    window.enter(f"/report/{window.run}")
    page = window.page
    lead = page.get_by_role("region", name="Accuracy")
    expect(lead).to_contain_text("all labels right")
    expect(lead).to_contain_text(f"{100 * run.report.accuracy:.1f}\N{NO-BREAK SPACE}%")
    table = page.get_by_role("region", name="Label by label")
    for score in run.report.per_label:
        row = table.get_by_role("row").filter(has_text=score.label)
        expect(row).to_contain_text(f"{score.average_precision:.3f}")
    table.get_by_role("link", name=LABELS[2]).click()
    window.path_becomes(f"/photos/{window.run}")
    shown = int(photos.labels[photos.indices(Split.TEST), 2].sum())
    expect(page.get_by_role("status").first).to_contain_text(f"of {shown} photos")


def test_look_ends_with_a_probability_for_each_label(window, several):
    run, photos, _ = several
    number = int(photos.indices(Split.TEST)[-1])
    window.enter(f"/look/{window.run}/t{number}")
    page = window.page
    expect(window.network).to_contain_text("sigmoid of 3 logits")
    shown = ", ".join(photos.shown(number)) or "no label"
    expect(window.network).to_contain_text(f"True labels: {shown}.")
    expect(page.locator("body")).not_to_contain_text(re.compile("softmax", re.IGNORECASE))
    said = run.classifier.predict(photos.images[number].copy()).probabilities
    bars = window.network.locator(".bars button[data-unit]")
    expect(bars).to_have_count(3)
    for bar, (name, share) in zip(bars.all(), said.items(), strict=True):
        expect(bar).to_contain_text(name)
        assert float(bar.get_attribute("title") or "nan") == pytest.approx(share, abs=1e-6)
    bars.first.click()
    expect(page.locator("[data-bench='point']")).to_be_visible()


def test_the_way_back_begins_at_the_labels_that_are_chosen(window, several):
    run, photos, _ = several
    number = int(photos.indices(Split.TEST)[-1])
    window.enter(f"/look/{window.run}/t{number}?mode=backwards")
    page = window.page
    choice = page.get_by_role("group", name="true labels")
    own = photos.shown(number)
    for name in LABELS:
        pressed = str(name in own).lower()
        expect(choice.get_by_role("button", name=name)).to_have_attribute("aria-pressed", pressed)
    choice.get_by_role("button", name=LABELS[1]).click()
    there = [name for name in LABELS if (name in own) != (name == LABELS[1])]
    back = run.classifier.backward(np.array(photos.images[number]), there)
    loss = page.get_by_role("group", name="The loss")
    expect(loss).to_contain_text(f"of 3 labels = {back.loss:.4f}")
    shown = ", ".join(own) or "no label"
    expect(loss).to_contain_text(f"its labels are {shown}")
    bars = window.network.locator(".bars button[data-unit]")
    for bar, name in zip(bars.all(), LABELS, strict=True):
        p, wanted, gradient = (
            Decimal(cell.replace("\u2212", "-")) for cell in DIGITS.findall(bar.inner_text())
        )
        assert wanted == (name in there)
        assert p - wanted == gradient
    bars.first.click()
    panel = page.locator("[data-bench='back']")
    expect(panel).to_contain_text("divided by the number of labels")
    expect(panel.get_by_role("region", name="Every label")).to_be_visible()
    expect(panel.get_by_role("region", name="The sum")).to_contain_text("(p \u2212 y) / 3 =")
    page.get_by_text("One step", exact=True).click()
    step = run.classifier.learning_step(np.array(photos.images[number]), there, run.manifest.recipe)
    expect(page.locator("[data-part='step']").first).to_contain_text(f"{step.loss_after:.4f}")
    expect(page.get_by_role("group", name="Learns from")).to_have_count(0)


@pytest.mark.parametrize("mode", ["forwards", "backwards", "step"])
def test_on_a_phone_nothing_reaches_out_of_the_page(window, several, mode):
    _, photos, _ = several
    number = int(photos.indices(Split.TEST)[-1])
    window.page.set_viewport_size({"width": 390, "height": 844})
    window.enter(f"/look/{window.run}/t{number}?mode={mode}")
    expect(window.network).to_be_visible()
    if mode == "backwards":
        expect(window.page.get_by_role("group", name="The loss")).to_contain_text("of 3 labels =")
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_train_tells_of_all_labels(window, several):
    run, _, _ = several
    window.enter(f"/train/{window.run}")
    score = window.page.get_by_role("region", name="Accuracy and loss")
    expect(score).to_contain_text("with all labels right")
    expect(score).not_to_contain_text("chance")
    watched = window.page.get_by_role("region", name=re.compile("never seen"))
    expect(watched.get_by_role("link")).to_have_count(len(run.manifest.watched))


@pytest.mark.parametrize("view", ["time", "try", "compare"])
def test_a_view_of_one_class_says_that_it_does_not_know_several(window, view):
    other = f"/{window.run}" if view == "compare" else ""
    window.enter(f"/{view}/{window.run}{other}")
    page = window.page
    expect(
        page.get_by_role("heading", name=re.compile("does not know several labels"))
    ).to_be_visible()
    page.get_by_role("link", name="see how good it is").click()
    window.path_becomes(f"/report/{window.run}")
