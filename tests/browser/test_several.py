"""A run of several labels in the studio: all its labels are told, and nothing of one class is."""

import re

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
    expect(page.get_by_role("group", name="Direction")).to_have_count(0)
    expect(page.locator("body")).not_to_contain_text(re.compile("softmax", re.IGNORECASE))
    said = run.classifier.predict(photos.images[number].copy()).probabilities
    bars = window.network.locator(".bars button[data-unit]")
    expect(bars).to_have_count(3)
    for bar, (name, share) in zip(bars.all(), said.items(), strict=True):
        expect(bar).to_contain_text(name)
        assert float(bar.get_attribute("title") or "nan") == pytest.approx(share, abs=1e-6)
    bars.first.click()
    expect(page.locator("[data-bench='point']")).to_be_visible()


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
