"""checkpoint.py: whatever happens to the bytes is noticed before a tensor is used."""

import hashlib
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seethrough.errors import CheckpointError
from seethrough.model.build import build
from seethrough.model.checkpoint import (
    DIGEST,
    load_into,
    pack,
    read,
    unpack,
    weights_sha256,
)
from seethrough.model.make import restore
from seethrough.model.presets import preset
from seethrough.model.spec import parse

SPEC = parse("conv 2 k3, norm, relu, maxpool 2, flatten, dense", image_px=8)
NOTES = {"step": "12", "network": 'a "quoted" name, ü'}


def _network(seed: int = 0) -> torch.nn.Sequential:
    return build(SPEC, num_classes=3, mean=(0.5,) * 3, std=(0.2,) * 3, seed=seed)


def _content() -> bytes:
    return pack(_network().state_dict(), NOTES)


def test_what_is_packed_is_read_back_bit_for_bit(tmp_path):
    state = _network().state_dict()
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pack(state, NOTES))
    tensors, notes = read(path)
    assert notes == NOTES
    assert tensors.keys() == state.keys()
    for name, tensor in state.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_any_safetensors_reader_opens_the_file(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(_content())
    with safetensors.safe_open(path, framework="pt") as file:
        assert {key: file.metadata()[key] for key in NOTES} == NOTES
        assert torch.equal(file.get_tensor("conv1.weight"), _network().conv1.weight)


def test_the_same_weights_give_the_same_bytes_in_another_process():
    # The library writes metadata in another order in every process.
    notes = {letter: letter for letter in "abcdefgh"}
    code = (
        "import torch, hashlib; from seethrough.model.checkpoint import pack;"
        f"content = pack({{'b': torch.arange(3), 'a': torch.ones(2)}}, {notes!r});"
        "print(hashlib.sha256(content).hexdigest())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    content = pack({"b": torch.arange(3), "a": torch.ones(2)}, dict(reversed(notes.items())))
    assert said.strip() == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("length", [0x180, 0x280, 0x580, 0x4B50])
def test_a_header_whose_length_looks_like_a_pickle_s_first_bytes_is_read(length):
    lengths = {}
    for size in range(length - 200, length):
        content = pack({"a": torch.ones(2)}, {"note": "x" * size})
        lengths[int.from_bytes(content[:8], "little")] = content
    tensors, _ = unpack(lengths[length], name="whole")
    assert tensors["a"].tolist() == [1, 1]


def test_memory_layout_and_shared_memory_change_nothing():
    network = _network()
    flat = pack(network.state_dict(), {})
    assert pack(network.to(memory_format=torch.channels_last).state_dict(), {}) == flat
    shared = torch.arange(6.0)
    tensors, _ = unpack(pack({"a": shared, "b": shared[:3]}, {}), name="shared")
    assert tensors["b"].tolist() == [0, 1, 2]


def _mutations(content: bytes, count: int, seed: int) -> list[tuple[str, bytes]]:
    """Flipped bits, cut ends, blanked blocks, swapped pieces, added bytes."""
    rng = random.Random(seed)
    header = 8 + int.from_bytes(content[:8], "little")
    made = []
    for number in range(count):
        kind = ("flip", "cut", "blank", "swap", "add", "flip head", "repeat")[number % 7]
        changed = bytearray(content)
        place = rng.randrange(len(content))
        if kind == "flip":
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == "flip head":
            place = rng.randrange(header)
            changed[place] ^= 1 << rng.randrange(8)
        elif kind == "cut":
            del changed[place:]
        elif kind == "blank":
            changed[place : place + 64] = bytes(len(changed[place : place + 64]))
        elif kind == "swap":
            other = rng.randrange(len(content))
            changed[place], changed[other] = changed[other], changed[place]
        elif kind == "add":
            changed[place:place] = bytes([rng.randrange(256)])
        else:
            changed[place:place] = changed[place : place + 16]
        if bytes(changed) != content:
            made.append((f"{kind} at {place}", bytes(changed)))
    return made


def test_each_of_300_mutations_is_noticed():
    content = _content()
    mutations = _mutations(content, 350, seed=1)
    assert len(mutations) >= 300
    for name, changed in mutations:
        with pytest.raises(CheckpointError, match="damaged, or was not written"):
            unpack(changed, name=name)


def test_every_single_flipped_bit_of_the_header_is_noticed():
    content = _content()
    length = int.from_bytes(content[:8], "little")
    for place in range(8 + length):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            with pytest.raises(CheckpointError, match="damaged"):
                unpack(bytes(changed), name=f"{place}.{bit}")


def test_every_cut_is_noticed():
    content = _content()
    for end in range(len(content)):
        with pytest.raises(CheckpointError, match="damaged"):
            unpack(content[:end], name=f"{end} bytes")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_foreign_bytes_are_refused(content):
    with pytest.raises(CheckpointError, match=r"damaged|is a pickle"):
        unpack(content, name="foreign")


headers = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["__metadata__", DIGEST, "a"]), inner, max_size=3)
    ),
)


