"""checkpoints.py: whatever happens to the newest file, the one before is used and nothing else."""

import random
import resource

import pytest
import torch

from seethrough.errors import CheckpointError, StorageError
from seethrough.model import checkpoint
from seethrough.runs import checkpoints
from seethrough.runs.checkpoints import Checkpoint
from seethrough.runs.log import Position
from seethrough.train.events import TrainState


def example(step):
    tensors = {
        "weights.a": torch.arange(12, dtype=torch.float32).reshape(3, 4) * step,
        "optimizer.a.momentum": torch.full((3, 4), float(step)),
    }
    state = TrainState(
        step=step, epoch=step // 3, tensors=tensors, scalars={"seen": 7, "loss_sum": 0.1 + step}
    )
    return Checkpoint(state=state, log=Position(100 * step, "ab" * 32), weights_sha256="cd" * 32)


def same(one, other):
    assert one.log == other.log
    assert one.weights_sha256 == other.weights_sha256
    assert (one.state.step, one.state.epoch) == (other.state.step, other.state.epoch)
    assert dict(one.state.scalars) == dict(other.state.scalars)
    assert one.state.tensors.keys() == other.state.tensors.keys()
    return all(
        torch.equal(tensor, other.state.tensors[name]) for name, tensor in one.state.tensors.items()
    )


def paths(folder):
    return sorted((folder / "checkpoints").glob("step-*"))


def test_a_checkpoint_comes_back_as_it_was_written(tmp_path):
    checkpoints.write(tmp_path, example(3))
    assert same(checkpoints.newest(tmp_path), example(3))
    found, notes = checkpoints.to_resume(tmp_path)
    assert same(found, example(3))
    assert notes == []


def test_the_two_newest_are_kept(tmp_path):
    for step in (3, 6, 9, 100_000_001):
        checkpoints.write(tmp_path, example(step))
    assert [int(path.stem.split("-")[1]) for path in paths(tmp_path)] == [9, 100_000_001]


def test_without_checkpoints_there_is_nothing_to_resume(tmp_path):
    assert checkpoints.newest(tmp_path) is None
    assert checkpoints.to_resume(tmp_path) == (None, [])


def mutated(content, chance):
    """The bytes with one accident: a flip, a cut, zeros, or something added."""
    place = chance.randrange(len(content))
    match chance.randrange(4):
        case 0:
            flipped = content[place] ^ (1 << chance.randrange(8))
            return content[:place] + bytes([flipped]) + content[place + 1 :]
        case 1:
            return content[:place]
        case 2:
            length = min(chance.randrange(1, 64), len(content) - place)
            zeros = content[:place] + bytes(length) + content[place + length :]
            return zeros if zeros != content else content[:place]
        case _:
            return content + bytes([chance.randrange(256)])


@pytest.mark.parametrize(
    "trials", [pytest.param(60, id="60"), pytest.param(1000, id="1000", marks=pytest.mark.full)]
)
def test_every_accident_is_noticed_and_the_one_before_is_used(tmp_path, trials):
    chance = random.Random(5)
    checkpoints.write(tmp_path, example(3))
    checkpoints.write(tmp_path, example(6))
    older, newest = paths(tmp_path)
    content = newest.read_bytes()
    for _ in range(trials):
        newest.write_bytes(mutated(content, chance))
        with pytest.raises(CheckpointError, match="damaged"):
            checkpoint.read(newest)
        assert same(checkpoints.newest(tmp_path), example(3))
        found, notes = checkpoints.to_resume(tmp_path)
        assert same(found, example(3))
        assert len(notes) == 1
        assert "step-00000006.safetensors was skipped" in notes[0]
        assert paths(tmp_path) == [older, newest.with_suffix(".damaged")]


def test_one_that_the_system_does_not_let_us_read_now_stays_and_is_used_later(tmp_path):
    checkpoints.write(tmp_path, example(3))
    checkpoints.write(tmp_path, example(6))
    before = paths(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for look in (checkpoints.newest, checkpoints.to_resume):
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))  # no further file may be opened
        try:
            with pytest.raises(StorageError, match="cannot be read now") as caught:
                look(tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert "Too many open files. Nothing was changed." in caught.value.why
    assert paths(tmp_path) == before
    found, notes = checkpoints.to_resume(tmp_path)
    assert same(found, example(6))
    assert notes == []


def test_a_checkpoint_that_reads_with_an_error_is_not_taken_for_damaged(tmp_path):
    checkpoints.write(tmp_path, example(3))
    unreadable = tmp_path / "checkpoints" / "step-00000006.safetensors"
    unreadable.mkdir()
    for look in (checkpoints.newest, checkpoints.to_resume):
        with pytest.raises(StorageError, match=r"step-00000006\.safetensors cannot be read now"):
            look(tmp_path)
    assert unreadable.is_dir()
    unreadable.rmdir()
    assert same(checkpoints.to_resume(tmp_path)[0], example(3))


def test_a_damaged_one_set_aside_is_not_counted_among_the_two_that_are_kept(tmp_path):
    checkpoints.write(tmp_path, example(3))
    checkpoints.write(tmp_path, example(6))
    paths(tmp_path)[1].write_bytes(b"")
    checkpoints.to_resume(tmp_path)
    checkpoints.write(tmp_path, example(9))
    assert same(checkpoints.newest(tmp_path), example(9))
    names = {path.name for path in paths(tmp_path)}
    assert names == {
        "step-00000003.safetensors",
        "step-00000006.damaged",
        "step-00000009.safetensors",
    }


def test_weights_that_are_no_checkpoint_are_skipped(tmp_path):
    checkpoints.write(tmp_path, example(3))
    content = checkpoint.pack({"weights.a": torch.zeros(1)}, {"schema": "2"})
    (tmp_path / "checkpoints" / "step-00000009.safetensors").write_bytes(content)
    assert same(checkpoints.newest(tmp_path), example(3))
