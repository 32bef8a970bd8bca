"""What makes a test score misleading stands beside it."""

from pathlib import Path

import numpy as np
from tests.corpus import write_photos

import seethrough as see
from seethrough.data.split import SplitPlan
from seethrough.runs.record import train
from seethrough.train.recipe import Recipe

RECIPE = Recipe(epochs=1, batch=8, peak_lr=0.01)
NETWORK = "conv 4 k3 p1, relu, maxpool 4, flatten, dense"


def test_a_leak_stands_among_the_warnings_of_the_report(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    write_photos(root / "train", {"cat": 8, "dog": 8}, px=40)
    write_photos(root / "test", {"cat": 4, "dog": 4}, px=40, seed=1)
    learned = sorted((root / "train" / "cat").iterdir())[0]
    (root / "test" / "cat" / "leaked.png").write_bytes(learned.read_bytes())
    run = train(see.load(root, image_px=16), network=NETWORK, recipe=RECIPE)
    assert run.report.warnings[0].startswith("Exact copies of other photos")
    assert any("also training photos: 1." in warning for warning in run.report.warnings)
    assert run.classifier.evaluate(run.dataset()).warnings == run.report.warnings


def test_val_without_test_is_named_beside_the_score(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    write_photos(root / "train", {"cat": 8, "dog": 8}, px=40)
    write_photos(root / "val", {"cat": 4, "dog": 4}, px=40, seed=1)
    run = train(see.load(root, image_px=16), network=NETWORK, recipe=RECIPE)
    assert "There is no test folder, so val is the test split." in run.report.warnings


def test_a_run_divides_its_photos_again_as_they_were_divided(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "pets", {"cat": 12, "dog": 12}, px=40)
    data = see.load(root, image_px=16, plan=SplitPlan(test=0.5, seed=3))
    run = train(data, network=NETWORK, recipe=RECIPE)
    assert run.report.images == 12
    assert np.array_equal(run.dataset().splits, data.splits)


def test_a_size_that_was_chosen_and_one_that_was_named_share_a_cache(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "pets", {"cat": 6, "dog": 6}, px=40)
    chosen = see.load(root)
    see.load(root, image_px=chosen.image_px)
    assert len(list((tmp_path / "cache" / "datasets").iterdir())) == 1