@settings(max_examples=200, deadline=None)
@given(headers)
def test_foreign_headers_are_refused(header):
    raw = json.dumps(header).encode()
    with pytest.raises(CheckpointError, match="damaged"):
        unpack(len(raw).to_bytes(8, "little") + raw, name="foreign")


def test_safetensors_of_another_program_are_refused():
    content = safetensors.torch.save(_network().state_dict(), {"format": "pt"})
    with pytest.raises(CheckpointError, match="not written by this program"):
        unpack(content, name="theirs.safetensors")


@pytest.mark.parametrize(
    "notes",
    [
        '{"seethrough.sha256": "%s"}',  # a space that this program does not write
        '{"seethrough.sha256":"%s","note":"\\"seethrough.sha256\\":\\"%s\\""}',
        '{"seethrough.sha256":"%s","seethrough.sha256":"%s"}',
    ],
)
def test_a_digest_that_is_written_in_another_way_is_refused(notes):
    digest = "a" * 64
    raw = ('{"__metadata__":' + notes.replace("%s", digest) + "}").encode()
    with pytest.raises(CheckpointError, match="damaged"):
        unpack(len(raw).to_bytes(8, "little") + raw, name="rewritten")


def test_a_pickle_is_refused_and_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    old = tmp_path / "old.pt"
    old.write_bytes(pickle.dumps(Trap()))
    new = tmp_path / "new.pt"
    torch.save({"weights": torch.zeros(3)}, new)
    for path in (old, new):
        with pytest.raises(CheckpointError, match="is a pickle") as caught:
            read(path)
        assert "safetensors" in caught.value.fix
    assert not (tmp_path / "sprung").exists()


def test_a_header_of_gigabytes_is_refused_by_its_length_alone():
    content = (2**40).to_bytes(8, "little") + b"{" * 100
    with pytest.raises(CheckpointError, match="damaged"):
        unpack(content, name="bomb")
    with pytest.raises(CheckpointError, match="header of these weights would have"):
        pack({}, {"note": "x" * 9_000_000})


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors cannot be read") as caught:
        read(tmp_path / "none.safetensors")
    assert "No such file" in caught.value.why


def test_weights_of_another_network_are_refused_and_change_nothing():
    network = _network()
    before = weights_sha256(network)
    state = _network(seed=1).state_dict()
    without = {name: tensor for name, tensor in state.items() if name != "conv1.weight"}
    cases = [
        (without, "missing: conv1.weight"),
        ({**state, "conv9.weight": torch.zeros(1)}, "not in the network: conv9.weight"),
        ({**state, "conv1.weight": torch.zeros(2, 3, 5, 5)}, r"\(2, 3, 5, 5\)"),
        ({**state, "dense1.weight": state["dense1.weight"].double()}, "torch.float64"),
        ({**state, "norm1.num_batches_tracked": torch.tensor(0.0)}, "num_batches_tracked"),
    ]
    for tensors, why in cases:
        with pytest.raises(CheckpointError, match="belong to another network.*\n.*" + why):
            load_into(network, tensors)
        assert weights_sha256(network) == before


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["conv1.weight", "norm1.running_var", "dense1.bias"])
def test_weights_that_are_not_numbers_are_refused(name, value):
    network = _network()
    before = weights_sha256(network)
    state = {key: tensor.clone() for key, tensor in _network(seed=1).state_dict().items()}
    state[name].view(-1)[-1] = value
    with pytest.raises(CheckpointError, match=f"weights of {name} are not all numbers"):
        load_into(network, state)
    assert weights_sha256(network) == before


def test_a_restored_network_answers_with_the_same_bits(tmp_path):
    network = build(preset("lenet-5"), num_classes=3, mean=(0.4,) * 3, std=(0.2,) * 3, seed=4)
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pack(network.state_dict(), {}))
    again = restore(preset("lenet-5"), 3, read(path)[0])
    image = torch.randint(0, 256, (1, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(again(image), network.eval()(image))
    assert not again.training
    assert weights_sha256(again) == weights_sha256(network)


def test_the_hash_of_weights_notices_names_order_and_every_value():
    network = _network()
    first = weights_sha256(network)
    assert weights_sha256(_network()) == first
    with torch.no_grad():
        network.conv1.weight[0, 0, 0, 0] = torch.nextafter(
            network.conv1.weight[0, 0, 0, 0], torch.tensor(9.0)
        )
    assert weights_sha256(network) != first
    names = ["a", "b"]
    layers = {name: torch.nn.Linear(1, 1) for name in names}
    one = torch.nn.Sequential()
    two = torch.nn.Sequential()
    for name in names:
        one.add_module(name, layers["a"])
        two.add_module(name + "x", layers["a"])
    assert weights_sha256(one) != weights_sha256(two)
