"""Changing something over HTTP, against the network itself."""

import json

import numpy as np
import pytest
import torch

from seethrough.data.alter import Alteration, altered
from seethrough.serve.routes_try import LIMIT_BYTES
from seethrough.serve.wire.trying import PAINTED, UNITS, WEIGHTS


@pytest.fixture
def base(trained):
    return f"/api/runs/{trained.run.id}/photos/t3"


def probabilities(module, pixels):
    batch = torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))[None]
    module.eval()
    with torch.inference_mode():
        return torch.softmax(module(batch)[0].double(), 0).float().numpy()


def numbers(client, base, found):
    answer = client.get(f"{base}/what-if/activations?change_id={found['change_id']}")
    assert answer.status_code == 200
    return np.frombuffer(answer.content, dtype="<f4")


def test_a_question_without_a_change_is_answered_with_the_trace(client, base):
    trace = client.get(f"{base}/trace").json()
    found = client.post(f"{base}/what-if", json={}).json()
    assert found["changed"] == []
    assert found["probabilities"] == found["probabilities_after"] == trace["probabilities"]
    assert found["weights_sha256"] == trace["weights_sha256"]
    told = numbers(client, base, found)
    assert found["photo_offset"] == found["floats"] == trace["floats"]
    there = np.frombuffer(client.get(f"{base}/activations").content, dtype="<f4")
    assert np.array_equal(told[: trace["floats"]], there)


def test_a_covered_photo_is_judged_as_those_pixels(client, base, trained):
    question = {"photo": {"cover": [2, 3, 18, 20], "paint": [[0, 0, 255, 0, 9]]}}
    found = client.post(f"{base}/what-if", json=question).json()
    alteration = Alteration(cover=(2, 3, 18, 20), paint=((0, 0, 255, 0, 9),))
    pixels = altered(trained.run.dataset().images[3], alteration)
    expected = probabilities(trained.run.classifier.module, pixels)
    assert np.float32(found["probabilities_after"]).tolist() == expected.tolist()
    photo = numbers(client, base, found)[found["photo_offset"] :]
    assert np.array_equal(photo.reshape(3, *pixels.shape[:2]), pixels.transpose(2, 0, 1))


def test_weights_units_functions_and_temperature_are_changed_together(client, base, trained):
    question = {
        "weights": [{"name": "conv1.weight", "index": [3, 0, 1, 1], "value": 0.5}],
        "off": [{"layer": "relu1", "unit": 2}],
        "functions": {"relu2": "gelu"},
        "temperature": 2.0,
    }
    found = client.post(f"{base}/what-if", json=question).json()
    module = trained.run.classifier.module.eval()
    with torch.no_grad():
        module.conv1.weight[3, 0, 1, 1] = 0.5
    values = torch.from_numpy(
        trained.run.dataset().images[3].transpose(2, 0, 1).astype(np.float32)
    )[None]
    with torch.inference_mode():
        for name, layer in module.named_children():
            values = torch.nn.functional.gelu(values) if name == "relu2" else layer(values)
            if name == "relu1":
                values[:, 2] = 0
    expected = torch.softmax(values[0].double() / 2, 0).numpy()
    np.testing.assert_allclose(found["probabilities_after"], expected, rtol=1e-6)
    np.testing.assert_allclose(found["logits_after"], values[0].numpy(), rtol=1e-6)
    changed = {one["layer"]: one for one in found["changed"]}
    assert 3 in changed["conv1"]["units"]
    assert all(len(one["units"]) == len(one["largest"]) for one in found["changed"])
    trace = client.get(f"{base}/trace").json()
    (relu,) = [layer for layer in trace["layers"] if layer["name"] == "relu1"]
    size = relu["shape"][1] * relu["shape"][2]
    start = relu["offset"] + 2 * size
    assert not numbers(client, base, found)[start : start + size].any()


def test_the_whole_answer_is_the_message_and_its_numbers_in_one(client, base, trained):
    pixels = trained.run.dataset().images[3]
    for question in ({}, {"temperature": 2.0, "photo": {"cover": [2, 3, 18, 20]}}):
        found = client.post(f"{base}/what-if", json=question).json()
        answer = client.post(f"{base}/what-if/whole", json=question)
        assert answer.status_code == 200
        length = int.from_bytes(answer.content[:4], "little")
        assert length % 4 == 0
        told = json.loads(answer.content[4 : 4 + length])
        assert told | {"elapsed_ms": 0} == found | {"elapsed_ms": 0}
        values = np.frombuffer(answer.content[4 + length :], dtype="<f4")
        assert np.array_equal(values, numbers(client, base, found))
        assert len(values) == found["photo_offset"] + pixels.size


