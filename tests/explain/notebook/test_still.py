"""What a notebook shows of a trace is what the trace holds."""

import base64
import io
import itertools
from html.parser import HTMLParser

import numpy as np
import torch
from PIL import Image
from torch import nn

from seethrough.draw.colour import painted
from seethrough.explain import trace

PHOTO = np.random.default_rng(3).integers(256, size=(16, 16, 3), dtype=np.uint8)


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.pictures: dict[str, np.ndarray] = {}
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        found = dict(attributes)
        self.addresses += [value for name, value in attributes if name in {"src", "href"}]
        if tag == "img":
            content = base64.b64decode(found["src"].partition(",")[2])
            self.pictures[found["alt"]] = np.asarray(Image.open(io.BytesIO(content)))

    def handle_data(self, data):
        self.texts.append(data)


class Deep(nn.Module):
    """Forty convolutions, the first of more units than are shown."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [3, 20, *[4] * 39]
        pairs = itertools.pairwise(sizes)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        for convolution in self.convolutions:
            x = convolution(x).relu()
        return self.head(x.mean((2, 3)))


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 2)
    )


def test_maps_probabilities_and_the_photo_are_those_of_the_trace():
    seen = trace(small(), PHOTO, classes=["cat <b>", "dog"])
    page = Reader(seen._repr_html_())
    assert np.array_equal(page.pictures["the photo"][::6, ::6], PHOTO)
    maps = seen.layer("0").output
    shown = page.pictures["0, units 0, 1, 2, 3 of 4"]
    largest = float(np.abs(maps).max())
    for unit in range(4):
        tile = shown[unit * 35 : unit * 35 + 32]
        assert np.array_equal(tile[::4, ::4], painted(maps[unit], largest))
    assert f"±{largest:.3g}" in page.texts
    order = np.argsort(-seen.probabilities)
    said = [text for text in page.texts if text.endswith(" %")]
    shares = [100 * float(seen.probabilities[index]) for index in order]
    assert said == [f"{share:.1f} %" if share >= 0.05 else "< 0.1 %" for share in shares]
    assert "cat <b>" in page.texts


def test_a_size_of_several_layers_in_a_row_is_said_once():
    texts = Reader(trace(small(), PHOTO)._repr_html_()).texts
    assert texts.count("4 · 8×8") == 1  # of the convolution and the ReLU after it
    assert texts[texts.index("4 · 8×8") - 1] == "0"


def test_a_probability_that_rounds_to_nothing_is_not_nothing():
    network = nn.Sequential(nn.Flatten(), nn.Linear(768, 3))
    nn.init.zeros_(network[1].weight)
    with torch.no_grad():
        network[1].bias.copy_(torch.tensor([0.0, -10.0, -1000.0]))
    texts = Reader(trace(network, PHOTO)._repr_html_()).texts
    assert [text for text in texts if text.endswith(" %")] == ["100.0 %", "< 0.1 %", "0.0 %"]


def test_it_is_static_and_fetches_nothing():
    page = Reader(trace(small(), PHOTO)._repr_html_())
    assert page.tags <= {"div", "img", "table", "tr", "td"}
    assert all(address.startswith("data:image/png;base64,") for address in page.addresses)


def test_of_a_deep_network_and_a_wide_layer_it_says_what_is_left_out():
    torch.manual_seed(1)
    seen = trace(Deep(), PHOTO)
    text = " ".join(Reader(seen._repr_html_()).texts)
    layers = [layer for layer in seen.layers if layer.kind != "softmax"]
    assert f"{len(layers) - 32} of {len(layers)} layers are left out." in text
    assert "its 16 most active units" in text
    activity = np.abs(seen.layer("convolutions.0").output).mean(axis=(1, 2))
    most = sorted(np.argsort(-activity)[:16].tolist())
    assert (
        f"convolutions.0, units {', '.join(map(str, most))} of 20"
        in Reader(seen._repr_html_()).pictures
    )
