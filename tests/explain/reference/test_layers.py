"""Every layer of the reference, forwards and backwards, against torch's autograd in float64.

Numbers agree when they differ by no more than 1e-12 of the largest number, or, for slopes, of the
largest slope they were added up from: a sum that cancels is no more exact than what was added.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seethrough.explain import reference as ref

seeds = st.integers(0, 2**32 - 1)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
margins = st.tuples(st.integers(0, 2), st.integers(0, 2))


def assert_agrees(ours, theirs, size=0.0, tolerance=1e-12):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == np.float64
    assert np.isfinite(ours).all()
    assert np.abs(ours - theirs).max(initial=0) <= tolerance * np.abs(theirs).max(initial=size)


def assert_like_torch(layer, function, x, rng, tolerance=1e-12):
    """`function(x, **parameters)` is torch's; y, dx and all parameters' gradients are compared."""
    parameters = layer.parameters if isinstance(layer, ref.Learner) else {}
    theirs = {k: torch.tensor(v, requires_grad=True) for k, v in parameters.items()}
    below = torch.tensor(x, requires_grad=True)
    y = function(below, **theirs)
    dy = rng.normal(size=y.shape)
    y.backward(torch.tensor(dy))
    steepest = np.abs(dy).max(initial=0)
    assert_agrees(layer.forward(x), y, tolerance=tolerance)
    assert_agrees(layer.backward(x, dy), below.grad, steepest, tolerance)
    if parameters:
        gradients = layer.gradients(x, dy)
        assert gradients.keys() == parameters.keys()
        for name, gradient in gradients.items():
            assert_agrees(gradient, theirs[name].grad, steepest, tolerance)


# ---------------------------------------------------------------- weighted sums


@given(seed=seeds, n=st.integers(1, 3), inputs=st.integers(1, 9), outputs=st.integers(1, 5))
@settings(deadline=None)
def test_a_dense_layer_is_torchs(seed, n, inputs, outputs):
    rng = np.random.default_rng(seed)
    layer = ref.Dense(rng.normal(size=(outputs, inputs)), rng.normal(size=outputs))
    assert_like_torch(layer, F.linear, rng.normal(size=(n, inputs)), rng)


@st.composite
def convolutions(draw):
    groups = draw(st.integers(1, 3))
    a, b = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    shape = (groups * b, a, *draw(pairs))
    options = {"stride": draw(pairs), "padding": draw(margins), "dilation": draw(pairs)}
    rng = np.random.default_rng(draw(seeds))
    bias = rng.normal(size=shape[0]) if draw(st.booleans()) else None
    layer = ref.Convolution(rng.normal(size=shape), bias, groups=groups, **options)
    size = (draw(st.integers(1, 8)), draw(st.integers(1, 8)))
    for axis in (0, 1):
        span = (shape[2 + axis] - 1) * options["dilation"][axis] + 1
        assume(size[axis] + 2 * options["padding"][axis] >= span)
    x = rng.normal(size=(draw(st.integers(1, 2)), groups * a, *size))
    return layer, x, rng, {**options, "groups": groups}


@given(convolutions())
@settings(max_examples=200, deadline=None)
def test_a_convolution_is_torchs_with_any_stride_padding_dilation_and_groups(case):
    layer, x, rng, options = case

    def theirs(x, weight, bias=None):
        return F.conv2d(x, weight, bias, **options)

    assert_like_torch(layer, theirs, x, rng)


@pytest.mark.parametrize(
    ("shape", "groups"), [((16, 16, 1, 1), 1), ((16, 1, 3, 3), 16)], ids=["1x1", "depthwise"]
)
def test_the_two_halves_of_a_separable_convolution_are_torchs(shape, groups):
    rng = np.random.default_rng(1)
    pad = shape[2] // 2
    layer = ref.Convolution(rng.normal(size=shape), groups=groups, padding=(pad, pad))
    x = rng.normal(size=(2, 16, 9, 7))
    assert_like_torch(layer, lambda x, weight: F.conv2d(x, weight, None, 1, pad, 1, groups), x, rng)


# ---------------------------------------------------------------- pooling


def tied(rng, shape):
    """Maps of few different numbers, so that most windows have several largest."""
    return rng.integers(-2, 3, shape).astype(float)


@st.composite
def windows(draw, dilations=pairs):
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(dilations)
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    is_ceil = draw(st.booleans())
    size = (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    for axis in (0, 1):
        assume(size[axis] + 2 * padding[axis] >= (kernel[axis] - 1) * dilation[axis] + 1)
    slid = ref.window(kernel, stride, padding, dilation, is_ceil=is_ceil)
    return slid, size, (kernel, stride, padding, dilation, is_ceil)


@given(windows(), seeds, st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_maximum_is_torchs_and_of_equals_the_same_one_wins(case, seed, has_ties):
    slid, size, (kernel, stride, padding, dilation, is_ceil) = case
    rng = np.random.default_rng(seed)
    x = tied(rng, (2, 2, *size)) if has_ties else rng.normal(size=(2, 2, *size))

    def theirs(x):
        return F.max_pool2d(x, kernel, stride, padding, dilation, ceil_mode=is_ceil)

    layer = ref.MaxPool(slid)
    assume(np.isfinite(layer.forward(x)).all())  # a window of nothing but border has no winner
    assert_like_torch(layer, theirs, x, rng)


@given(windows(dilations=st.just((1, 1))), seeds, st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_mean_is_torchs_whether_its_border_counts_or_not(case, seed, counts_border):
    slid, size, (kernel, stride, padding, _, is_ceil) = case
    rng = np.random.default_rng(seed)

    def theirs(x):
        return F.avg_pool2d(x, kernel, stride, padding, is_ceil, counts_border)

    layer = ref.AveragePool(slid, counts_border)
    assert_like_torch(layer, theirs, rng.normal(size=(2, 2, *size)), rng)


@given(seeds, st.tuples(*[st.integers(1, 9)] * 2), st.tuples(*[st.integers(1, 11)] * 2))
@settings(deadline=None)
def test_adaptive_pooling_is_torchs_smaller_and_larger_than_the_map(seed, size, counts):
    rng = np.random.default_rng(seed)
    x = tied(rng, (2, 2, *size))
    mean, largest = ref.AdaptiveAveragePool(counts), ref.AdaptiveMaxPool(counts)
    assert_like_torch(mean, lambda x: F.adaptive_avg_pool2d(x, counts), x, rng)
    assert_like_torch(largest, lambda x: F.adaptive_max_pool2d(x, counts), x, rng)


# ---------------------------------------------------------------- curves

CURVES = {
    "sigmoid": (ref.Sigmoid(), torch.sigmoid),
    "tanh": (ref.Tanh(), torch.tanh),
    "relu": (ref.ReLU(), F.relu),
    "leaky_relu": (ref.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
    "relu6": (ref.HardTanh(0.0, 6.0), F.relu6),
    "hardtanh": (ref.HardTanh(-0.5, 3.0), lambda x: F.hardtanh(x, -0.5, 3.0)),
    "clamp": (ref.Clamp(-0.5, 3.0), lambda x: x.clamp(-0.5, 3.0)),
    "elu": (ref.ELU(0.7), lambda x: F.elu(x, 0.7)),
    "softplus": (ref.Softplus(), F.softplus),
    "silu": (ref.SiLU(), F.silu),
    "mish": (ref.Mish(), F.mish),
    "gelu": (ref.GELU(), F.gelu),
    "gelu by tanh": (ref.TanhGELU(), lambda x: F.gelu(x, approximate="tanh")),
    "hardsigmoid": (ref.HardSigmoid(), F.hardsigmoid),
    "hardswish": (ref.HardSwish(), F.hardswish),
}


def test_every_curve_of_the_reference_is_compared():
    compared = {type(ours) for ours, _ in CURVES.values()}
    assert compared == set(ref.Activation.__subclasses__())


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_is_torchs_in_its_corners_and_between(name):
    rng, (ours, theirs) = np.random.default_rng(2), CURVES[name]
    # torch's slope of hardsigmoid is the float32 that is nearest to 1/6, for float64 too
    tolerance = 3e-8 if name == "hardsigmoid" else 1e-12
    corners = np.array([-800, -40, -3, -1, -0.5, -0.0, 0.0, 0.5, 1, 3, 6, 19.9, 20, 20.1, 40, 800])
    for x in (corners, np.nextafter(corners, 999), np.nextafter(corners, -999)):
        for number in x:  # each by itself, so that a large one hides no error of a small one
            assert_like_torch(ours, theirs, np.array([number]), rng, tolerance)
    assert_like_torch(ours, theirs, rng.normal(size=(2, 3, 4, 4)) * 4, rng, tolerance)


# ---------------------------------------------------------------- normalisation


def scales(rng, shape):
    return rng.normal(size=shape) + 1, rng.normal(size=shape)


maps = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(2, 5))


@given(seeds, maps, st.sampled_from([1e-5, 1e-2]))
@settings(deadline=None)
def test_each_kind_of_normalisation_is_torchs(seed, sizes, epsilon):
    n, groups, share, cells = sizes
    rng, c = np.random.default_rng(seed), groups * share
    x = rng.normal(2, 3, size=(n, c, cells, cells))
    alike = {"eps": epsilon}
    pair, full = scales(rng, c), scales(rng, x.shape[1:])
    for ours, theirs in (
        (
            ref.batch_norm(*pair, epsilon),
            lambda x, **w: F.batch_norm(x, None, None, **w, training=True, **alike),
        ),
        (ref.instance_norm(*pair, epsilon), lambda x, **w: F.instance_norm(x, **w, **alike)),
        (ref.layer_norm(*full, epsilon), lambda x, **w: F.layer_norm(x, x.shape[1:], **w, **alike)),
        (
            ref.Norm(*pair, groups=groups, epsilon=epsilon),
            lambda x, **w: F.group_norm(x, groups, **w, **alike),
        ),
        (
            ref.cell_norm(*pair, epsilon),
            lambda x, **w: F.layer_norm(x.movedim(1, 3), (len(w["bias"]),), **w, **alike).movedim(
                3, 1
            ),
        ),
    ):
        # z is (x − μ)/σ: an error of x − μ grows with |x|/σ, and dx with 1/σ
        assert_like_torch(ours, theirs, x, rng, tolerance=1e-11)


def test_vectors_are_normalised_as_torch_does_it():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5, 7))
    pair = scales(rng, 7)
    layer, batch = ref.layer_norm(*pair), ref.batch_norm(*pair)
    assert_like_torch(layer, lambda x, **w: F.layer_norm(x, (7,), **w), x, rng)
    assert_like_torch(batch, lambda x, **w: F.batch_norm(x, None, None, **w, training=True), x, rng)


def test_what_is_kept_of_batches_is_what_torch_keeps_and_its_use_is_torchs():
    rng = np.random.default_rng(5)
    theirs = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    kept = ref.KeptNorm(*scales(rng, 3), mean=np.zeros(3), variance=np.ones(3))
    for _ in range(4):
        x = rng.normal(1, 2, size=(2, 3, 4, 5))
        theirs(torch.tensor(x))
        kept.keep(x)
    assert_agrees(kept.mean, theirs.running_mean)
    assert_agrees(kept.variance, theirs.running_var)
    mean, variance = theirs.running_mean, theirs.running_var
    assert_like_torch(kept, lambda x, **w: F.batch_norm(x, mean, variance, **w), x, rng)


# ---------------------------------------------------------------- photo, dropout, branches


def test_a_photo_is_normalised_and_flattened_as_torch_would():
    rng = np.random.default_rng(6)
    x = rng.integers(0, 256, (2, 3, 4, 5)).astype(float)
    mean, std = rng.uniform(0.3, 0.6, 3), rng.uniform(0.1, 0.3, 3)

    def theirs(x):
        return (x / 255 - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]

    assert_like_torch(ref.Normalise(mean, std), theirs, x, rng)
    assert_like_torch(ref.Flatten(), lambda x: x.flatten(1), x, rng)


def test_dropout_is_torchs_for_the_mask_that_torch_drew():
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    drawn = F.dropout(torch.ones(2, 5, 3, 3, dtype=torch.float64), 0.3)
    assert 0 < (drawn == 0).sum() < drawn.numel()
    layer = ref.Dropout((drawn != 0).numpy(), share=0.7)
    assert_like_torch(layer, lambda x: x * drawn, rng.normal(size=drawn.shape), rng)


def test_branches_that_are_added_multiplied_or_put_side_by_side_are_torchs():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2, 4, 5, 5))
    conv = ref.Convolution(rng.normal(size=(4, 4, 3, 3)), rng.normal(size=4), padding=(1, 1))
    gate = ref.Network({"mean": ref.AdaptiveAveragePool(), "squash": ref.Sigmoid()})
    here = ref.Network({})
    layers = {"here": here, "conv": conv, "gate": gate}

    def curves(x, w):
        seen = F.conv2d(x, w["conv.weight"], w["conv.bias"], padding=1)
        return x, seen, torch.sigmoid(x.mean((2, 3), keepdim=True))

    def added(x, **w):
        a, b, c = curves(x, w)
        return a + b + c

    def multiplied(x, **w):
        a, b, c = curves(x, w)
        return a * b * c

    def beside(x, **w):
        return torch.cat(curves(x, w)[:2], 1)

    assert_like_torch(ref.Branches(layers, ref.Sum()), added, x, rng)
    assert_like_torch(ref.Branches(layers, ref.Product()), multiplied, x, rng)
    del layers["gate"]
    assert_like_torch(ref.Branches(layers, ref.Concat()), beside, x, rng)


# ---------------------------------------------------------------- answers


@given(seeds, st.integers(1, 3), st.integers(1, 6), st.floats(0.2, 5))
@settings(deadline=None)
def test_softmax_is_torchs_at_every_temperature(seed, n, k, temperature):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, k)) * 5
    assert_like_torch(ref.Softmax(temperature), lambda x: F.softmax(x / temperature, 1), x, rng)


@given(seeds, st.integers(1, 4), st.integers(1, 6), st.sampled_from([0.0, 0.1, 1.0]))
@settings(deadline=None)
def test_the_loss_and_its_slope_are_torchs_with_and_without_smoothing(seed, n, k, smoothing):
    rng = np.random.default_rng(seed)
    logits, classes = rng.normal(size=(n, k)) * 9, rng.integers(0, k, n)
    below = torch.tensor(logits, requires_grad=True)
    theirs = F.cross_entropy(below, torch.tensor(classes), label_smoothing=smoothing)
    theirs.backward()
    loss = ref.CrossEntropy(smoothing)
    assert loss.forward(logits, classes) == pytest.approx(theirs.item(), rel=1e-12, abs=1e-14)
    ours = loss.backward(logits, classes)
    assert np.abs(ours - below.grad.numpy()).max() < 1e-15


def test_the_loss_of_a_hopeless_logit_is_a_number():
    logits = np.array([[1000.0, -1000.0]])
    loss = ref.CrossEntropy()
    assert loss.forward(logits, np.array([1])) == 2000
    assert loss.backward(logits, np.array([1])).tolist() == [[1, -1]]
