"""`--from hf:…` from the command line, with a real cache of the hub and without the hub itself."""

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image
from tests.model.hub.hub import running
from tests.model.hub.tiny import COMMIT, cached, network, saved


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """HF_HOME with a ResNet that was fetched before."""
    home = tmp_path_factory.mktemp("home")
    cached(home, "tiny/resnet", network("resnet"))
    return home


@pytest.fixture
def offline(home, tmp_path):
    """The program in a process of its own, as a user without network has it."""
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_HUB_CACHE", None)

    def command(*words):
        return subprocess.run(
            [sys.executable, "-m", "seethrough", *map(str, words)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return command


@pytest.fixture
def shapes(tmp_path):
    """Twelve photos of each of two colours."""
    for label, colour in (("red", (180, 40, 40)), ("blue", (40, 40, 180))):
        place = tmp_path / "shapes" / label
        place.mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (30, 30), tuple(each + number for each in colour)).save(
                place / f"{number}.png"
            )
    return tmp_path / "shapes"


def test_a_cached_network_trains_and_its_run_opens_without_the_cache(offline, shapes, seethrough):
    asked = ("--from", "hf:tiny/resnet", "--epochs", 2, "--seed", 3)
    trained = offline("train", shapes, *asked)
    assert trained.returncode == 0, trained.stderr
    assert "licence apache-2.0" in trained.stderr
    assert "mean 0.485, 0.456, 0.406" in trained.stderr
    assert "24 px" in trained.stderr  # as it was published
    (run,) = seethrough("runs", "--json").json  # here nobody knows of that cache
    assert (run["start"], run["licence"]) == (f"hf:tiny/resnet@{COMMIT}", "apache-2.0")
    verified = seethrough("verify", run["id"], "--cells", 10, "--json")
    assert verified.code == 0, verified.out
    assert verified.json["adds_up"] == 1
    assert verified.json["unknown"] == []


def test_ctrl_c_while_weights_are_fetched_leaves_no_run_and_no_half_file(shapes, tmp_path):
    files = saved(tmp_path / "mine", network("resnet")).iterdir()
    home, program = tmp_path / "home", []

    def press(file):
        if file == "model.safetensors":
            program[0].send_signal(signal.SIGINT)
            program[0].wait()

    with running() as hub:
        hub.files["tiny/resnet"] = {file.name: file.read_bytes() for file in files}
        hub.before_content = press
        environment = {**os.environ, "HF_HOME": str(home), "HF_ENDPOINT": hub.address}
        for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE"):
            environment.pop(name, None)
        words = (sys.executable, "-m", "seethrough", "train", shapes, "--from", "hf:tiny/resnet")
        with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as opened:
            program.append(opened)
            told = opened.stderr.read()
    assert opened.returncode == 130, told
    assert "Traceback" not in told
    assert not (tmp_path / "runs").exists()
    assert not list(home.rglob("model.safetensors"))
    assert list(home.rglob("config.json"))


def test_runs_names_what_a_run_began_with(seethrough, shapes, tmp_path):
    folder = saved(tmp_path / "mine", network("resnet"), licence=None)
    ended = seethrough(
        "train", shapes, "--from", f"hf:{folder}", "--image-px", 16, "--epochs", 1, "--json"
    )
    assert ended.code == 0, ended.err
    listed = " ".join(seethrough("runs").out.split())
    assert "mine from" in listed
    assert "(" not in listed.partition("hf:…/mine")[2]


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        ("hf:nobody/nothing", "cannot be fetched", "HF_HUB_OFFLINE"),
        ("hf:resnet", "names no network", "hf:./folder"),
        ("hf:./nowhere", "no folder", "save_pretrained"),
    ],
)
def test_what_cannot_be_had_ends_with_three_lines_and_code_2(
    seethrough, shapes, monkeypatch, words, what, fix
):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    ended = seethrough("train", shapes, "--from", words)
    assert ended.code == 2
    assert what in ended.err
    assert "why:" in ended.err
    assert fix in ended.err
    assert "Traceback" not in ended.err


def _cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _of_another(folder):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"embedding_size": 4}))


def _impossible(folder):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden_sizes": [8]}))


def _no_json(folder):
    (folder / "config.json").write_text("{")


@pytest.mark.parametrize("damage", [_cut, _of_another, _impossible, _no_json])
def test_a_damaged_network_is_refused_before_a_photo_is_read(seethrough, tmp_path, damage):
    folder = saved(tmp_path / "mine", network("resnet"))
    empty = tmp_path / "empty"  # no photos to learn from: refused as soon as they are looked for
    empty.mkdir()
    words = ("train", empty, "--from", f"hf:{folder}")
    whole = seethrough(*words)
    assert whole.code == 2
    assert "empty: no photos in it" in whole.err
    damage(folder)
    ended = seethrough(*words)
    assert ended.code == 2
    assert f"hf:{folder}" in ended.err
    assert "photos" not in ended.err.replace(str(tmp_path), "")
    assert "why:" in ended.err
    assert "fix:" in ended.err
    assert "Traceback" not in ended.err


def test_only_a_published_network_may_have_another_size(seethrough, shapes):
    ended = seethrough("train", shapes, "--from", "cifar10", "--image-px", 16)
    assert ended.code == 2
    assert "hf:…" in ended.err
