"""`export`: the file answers as the run does, and `verify` takes it."""

import numpy as np
from onnx.reference import ReferenceEvaluator

from seethrough.runs.folder import open_run


def test_a_run_becomes_a_file_that_answers_like_it_and_can_be_verified(
    seethrough, trained, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ("export", trained.id, "--runs-dir", trained.runs_dir)
    said = seethrough(*words, "--json")
    assert said.code == 0
    path = tmp_path / f"{trained.id}.onnx"
    assert said.json["path"] == path.name
    assert (said.json["kind"], said.json["bytes"]) == ("onnx", path.stat().st_size)
    assert said.json["largest_difference"] < 1e-6

    run = open_run(trained.id, trained.runs_dir)
    photos = run.dataset().images[: said.json["images"]]
    pixels = photos.transpose(0, 3, 1, 2).astype(np.float32)
    found = ReferenceEvaluator(str(path)).run(None, {"pixels": pixels})[0]
    assert np.abs(found - run.classifier.probabilities(photos)).max() < 1e-6

    again = seethrough(*words)
    assert again.code == 2
    assert "exists already" in again.err

    verified = seethrough("verify", path, "--cells", "40", "--json")
    assert verified.code == 0
    assert verified.json["adds_up"] == 1
    assert "network.conv1" in verified.json["layers"]
    assert verified.json["unknown"] == []
