"""Keeping what was tried, over HTTP: the new run says what trying it said."""

import shutil
import time

import numpy as np
import pytest

from seethrough.data.split import Split
from seethrough.explain.what_if import Change
from seethrough.model.checkpoint import weights_sha256
from seethrough.runs.folder import find_run, run_ids
from seethrough.serve import wire

EDIT = {"name": "conv2.weight", "index": [1, 0, 2, 2], "value": 0.75}


@pytest.fixture
def kept(client, trained):
    """The new run, when it was judged; it goes with the test."""
    question = {
        "weights": [EDIT],
        "off": [{"layer": "relu1", "unit": 2}],
        "temperature": 2.0,
        "weights_sha256": weights_sha256(trained.run.classifier.module),
    }
    answer = client.post(f"/api/runs/{trained.run.id}/keep", json=question)
    assert answer.status_code == 201, answer.text
    new = find_run(wire.RunSummary.model_validate(answer.json()).id, trained.runs_dir)
    while new.summary.is_live:
        time.sleep(0.05)
    yield new
    shutil.rmtree(new.folder)


def test_it_becomes_a_run_that_is_judged_on_the_same_photos(kept, client, trained):
    assert kept.summary.is_finished, (kept.folder / "output.txt").read_text()
    change = Change(weights={("conv2.weight", (1, 0, 2, 2)): 0.75}, off=(("relu1", 2),))
    dataset, classifier = trained.run.dataset(), trained.run.classifier
    wanted = [
        classifier.what_if(dataset.images[index], change).probabilities_after
        for index in dataset.indices(Split.TEST)
    ]
    np.testing.assert_allclose(kept.predictions.probabilities, wanted, atol=1e-6)
    detail = wire.RunDetail.model_validate(client.get(f"/api/runs/{kept.id}").json())
    assert detail.edited.run == trained.run.id
    assert detail.edited.changes[1:] == ["unit 2 of relu1 switched off"]
    assert detail.summary.test_accuracy == kept.report.accuracy


@pytest.mark.parametrize(
    ("question", "status", "what"),
    [
        ({"temperature": 2.0}, 409, "Nothing of the network was changed."),
        ({"weights": [EDIT], "weights_sha256": "0" * 64}, 409, "The network has learned on"),
        ({"off": [{"layer": "flatten", "unit": 0}]}, 404, "cannot be"),
        ({"weights": [{**EDIT, "name": "conv9.weight"}]}, 404, "There is no weight"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(client, trained, question, status, what):
    before = run_ids(trained.runs_dir)
    answer = client.post(f"/api/runs/{trained.run.id}/keep", json=question)
    assert answer.status_code == status, answer.text
    assert what in answer.json()["what"]
    assert run_ids(trained.runs_dir) == before
