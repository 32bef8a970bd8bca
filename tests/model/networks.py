"""Networks drawn at random for the tests of the room, small enough to run by the hundred."""

from hypothesis import reject
from hypothesis import strategies as st

from seethrough.errors import ShapeError
from seethrough.model.shapes import measure
from seethrough.model.spec import (
    Activation,
    AvgPool,
    Conv,
    Dense,
    Flatten,
    Function,
    LayerSpec,
    MaxPool,
    NetworkSpec,
    Norm,
)

Draft = tuple[int, tuple[LayerSpec, ...]]


@st.composite
def convolutions(draw: st.DrawFn) -> Conv:
    kernel = draw(st.integers(1, 5))
    return Conv(
        units=draw(st.integers(1, 4)),
        kernel=kernel,
        stride=draw(st.integers(1, 3)),
        pad=draw(st.integers(0, kernel - 1)),
        bias=draw(st.booleans()),
    )


@st.composite
def pools(draw: st.DrawFn) -> MaxPool | AvgPool:
    kernel = draw(st.integers(1, 4))
    kind = draw(st.sampled_from([MaxPool, AvgPool]))
    return kind(kernel, draw(st.integers(1, 3)), draw(st.integers(0, kernel // 2)))


activations = st.sampled_from(Function).map(Activation)
map_layers = st.one_of(convolutions(), pools(), st.just(Norm()), activations)
row_layers = st.one_of(activations, st.integers(1, 5).map(Dense))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Image size and layers in a possible order; sizes need not be possible.

    The network is made of it in the test, not here: beartype draws random numbers while it checks
    a sequence, and Hypothesis wants none inside a strategy.
    """
    layers: list[LayerSpec] = draw(st.lists(map_layers, max_size=5))
    layers += [Flatten(), *draw(st.lists(row_layers, max_size=2)), Dense()]
    return draw(st.integers(8, 24)), tuple(layers)


def drawn(draft: Draft) -> NetworkSpec:
    image_px, layers = draft
    return NetworkSpec(name="drawn", image_px=image_px, layers=layers)


def fitting(draft: Draft) -> NetworkSpec:
    """The network, if every window fits its map; else the example is passed over."""
    spec = drawn(draft)
    try:
        measure(spec, 3)
    except ShapeError:
        reject()
    return spec
