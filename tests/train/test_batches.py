"""batches.py: every image once an epoch, whatever the sizes and wherever an epoch is entered."""

import dataclasses
import threading

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seethrough.data.augment import augment
from seethrough.data.split import Split
from seethrough.errors import RecipeError
from seethrough.train.batches import Batches, ahead, sizes
from seethrough.train.recipe import Recipe


@given(images=st.integers(2, 500), batch=st.integers(2, 300))
def test_every_image_has_one_place_and_no_image_is_alone(images, batch):
    cut = sizes(images, batch)
    assert sum(cut) == images
    assert min(cut) >= 2
    assert max(cut) <= batch + 1
    assert all(size == batch for size in cut[:-1])


def test_one_image_left_over_joins_the_batch_before():
    assert sizes(17, 8) == [8, 9]
    assert sizes(18, 8) == [8, 8, 2]
    assert sizes(16, 8) == [8, 8]
    assert sizes(5, 8) == [5]


def plain(photos, **changes):
    return Batches.of(photos, Recipe(batch=8, flip=False, shift_px=0, **changes))


def test_an_epoch_holds_each_training_image_once_with_its_label(photos):
    batches = plain(photos, seed=3)
    known = {
        image.tobytes(): label for image, label in zip(photos.images, photos.labels, strict=True)
    }
    seen = []
    for images, labels in batches.epoch(1):
        assert images.dtype == torch.uint8
        assert images.is_contiguous(memory_format=torch.channels_last)
        for image, label in zip(images, labels, strict=True):
            content = image.permute(1, 2, 0).contiguous().numpy().tobytes()
            assert known[content] == int(label)
            seen.append(content)
    assert sorted(seen) == sorted(image.tobytes() for image in photos.images[batches.index])


def test_seed_and_epoch_decide_the_order(photos):
    def order(seed, epoch):
        return tuple(int(label) for _, y in plain(photos, seed=seed).epoch(epoch) for label in y)

    assert order(1, 1) == order(1, 1)
    assert len({order(seed, epoch) for seed in range(3) for epoch in (1, 2, 3)}) == 9


@pytest.mark.parametrize("skip", range(6))
def test_entering_an_epoch_later_gives_the_batches_that_were_left(photos, skip):
    batches = Batches.of(photos, Recipe(batch=8, seed=5, shift_px=2))
    whole = list(batches.epoch(2))
    assert len(whole) == 6
    for (images, labels), (other, others) in zip(
        whole[skip:], batches.epoch(2, skip=skip), strict=True
    ):
        assert torch.equal(images, other)
        assert torch.equal(labels, others)


def test_images_are_changed_as_augment_says(photos):
    recipe = Recipe(batch=8, seed=5, flip=True, shift_px=2)
    changed = {
        image.numpy().tobytes()
        for x, _ in Batches.of(photos, recipe).epoch(4)
        for image in x.permute(0, 2, 3, 1).contiguous()
    }
    index = photos.indices(Split.TRAIN)
    expected = augment(
        photos.images[index], photos.ids[index], seed=5, epoch=4, flip=True, shift_px=2
    )
    assert changed == {image.tobytes() for image in expected}


def test_mixed_images_come_with_the_shares_of_their_classes(photos):
    recipe = Recipe(batch=8, seed=5, flip=False, shift_px=0, mixup=0.4)
    as_they_are = list(plain(photos, seed=5).epoch(2))
    for (images, shares), (others, labels) in zip(
        Batches.of(photos, recipe).epoch(2), as_they_are, strict=True
    ):
        assert shares.dtype == torch.float32
        torch.testing.assert_close(shares.sum(1), torch.ones(len(shares)))
        for place, (image, share) in enumerate(zip(images, shares, strict=True)):
            follower = (place + 1) % len(labels)
            own, other = others[place].double(), others[follower].double()
            # the share that explains the pixels best explains the targets
            part = float(((image - other) * (own - other)).sum() / ((own - other) ** 2).sum())
            target = torch.zeros(3, dtype=torch.float64)
            target[labels[place]] += part
            target[labels[follower]] += 1 - part
            torch.testing.assert_close(share.double(), target, atol=2e-3, rtol=0)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_of_an_image_with_a_rectangle_of_the_next_every_pixel_is_one_of_the_two(photos, alpha):
    recipe = Recipe(batch=8, seed=5, flip=False, shift_px=0, cutmix=alpha)
    as_they_are = list(plain(photos, seed=5).epoch(2))
    areas = []
    for (images, shares), (others, labels) in zip(
        Batches.of(photos, recipe).epoch(2), as_they_are, strict=True
    ):
        for place, (image, share) in enumerate(zip(images, shares, strict=True)):
            follower = (place + 1) % len(labels)
            is_own = (image == others[place]).all(0)
            is_other = (image == others[follower]).all(0)
            assert (is_own | is_other).all()
            cut = ~is_own  # pixels that both have alike count for either
            rows, columns = torch.nonzero(cut, as_tuple=True)
            if len(rows):  # a rectangle, and nothing of the own image in it
                box = is_other[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
                assert box.all()
            own = float(share[labels[place]])
            if labels[place] != labels[follower]:
                # the share is that of the area, but for what both have alike at its edge
                assert 1 - own >= float(cut.double().mean()) - 1e-6
                assert float(shares[place].sum()) == pytest.approx(1)
                areas.append((1 - own, float(cut.double().mean())))
    wanted, found = np.array(areas).T
    assert found.mean() == pytest.approx(wanted.mean(), abs=0.02)
    assert wanted.std() > 0.1


def test_a_square_larger_than_the_images_is_refused(photos):
    with pytest.raises(RecipeError, match="cutout_px=13 does not suit images of 12 px"):
        Batches.of(photos, Recipe(cutout_px=13))


def test_fewer_than_two_training_images_are_refused(photos):
    alone = dataclasses.replace(photos, splits=np.full_like(photos.splits, 2))
    with pytest.raises(RecipeError, match="tinted has 0 training images"):
        Batches.of(alone, Recipe())


SMALL = Recipe(batch=8, shift_px=1)


def test_one_batch_is_made_ahead_and_no_more(photos):
    made = []

    def counted():
        for batch in Batches.of(photos, SMALL).epoch(1):
            made.append(batch)
            yield batch

    used = 0
    for images, targets in ahead(counted()):
        used += 1
        assert images is made[used - 1][0]
        assert targets is made[used - 1][1]
        assert len(made) <= used + 1
    assert used == len(made) == len(Batches.of(photos, SMALL).sizes)


def test_an_error_of_the_thread_is_that_of_who_waits(photos):
    def broken():
        yield next(Batches.of(photos, SMALL).epoch(1))
        raise OSError("the cache is gone")

    feed = ahead(broken())
    next(feed)
    with pytest.raises(OSError, match="the cache is gone"):
        next(feed)


def test_closed_it_leaves_no_thread(photos):
    feed = ahead(Batches.of(photos, SMALL).epoch(1))
    next(feed)
    assert [each for each in threading.enumerate() if each.name.startswith("input")]
    feed.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("input")]
