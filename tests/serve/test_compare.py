"""The addresses that take two runs, against Python, and against the addresses of either run."""

import dataclasses
import shutil

import numpy as np
import pytest

from seethrough.runs.comparison import compare
from seethrough.runs.record import train
from seethrough.serve import wire
from seethrough.serve.app import create_app
from seethrough.train.place import Place

from .conftest import NETWORK, OWN_PAGE, PORT, TOKEN, Client


@pytest.fixture(scope="module")
def runs_dir(trained, tmp_path_factory):
    """A copy: other tests count the runs of the one that they share."""
    return shutil.copytree(trained.runs_dir, tmp_path_factory.mktemp("compared") / "runs")


@pytest.fixture(scope="module")
def client(runs_dir, other, portal):
    """One application for all: what it has compared it keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(runs_dir.parent / "cache"))
        yield Client(create_app(runs_dir, token=TOKEN, port=PORT), portal, OWN_PAGE)


@pytest.fixture(scope="module")
def found(trained, other):
    return compare(trained.run, other).to_dict()


@pytest.fixture(scope="module")
def other(trained, runs_dir, tmp_path_factory):
    """Another seed, and a wider first layer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEETHROUGH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return train(
            trained.photos,
            network=NETWORK.replace("conv 4", "conv 6"),
            recipe=dataclasses.replace(trained.run.manifest.recipe, seed=4),
            runs_dir=runs_dir,
            place=Place(threads=1),
        )


@pytest.fixture
def base(trained, other):
    return f"/api/runs/{trained.run.id}/compare/{other.id}"


def test_a_comparison_says_what_python_says(client, base, found):
    told = client.get(base).json()
    wire.ComparisonMessage.model_validate(told)
    for side in ("first", "second"):
        for name in ("run", "step", "network", "cost"):
            assert told[side][name] == found[side][name]
    assert told["settings"] == found["settings"]
    assert told["paired"] == found["paired"]
    assert told["disagreements"] == len(found["disagreements"])
    assert told["first"]["weights_sha256"] != told["second"]["weights_sha256"]


def test_disagreements_come_in_pages_and_by_who_is_right(client, base, found):
    found = found["disagreements"]
    told = client.get(f"{base}/photos").json()
    assert told == {"total": len(found), "photos": found}
    for right in ("first", "second", "neither"):
        page = client.get(f"{base}/photos?right={right}&limit=1").json()
        wanted = [each for each in found if each["right"] == right]
        assert page == {"total": len(wanted), "photos": wanted[:1]}


def test_a_matching_leads_from_the_weights_of_one_to_those_of_the_other(
    client, base, trained, other
):
    told = wire.MatchingMessage.model_validate(client.get(f"{base}/matching").json())
    photos = client.get(f"/api/runs/{trained.run.id}/photos").json()["total"]
    assert told.photos == photos
    layers = {layer.first: layer for layer in told.layers}
    conv1, conv2 = layers["conv1"], layers["conv2"]
    assert conv2.channels == layers["pool1"].units == conv1.units
    assert (conv1.num_second, len(conv1.units)) == (6, 4)
    assert layers["relu1"].weights_layer == "conv1"
    assert layers["norm1"].why_no_kernels == "norm1 is norm, which has no kernels."
    weights = []
    for run in (trained.run.id, other.id):
        answer = client.get(f"/api/runs/{run}/weights?layer=conv2")
        shape = [int(size) for size in answer.headers["x-shape"].split(",")]
        weights.append(np.frombuffer(answer.content, "<f4").reshape(shape))
    second = weights[1][conv2.units][:, conv2.channels]
    size = np.sqrt((weights[0] ** 2).sum() + (second**2).sum())
    assert conv2.distance == pytest.approx(np.linalg.norm(second - weights[0]) / size, rel=1e-5)


def test_a_moment_stands_beside_the_run_as_it_is(client, trained, other):
    run = trained.run.id
    told = client.get(f"/api/runs/{run}/compare/{run}?step=0").json()
    assert (told["first"]["step"], told["second"]["step"]) == (0, None)
    trace = client.get(f"/api/runs/{run}/photos/t0/trace?step=0").json()
    assert told["first"]["weights_sha256"] == trace["weights_sha256"]
    matching = client.get(f"/api/runs/{run}/compare/{run}/matching?other_step=0").json()
    assert matching["other_weights_sha256"] == trace["weights_sha256"]
    assert client.get(f"/api/runs/{run}/compare/{run}?step=99999").status_code == 409


def test_a_photo_is_found_in_the_other_by_its_content(client, base, trained, other):
    told = client.get(f"{base}/photos/t3").json()
    assert told["photo"]["id"] == told["other_photo"]["id"] == "t3"
    assert client.get(f"{base}/photos/t999").status_code == 404


def test_a_photo_that_the_other_never_had_goes_through_it_all_the_same(
    client, trained, runs_dir, tmp_path_factory
):
    few = tmp_path_factory.mktemp("few")
    for kind in ("red", "stripes"):
        (few / kind).mkdir()
        for path in sorted((trained.photos / kind).iterdir())[:10]:
            (few / kind / path.name).write_bytes(path.read_bytes())
    small = train(
        few,
        network=NETWORK,
        recipe=trained.run.manifest.recipe,
        runs_dir=runs_dir,
        place=Place(threads=1),
    )
    base = f"/api/runs/{trained.run.id}/compare/{small.id}"
    paths = {
        each["path"]: each["id"]
        for split in ("train", "test")
        for each in client.get(f"/api/runs/{small.id}/photos?split={split}").json()["photos"]
    }
    both, alone = (
        next(
            each
            for each in client.get(f"/api/runs/{trained.run.id}/photos?split=train").json()[
                "photos"
            ]
            if (each["path"] in paths) is is_shared
        )
        for is_shared in (True, False)
    )
    told = client.get(f"{base}/photos/{both['id']}").json()
    assert told["other_photo"]["id"] == paths[both["path"]]
    dropped = client.get(f"{base}/photos/{alone['id']}").json()["other_photo"]
    assert dropped["split"] == "dropped"
    assert client.get(f"/api/runs/{small.id}/photos/{dropped['id']}/trace").status_code == 200


@pytest.mark.parametrize("rest", ["", "/photos", "/matching", "/photos/t0"])
def test_a_run_that_is_not_there_is_refused(client, trained, rest):
    answer = client.get(f"/api/runs/{trained.run.id}/compare/nobody{rest}")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["what"]
