"""Files of published networks: from a folder, from the hub's cache, and over HTTP from a hub."""

import json

import huggingface_hub.constants as hub_constants
import pytest

from seethrough.errors import CheckpointError, SpecError
from seethrough.model.hub.snapshot import snapshot, weights

from .hub import running
from .tiny import COMMIT, PREPROCESSING

FILES = {
    "config.json": b'{"model_type": "resnet"}',
    "preprocessor_config.json": json.dumps(PREPROCESSING).encode(),
    "README.md": b"---\nlicense: mit\n---\nA network.\n",
    "model.safetensors": bytes(3_000_000),
}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine, and an empty cache."""
    with running() as hub:
        template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(hub_constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(hub_constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(hub_constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(hub_constants, "HF_HUB_OFFLINE", False)
        hub.files["some/net"] = dict(FILES)
        yield hub


def test_files_are_fetched_once_and_what_is_here_is_told(hub):
    told = []
    found = snapshot("hf:some/net", lambda *said: told.append(said))
    assert found.revision == COMMIT
    assert found.reference == f"hf:some/net@{COMMIT}"
    assert found.fields("config.json") == {"model_type": "resnet"}
    assert found.licence() == "mit"
    assert not any(
        "safetensors" in asked for asked in hub.asked
    )  # not before it is known to be of use
    path = weights(found, lambda *said: told.append(said))
    assert path.read_bytes() == FILES["model.safetensors"]
    of_weights = [(done, total) for file, done, total in told if file == "model.safetensors"]
    assert of_weights[-1] == (3_000_000, 3_000_000)
    assert [done for done, _ in of_weights] == sorted(done for done, _ in of_weights)
    hub.asked.clear()
    assert weights(snapshot("hf:some/net")) == path
    assert not any(asked.startswith("GET") for asked in hub.asked)


def test_a_revision_is_a_branch_or_a_commit(hub):
    assert snapshot("hf:some/net@main") == snapshot(f"hf:some/net@{COMMIT}")
    with pytest.raises(CheckpointError, match="no revision 'v9'"):
        snapshot("hf:some/net@v9")


def test_without_a_network_what_was_fetched_is_taken_and_nothing_else(hub, monkeypatch):
    found = snapshot("hf:some/net")
    weights(found)
    monkeypatch.setattr(hub_constants, "HF_HUB_OFFLINE", True)
    assert snapshot("hf:some/net") == found
    assert weights(found).exists()
    with pytest.raises(
        CheckpointError, match=r"config\.json of hf:some/other cannot be fetched"
    ) as caught:
        snapshot("hf:some/other")
    assert "HF_HUB_OFFLINE" in caught.value.why


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch, tmp_path):
    with running() as gone:
        address = gone.address
    monkeypatch.setattr(hub_constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(hub_constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(hub_constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub_constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the library tries again, seconds apart
    with pytest.raises(CheckpointError, match="cannot be fetched") as caught:
        snapshot("hf:some/net")
    assert address in caught.value.why
    assert "hf:./folder" in caught.value.fix


def test_a_card_may_be_missing_or_say_nothing_that_can_be_read(hub):
    del hub.files["some/net"]["README.md"]
    assert snapshot("hf:some/net").licence() is None
    hub.files["some/odd"] = FILES | {"README.md": b"---\nlicense: [\n---\n"}
    assert snapshot("hf:some/odd").licence() is None
    named = b"---\nlicense: other\nlicense_name: house-rules\n---\n"
    hub.files["some/own"] = FILES | {"README.md": named}
    assert snapshot("hf:some/own").licence() == "house-rules"


def test_a_gated_an_unknown_and_a_failing_repository_are_told_apart(hub):
    hub.refused["a/gated"] = (403, "GatedRepo")
    hub.refused["a/broken"] = (418, "")
    with pytest.raises(CheckpointError, match="who accepted its conditions") as caught:
        snapshot("hf:a/gated")
    assert "hf auth login" in caught.value.fix
    with pytest.raises(CheckpointError, match="no network hf:no/such"):
        snapshot("hf:no/such")
    with pytest.raises(CheckpointError, match="cannot be fetched") as caught:
        snapshot("hf:a/broken")
    assert "418" in caught.value.why


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("pytorch_model.bin", "without running code"),
        ("model.safetensors.index.json", "in several files"),
        (None, "has no model.safetensors"),
    ],
)
def test_without_safetensors_it_is_refused(hub, tmp_path, other, words):
    files = {name: content for name, content in FILES.items() if name != "model.safetensors"}
    if other is not None:
        files[other] = b"\x80\x04"
    hub.files["some/old"] = files
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for reference in ("hf:some/old", f"hf:{tmp_path}"):
        with pytest.raises(CheckpointError, match=words):
            weights(snapshot(reference))
    assert not any(asked.startswith("GET") and "bin" in asked for asked in hub.asked)


def test_without_a_preprocessing_it_is_refused_with_what_to_write(hub, tmp_path):
    files = {name: content for name, content in FILES.items() if "preprocessor" not in name}
    hub.files["some/bare"] = files
    (tmp_path / "config.json").write_bytes(files["config.json"])
    for reference in ("hf:some/bare", f"hf:{tmp_path}"):
        with pytest.raises(CheckpointError, match=r"no preprocessor_config\.json") as caught:
            snapshot(reference)
        assert "image_mean" in caught.value.fix


@pytest.mark.parametrize("words", ["hf:", "hf:net", "hf:a/b/c", "hf:a/b@", "hf:a b/c", "hf:@main"])
def test_words_that_name_no_network_are_refused(words):
    with pytest.raises(SpecError, match="names no network"):
        snapshot(words)


def test_a_folder_without_its_path_is_asked_for_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    with pytest.raises(SpecError, match="names no network") as caught:
        snapshot("hf:mine")
    assert "hf:./mine" in caught.value.fix


def test_a_folder_is_found_from_anywhere_afterwards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    found = snapshot("hf:./")
    assert (found.reference, found.revision) == (f"hf:{tmp_path}", None)
    with pytest.raises(CheckpointError, match="no folder"):
        snapshot("hf:./nowhere")


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path, content):
    for name, each in FILES.items():
        (tmp_path / name).write_bytes(each)
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"config\.json of .* cannot be read"):
        snapshot(f"hf:{tmp_path}").fields("config.json")
