"""split.py against what a person would count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seethrough.data.split import Split, SplitPlan, assign, assign_several
from seethrough.errors import DataError

# A few labels and a few contents, so that copies and wrong labels are common.
pictures = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=1, max_size=60)
plans = st.builds(
    SplitPlan,
    test=st.floats(0, 0.5),
    validation=st.floats(0, 0.45),
    seed=st.integers(0, 2**40),
)


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.array([label for label, _ in pairs], dtype=np.int64)
    return labels, np.array([identity for _, identity in pairs], dtype=np.uint64)


@settings(deadline=None)
@given(pictures, plans)
def test_identical_images_stand_on_one_side(pairs, plan):
    labels, ids = arrays(pairs)
    splits = assign(labels, ids, plan)
    for identity in np.unique(ids):
        assert len(np.unique(splits[ids == identity])) == 1


@settings(deadline=None)
@given(pictures, plans, st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(pairs, plan, random):
    moved = list(range(len(pairs)))
    random.shuffle(moved)
    labels, ids = arrays(pairs)
    assert np.array_equal(assign(labels, ids, plan)[moved], assign(labels[moved], ids[moved], plan))


@settings(deadline=None)
@given(pictures, plans)
def test_every_class_with_two_pictures_of_its_own_is_tested_and_trained(pairs, plan):
    labels, ids = arrays(pairs)
    splits = assign(labels, ids, plan)
    owner = {identity: int(labels[ids == identity].min()) for identity in np.unique(ids)}
    for label in np.unique(labels):
        own = [identity for identity in owner if owner[identity] == label]
        sides = {int(splits[ids == identity][0]) for identity in own}
        if own:
            assert Split.TRAIN in sides
        if len(own) >= 2 and plan.test > 0:
            assert Split.TEST in sides


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(2, 40), min_size=1, max_size=4),
    test=st.floats(0.01, 0.6),
    seed=st.integers(0, 99),
)
def test_of_different_images_each_class_gives_its_share_to_the_nearest_image(counts, test, seed):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    ids = np.random.default_rng(seed).permutation(len(labels)).astype(np.uint64)
    splits = assign(labels, ids, SplitPlan(test=test, seed=seed))
    for label, count in enumerate(counts):
        tested = int((splits[labels == label] == Split.TEST).sum())
        assert tested == min(max(1, round(test * count)), count - 1)


def test_three_splits_have_their_shares():
    labels = np.repeat(np.arange(5), 1000).astype(np.int64)
    ids = np.arange(5000, dtype=np.uint64)
    splits = assign(labels, ids, SplitPlan(test=0.2, validation=0.1, seed=3))
    for label in range(5):
        assert np.bincount(splits[labels == label]).tolist() == [700, 100, 200]


def test_the_seed_decides_who_is_tested_and_every_image_can_be():
    labels, ids = np.zeros(100, dtype=np.int64), np.arange(100, dtype=np.uint64)
    tested = sum((assign(labels, ids, SplitPlan(seed=seed)) == Split.TEST) for seed in range(200))
    assert tested.sum() == 200 * 20
    assert tested.min() > 15  # of 200 draws with probability 0.2: 40 ± 6
    assert tested.max() < 65


def test_a_photo_under_two_names_stays_on_one_side_in_both_classes():
    labels = np.array([0] * 10 + [1] * 10, dtype=np.int64)
    ids = np.concatenate([np.arange(10), np.arange(10)]).astype(np.uint64)
    splits = assign(labels, ids, SplitPlan())
    assert np.array_equal(splits[:10], splits[10:])


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"test": 1.0}, r"test=1\.0 is not a share"),
        ({"test": -0.1}, r"test=-0\.1 is not a share"),
        ({"validation": float("nan")}, "validation=nan is not a share"),
        ({"test": 0.6, "validation": 0.4}, "leave nothing to train on"),
    ],
)
def test_shares_that_cannot_be_are_refused(shares, message):
    with pytest.raises(DataError, match=message):
        SplitPlan(**shares)


tables = st.integers(1, 5).flatmap(
    lambda k: st.lists(
        st.tuples(st.tuples(*[st.integers(0, 1)] * k), st.integers(0, 40)), min_size=1, max_size=60
    )
)


def several(rows: list[tuple[tuple[int, ...], int]]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.array([own for own, _ in rows], dtype=np.uint8)
    return labels, np.array([identity for _, identity in rows], dtype=np.uint64)


@settings(deadline=None)
@given(tables, plans, st.randoms(use_true_random=False))
def test_with_several_labels_neither_order_nor_copies_matter(rows, plan, random):
    moved = list(range(len(rows)))
    random.shuffle(moved)
    labels, ids = several(rows)
    splits = assign_several(labels, ids, plan)
    assert np.array_equal(splits[moved], assign_several(labels[moved], ids[moved], plan))
    for identity in np.unique(ids):
        assert len(np.unique(splits[ids == identity])) == 1


@settings(deadline=None)
@given(tables, plans)
def test_each_of_several_labels_is_learned_and_the_rarest_is_tested_too(rows, plan):
    labels, ids = several(rows)
    splits = assign_several(labels, ids, plan)
    groups = [len(np.unique(ids[own == 1])) for own in labels.T]
    for own, count in zip(labels.T, groups, strict=True):
        if count == 1 and sum(one > 0 for one in groups) == 1:
            assert set(splits[own == 1]) == {Split.TRAIN}
    shown = [(count, label) for label, count in enumerate(groups) if count]
    if shown and min(shown)[0] >= 2 and plan.test > 0:
        rarest = splits[labels[:, min(shown)[1]] == 1]
        assert Split.TRAIN in rarest
        assert Split.TEST in rarest


def test_shares_of_several_labels_are_near_the_plan():
    random = np.random.default_rng(3)
    labels = (random.random((2000, 6)) < [0.02, 0.1, 0.3, 0.5, 0.7, 0.9]).astype(np.uint8)
    ids = random.permutation(2000).astype(np.uint64)
    plan = SplitPlan(test=0.2, validation=0.1, seed=5)
    splits = assign_several(labels, ids, plan)
    assert abs((splits == Split.TEST).mean() - 0.2) < 0.002
    for own in labels.T:
        assert abs((splits[own == 1] == Split.TEST).mean() - 0.2) < 0.02
        assert abs((splits[own == 1] == Split.VALIDATION).mean() - 0.1) < 0.02
    other = assign_several(labels, ids, SplitPlan(test=0.2, validation=0.1, seed=6))
    assert not np.array_equal(splits, other)
