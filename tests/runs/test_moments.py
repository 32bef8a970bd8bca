"""moments.py and past.py: the network as it was, from a file that nothing can tear."""

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.runs.history import moments, notes

from seethrough.errors import CheckpointError, RunError
from seethrough.model.checkpoint import unpack, weights_sha256
from seethrough.runs import past
from seethrough.runs.moments import FILE, MomentFile, content, listed
from seethrough.train.events import MomentDue


def due(step: int, *, is_whole: bool = True) -> MomentDue:
    tensors = {"conv.weight": torch.full((2, 1, 1, 1), float(step)), "count": torch.tensor(step)}
    return MomentDue(step=step, epoch=1, tensors=tensors, is_whole=is_whole)


def keep(folder, *steps: int) -> bytes:
    file = MomentFile(folder, keep=0)
    for step in steps:
        file.append(past.packed(due(step)))
    file.close()
    return (folder / FILE).read_bytes()


def test_a_run_has_its_moments_in_order_and_the_last_is_the_finished_network(finished):
    assert [moment.step for moment in finished.moments] == [0, 1, 2, 9]
    assert [moment.epoch for moment in finished.moments] == [0, 1, 1, 3]
    last = finished.classifier_at(9)
    assert weights_sha256(last.module) == weights_sha256(finished.classifier.module)
    assert last.classes == finished.classifier.classes
    assert not last.module.training


def test_the_weights_of_a_moment_are_those_that_the_log_tells_of_that_step(finished):
    told = {line["step"]: line for _, line in finished.log() if line["kind"] == "epoch"}
    assert set(told) == {0, 3, 6, 9}
    for step in (0, 9):
        kernels = finished.classifier_at(step).module.conv1.weight.detach().numpy()
        assert np.array_equal(np.array(told[step]["kernels"], dtype=np.float32), kernels)


def test_a_photo_through_a_moment_gives_what_training_saw_then(finished, photos):
    told = {line["step"]: line for _, line in finished.log() if line["kind"] == "epoch"}
    watched = list(finished.manifest.watched)
    for step in (0, 9):
        said = finished.classifier_at(step).probabilities(photos.images[watched])
        seen = [each["probabilities"] for each in told[step]["watched"]]
        assert said == pytest.approx(np.array(seen), abs=1e-6)


def test_each_moment_is_a_safetensors_file_of_its_own(finished):
    for moment in finished.moments:
        plain = safetensors.torch.load(content(finished.folder, moment))
        assert tuple(sorted(plain)) == tuple(sorted(moment.names))
        assert all(
            torch.equal(plain[name], tensor)
            for name, tensor in past.tensors(finished, moment).items()
        )
    assert sum(moment.length for moment in finished.moments) == len(moments(finished))


@pytest.mark.parametrize("stop_after", range(1, 9))
def test_a_stopped_and_resumed_run_has_the_same_bytes(stop_after, make_run, go, finished):
    run = make_run()
    go(run, stop_after=stop_after)
    go(run)
    assert moments(run) == moments(finished)


def test_a_step_that_was_not_kept_names_the_nearest(finished):
    with pytest.raises(RunError, match="has no moment at step 4") as caught:
        finished.classifier_at(4)
    assert "the nearest that were kept are 1 and 2" in caught.value.why


def test_an_older_run_without_moments_says_why(finished):
    (finished.folder / FILE).unlink()
    assert finished.moments == ()
    with pytest.raises(RunError, match="no moment at step 9") as caught:
        finished.classifier_at(9)
    assert "before moments were kept" in caught.value.why


def test_a_file_cut_at_any_byte_has_exactly_its_whole_moments(tmp_path):
    whole = keep(tmp_path, 0, 1, 2)
    ends = [moment.offset + moment.length for moment in listed(tmp_path)]
    assert ends[-1] == len(whole)
    for length in range(len(whole) + 1):
        (tmp_path / FILE).write_bytes(whole[:length])
        found = listed(tmp_path)
        assert len(found) == sum(end <= length for end in ends)
        kept, lost = past.kept_bytes(tmp_path, step=2)
        assert lost == 0
        assert kept == max((end for end in ends if end <= length), default=0)


def test_a_resume_cuts_off_what_the_checkpoint_had_not_seen_and_what_is_torn(tmp_path):
    whole = keep(tmp_path, 0, 1, 2, 4)
    (tmp_path / FILE).write_bytes(whole + past.packed(due(8))[:100])
    kept, lost = past.kept_bytes(tmp_path, step=3)
    assert lost == 0
    file = MomentFile(tmp_path, keep=kept)
    file.append(past.packed(due(4)))
    file.close()
    assert (tmp_path / FILE).read_bytes() == whole


def test_a_flipped_bit_is_never_shown_and_a_resume_tells_of_what_it_lost(make_run, go):
    run = make_run()
    go(run, stop_after=5)
    path = run.folder / FILE
    damaged = bytearray(path.read_bytes())
    damaged[run.moments[1].offset + run.moments[1].length - 1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(CheckpointError, match=r"moments.bin, step 1 is damaged"):
        run.classifier_at(1)
    go(run)
    assert "Moments are damaged: 2 of them are lost." in notes(run)
    assert [moment.step for moment in run.moments] == [0, 9]


def test_a_moment_with_a_part_of_the_weights_says_so(finished):
    parted = [due(0, is_whole=False)]
    file = MomentFile(finished.folder, keep=0)
    for each in parted:
        file.append(past.packed(each))
    file.close()
    assert [moment.is_whole for moment in finished.moments] == [False]
    with pytest.raises(RunError, match="cannot be put together as it was at step 0"):
        finished.classifier_at(0)


def test_the_header_says_what_the_bytes_are(tmp_path):
    keep(tmp_path, 7)
    (moment,) = listed(tmp_path)
    _, notes_of = unpack(content(tmp_path, moment), name="it")
    assert notes_of == {"schema": "1", "step": "7", "epoch": "1", "whole": "true"}
    assert (moment.step, set(moment.names)) == (7, {"conv.weight", "count"})