def test_the_run_is_the_same_afterwards(client, base, trained):
    before = client.get(f"{base}/trace").json()
    files = {path: path.read_bytes() for path in trained.run.folder.rglob("*.safetensors")}
    edit = {"name": "dense1.bias", "index": [0], "value": 50.0}
    changed = client.post(f"{base}/what-if", json={"weights": [edit]}).json()
    assert changed["probabilities_after"] != changed["probabilities"]
    again = client.get(f"{base}/trace").json()
    assert again["probabilities"] == before["probabilities"]
    assert again["weights_sha256"] == before["weights_sha256"]
    assert files
    assert files == {path: path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ({"off": [{"layer": "relu1", "unit": 99}]}, 404, "relu1 has no unit 99"),
        ({"off": [{"layer": "flatten", "unit": 0}]}, 404, "cannot be switched off"),
        ({"weights": [{"name": "x", "index": [0], "value": 1}]}, 404, "no weight 'x'"),
        ({"photo": {"blur_px": -1}}, 422, "blur_px is -1"),
        ({"photo": {"paint": [[99, 0, 0, 0, 0]]}}, 422, "no pixel in row 99"),
        ({"temperature": 0}, 422, "The temperature is 0"),
        ({"functions": {"relu1": "sine"}}, 422, "is not what this address takes"),
        ({"photo": {"plain": [256, 0, 0]}}, 422, "is not what this address takes"),
        ({"photo": {"path": "/etc"}}, 422, "is not what this address takes"),
        ({"off": [{"layer": "relu1", "unit": 0}] * (UNITS + 1)}, 422, "is not what"),
        ({"photo": {"paint": [[0, 0, 0, 0, 0]] * (PAINTED + 1)}}, 422, "is not what"),
        (
            {"weights": [{"name": "x", "index": [0], "value": 1}] * (WEIGHTS + 1)},
            422,
            "is not what",
        ),
        ({"weights_sha256": "0" * 64}, 409, "has learned on"),
    ],
)
def test_what_cannot_be_is_refused_with_three_sentences(client, base, question, status, said):
    for address in ("what-if", "what-if/whole"):
        answer = client.post(f"{base}/{address}", json=question)
        assert answer.status_code == status
        assert said in answer.json()["what"]
        assert answer.json()["why"]
        assert answer.json()["fix"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_a_number_that_is_none_is_refused(client, base, value):
    body = f'{{"weights": [{{"name": "dense1.bias", "index": [0], "value": {value}}}]}}'
    answer = client.post(
        f"{base}/what-if", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_the_largest_question_that_is_allowed_is_answered(client, base):
    paint = [[row % 20, column % 20, 255, 255, 255] for row in range(64) for column in range(64)]
    edits = [{"name": "dense1.bias", "index": [0], "value": 0.123456789}] * WEIGHTS
    off = [{"layer": "relu1", "unit": 2}] * UNITS
    question = {"photo": {"paint": paint}, "weights": edits, "off": off}
    assert len(paint) == PAINTED
    assert len(json.dumps(question)) < LIMIT_BYTES
    assert client.post(f"{base}/what-if", json=question).status_code == 200


def test_a_body_that_is_too_large_or_no_json_is_not_taken_in(client, base):
    taken = []

    async def endless():
        while True:
            taken.append(1)
            yield b" " * 50_000

    answer = client.post(
        f"{base}/what-if", content=endless(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert len(taken) <= LIMIT_BYTES // 50_000 + 2
    assert client.post(f"{base}/what-if", content=b"x").status_code == 415
    assert client.post(f"{base}/what-if/whole", content=b"x").status_code == 415
    answer = client.post(
        f"{base}/what-if", content=b"{", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


def test_numbers_that_are_not_kept_any_more_are_asked_for_again(client, base):
    first = client.post(f"{base}/what-if", json={"temperature": 2.0}).json()
    for temperature in (3.0, 4.0):
        client.post(f"{base}/what-if", json={"temperature": temperature})
    gone = client.get(f"{base}/what-if/activations?change_id={first['change_id']}")
    assert gone.status_code == 404
    assert "ask the same question again" in gone.json()["fix"]
    assert client.post(f"{base}/what-if", json={"temperature": 2.0}).json() | {
        "elapsed_ms": 0
    } == first | {"elapsed_ms": 0}
