"""spec.py and notation.py: what is written is what is read, and every mistake names its place."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.model.networks import drafts, drawn

from seethrough.errors import SpecError
from seethrough.model.spec import (
    MAX_IMAGE_PX,
    Activation,
    AvgPool,
    Conv,
    Dense,
    Flatten,
    Function,
    MaxPool,
    NetworkSpec,
    Norm,
    layer_names,
    parse,
    to_text,
    to_toml,
)


def test_one_line_says_every_kind_of_layer():
    spec = parse(
        "conv 16 k5 s2 p1, norm, leaky_relu, maxpool 3 s2 p1, conv 8, gelu, avgpool 2, "
        "flatten, dense 64, tanh, dense",
        name="mine",
        image_px=40,
    )
    assert spec == NetworkSpec(
        name="mine",
        image_px=40,
        layers=(
            Conv(16, kernel=5, stride=2, pad=1, bias=False),
            Norm(),
            Activation(Function.LEAKY_RELU),
            MaxPool(3, stride=2, pad=1),
            Conv(8, kernel=3, stride=1, pad=0, bias=True),
            Activation(Function.GELU),
            AvgPool(2, stride=2, pad=0),
            Flatten(),
            Dense(64),
            Activation(Function.TANH),
            Dense(None),
        ),
    )


@given(drafts())
def test_text_and_toml_are_read_back_unchanged(draft):
    spec = drawn(draft)
    assert parse(to_text(spec), name=spec.name, image_px=spec.image_px) == spec
    assert parse(to_toml(spec)) == spec
    by_lines = to_text(spec).replace(", ", "\n")
    assert parse(by_lines, name=spec.name, image_px=spec.image_px) == spec


def test_the_toml_tables_say_the_same_as_the_line():
    toml = """
    name = "mine"
    image_px = 24
    layers = [
      { layer = "conv", units = 16, kernel = 5, stride = 2, pad = 1 },
      { layer = "norm" },
      "relu",
      { layer = "conv", units = 4, bias = false },
      { layer = "maxpool", kernel = 3, stride = 1 },
      "flatten",
      { layer = "dense", units = 7 },
      { layer = "dense" },
    ]
    """
    line = "conv 16 k5 s2 p1, norm, relu, conv 4 nobias, maxpool 3 s1, flatten, dense 7, dense"
    assert parse(toml) == parse(line, name="mine", image_px=24)


def test_what_is_given_outranks_what_the_toml_says():
    toml = 'name = "mine"\nimage_px = 24\nlayers = ["flatten", "dense"]'
    assert parse(toml, name="yours", image_px=48) == parse(
        "flatten, dense", name="yours", image_px=48
    )


@pytest.mark.parametrize(
    ("text", "has_bias"),
    [
        ("conv 4, flatten, dense", True),
        ("conv 4 nobias, flatten, dense", False),
        ("conv 4, norm, flatten, dense", False),
        ("conv 4 bias, norm, flatten, dense", True),
        ("conv 4, relu, norm, flatten, dense", True),
    ],
)
def test_a_convolution_before_norm_has_no_bias_unless_it_says_so(text, has_bias):
    first = parse(text).layers[0]
    assert isinstance(first, Conv)
    assert first.bias is has_bias


def test_layers_are_named_by_kind_and_count_and_pools_are_counted_together():
    text = "conv 4, norm, relu, maxpool 2, conv 4, relu, avgpool 2, flatten, dense 3, relu, dense"
    assert " ".join(layer_names(parse(text).layers)) == (
        "conv1 norm1 relu1 pool1 conv2 relu2 pool2 flatten dense1 relu3 dense2"
    )


@given(drafts())
def test_no_two_layers_share_a_name(draft):
    spec = drawn(draft)
    names = layer_names(spec.layers)
    assert len(set(names)) == len(names) == len(spec.layers)


# The text, what the message says, and a part of the way out.
MISTAKES = [
    ("conv 8, cnov 8, flatten, dense", "Layer 2, character 9: 'cnov' is no layer", "mean conv"),
    ("bn, flatten, dense", "Layer 1, character 1: 'bn' is no layer", "mean norm"),
    ("flatten, dense, softmax", "character 17: 'softmax' is no layer", "softmax by itself"),
    ("conv 8 k3 k5, flatten, dense", "Layer 1, character 11: 'k5'", "say it once"),
    ("conv 8 q5, flatten, dense", "Layer 1, character 8: 'q5'", "conv 16 k3 s2 p1"),
    ("conv 8 k, flatten, dense", "Layer 1, character 8: 'k'", "conv 16 k3 s2 p1"),
    ("conv 8 9, flatten, dense", "Layer 1, character 8: '9'", "say it once"),
    ("conv -8, flatten, dense", "Layer 1, character 6: '-8'", "conv 16 k3 s2 p1"),
    ("conv 8.5, flatten, dense", "Layer 1, character 6: '8.5'", "conv 16 k3 s2 p1"),
    ("conv ٣, flatten, dense", "Layer 1, character 6: '٣'", "conv 16 k3 s2 p1"),
    ("conv k3, flatten, dense", "Layer 1, character 1: 'conv'", "write units"),
    ("conv 8, maxpool, flatten, dense", "Layer 2, character 9: 'maxpool'", "maxpool 3 s2 p1"),
    ("relu 3, flatten, dense", "Layer 1, character 6: '3'", "take it away"),
    ("conv 0, flatten, dense", "Layer 1, character 1: conv: units is 0", "from 1 to 65,536"),
    ("conv 8 k0 p0, flatten, dense", "conv: kernel is 0", "from 1 to 63"),
    ("conv 8 k64, flatten, dense", "conv: kernel is 64", "from 1 to 63"),
    ("conv 8 s0, flatten, dense", "conv: stride is 0", "from 1 to 63"),
    ("conv 8 k3 p3, flatten, dense", "conv: pad is 3", "from 0 to 2"),
    ("maxpool 3 p2, flatten, dense", "maxpool: pad is 2", "from 0 to 1"),
    ("conv 8,, flatten, dense", "Layer 2, character 8: there is no layer", "one comma away"),
    (", conv 8, flatten, dense", "Layer 1, character 1: there is no layer", "one comma away"),
    ("conv 8, dense", "Layer 2, character 9: dense stands before flatten", "write flatten before"),
    ("flatten, conv 8, dense", "Layer 2, character 10: conv stands after flatten", "move conv"),
    ("flatten, norm, dense", "Layer 2, character 10: norm stands after flatten", "move norm"),
    ("flatten, flatten, dense", "character 10: flatten stands after flatten", "move flatten"),
    ("flatten, dense, dense", "Layer 2, character 10: dense without a number", "dense 64"),
    ("conv 8, relu", "Layer 2, character 9: the network ends with relu", "flatten, dense"),
    ("flatten, dense 8, relu", "character 19: the network ends with relu", "without a number"),
    ("", "there are no layers", "flatten, dense"),
    ("layers = [", "no TOML", "or one line without ="),
    ("layers = 3", "no list of layers", "write layers ="),
    ("colour = 3\nlayers = []", "'colour' cannot be used here", "take it away"),
    ('image_px = "a"\nlayers = []', "image_px = 'a'", "correct it"),
    ("layers = [1]", "Layer 1: 1 is no layer", "units = 16"),
    ('layers = ["conv 8 q"]', "Layer 1, character 8: 'q'", "conv 16 k3 s2 p1"),
    ('layers = [{ layer = "cnov" }]', "Layer 1, key layer: 'cnov' is no layer", "mean conv"),
    ("layers = [{ units = 3 }]", "Layer 1, key layer", "one of these words"),
    ('layers = [{ layer = "conv", unit = 3 }]', "Layer 1, key unit: 'unit'", "take it away"),
    ('layers = [{ layer = "conv", units = true }]', "key units", "a whole number"),
    ('layers = [{ layer = "conv", units = 2, bias = 1 }]', "key bias", "true or false"),
    ('layers = [{ layer = "relu", units = 2 }]', "key units", "take it away"),
    ('layers = ["conv 8", "dense"]', "Layer 2, character 1: dense stands", "write flatten"),
    ("image_px = 0\nlayers = ['flatten', 'dense']", "image_px is 0", "2,048"),
    ("name = ''\nlayers = ['flatten', 'dense']", "cannot be a network's name", "1 to 100"),
]


@pytest.mark.parametrize(("text", "what", "fix"), MISTAKES)
def test_a_mistake_names_the_word_its_place_and_a_way_out(text, what, fix):
    with pytest.raises(SpecError, match=re.escape(what)) as caught:
        parse(text)
    assert fix in caught.value.fix


def test_a_place_counts_characters_over_all_lines():
    text = "conv 8\n\n  cnov 8\nflatten\ndense"
    with pytest.raises(SpecError, match=f"Layer 2, character {text.index('cnov') + 1}:"):
        parse(text)


def test_lines_may_end_with_commas():
    assert parse("conv 8,\n flatten,\n\n dense,\n").layers == parse("conv 8,flatten,dense").layers


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_three_parts(text):
    try:
        spec = parse(text)
    except SpecError as error:
        parts = error.args
    else:
        parts = (to_text(spec),)
    assert all(parts)


words = st.sampled_from(
    [
        "conv",
        "dense",
        "flatten",
        "maxpool",
        "norm",
        "relu",
        ",",
        "\n",
        "8",
        "k3",
        "s2",
        "p1",
        "bias",
    ]
)


@given(st.lists(words, max_size=12).map(" ".join))
def test_any_row_of_words_is_read_or_refused_and_what_is_read_round_trips(text):
    try:
        spec = parse(text)
    except SpecError:
        return
    assert parse(to_text(spec)) == spec


def test_a_text_of_a_novel_s_length_is_refused():
    with pytest.raises(SpecError, match="400,000 characters"):
        parse("relu" * 100_000)


def test_more_layers_than_can_be_drawn_are_refused():
    with pytest.raises(SpecError, match=r"Layer 1001, .* too many layers"):
        parse("relu," * 1_001 + "flatten, dense")


@pytest.mark.parametrize("image_px", [0, -1, MAX_IMAGE_PX + 1])
def test_an_image_size_outside_the_limits_is_refused(image_px):
    with pytest.raises(SpecError, match=f"image_px is {image_px}"):
        parse("flatten, dense", image_px=image_px)


def test_an_impossible_network_cannot_be_made_in_python_either():
    spec = parse("conv 8, flatten, dense")
    with pytest.raises(SpecError, match="Layer 1: dense stands before flatten"):
        dataclasses.replace(spec, layers=spec.layers[::-1])
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        spec.image_px = 3
