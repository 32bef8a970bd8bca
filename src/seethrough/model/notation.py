"""Reading a network's text: words to layers, and the order that layers must keep.

Every mistake is a SpecError that names the word, its place and what is allowed there. A place is
"Layer 3, character 27": both counted from 1, characters over the whole text.
The notation itself is described in `spec`.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from seethrough.errors import SpecError
from seethrough.model.layer import (
    WORDS,
    Activation,
    AvgPool,
    Conv,
    Dense,
    Flatten,
    Function,
    LayerSpec,
    MaxPool,
    Norm,
    Pool,
    has_bias_by_default,
)

MAX_TEXT = 100_000  # characters
ENDS = "add flatten and a dense layer without a number at the end: …, flatten, dense."


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text and where it stands."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A layer that was read; if it says nothing on its bias, the layer after it decides."""

    layer: LayerSpec
    place: str
    says_bias: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """A layer in an impossible place."""

    index: int
    what: str
    why: str
    fix: str


def misplaced(layers: Sequence[LayerSpec], max_layers: int) -> Fault | None:
    """The first layer that cannot stand where it stands, or None."""
    if not layers:
        why = "a network needs at least flatten and one dense layer."
        return Fault(0, "there are no layers.", why, ENDS)
    if len(layers) > max_layers:
        why = "this program draws and names every layer."
        return Fault(max_layers, "too many layers.", why, f"write at most {max_layers:,} layers.")
    is_flat = False
    for index, layer in enumerate(layers):
        is_last = index == len(layers) - 1
        if (fault := _order_fault(index, layer, is_flat=is_flat, is_last=is_last)) is not None:
            return fault
        is_flat = is_flat or isinstance(layer, Flatten)
    return None


def _order_fault(index: int, layer: LayerSpec, *, is_flat: bool, is_last: bool) -> Fault | None:
    word = layer.word
    if is_flat and isinstance(layer, Conv | Norm | Pool | Flatten):
        why = f"{word} works on maps, and flatten made one row of numbers of them."
        return Fault(index, f"{word} stands after flatten.", why, f"move {word} before flatten.")
    if not is_flat and isinstance(layer, Dense):
        why = "a dense layer reads one row of numbers, and the layers before it make maps."
        return Fault(index, "dense stands before flatten.", why, "write flatten before this dense.")
    if isinstance(layer, Dense) and layer.units is None and not is_last:
        why = "a dense layer without a number has one unit for every class, so it is the last."
        return Fault(index, "dense without a number.", why, "give it units, for example: dense 64.")
    if is_last and not isinstance(layer, Dense):
        why = "the last layer gives one number for every class, so it is dense."
        fix = ENDS if not is_flat else "end with a dense layer without a number: …, dense."
        return Fault(index, f"the network ends with {word}.", why, fix)
    return None


# ---------------------------------------------------------------- one line


def from_line(text: str, max_layers: int) -> tuple[LayerSpec, ...]:
    """The layers of a one-line text."""
    if len(text) > MAX_TEXT:
        raise SpecError(
            f"The network's text has {len(text):,} characters.",
            why="a text of this size is not a network that a person wrote.",
            fix=f"write at most {MAX_TEXT:,} characters.",
        )
    drafts = [_read(words) for words in _pieces(text)]
    return _settle(drafts, max_layers)


def _pieces(text: str) -> Iterator[list[Word]]:
    """The words of every layer; commas and line ends part layers, empty lines are passed over."""
    number = 0
    parts = list(re.finditer(r"[^,\n]*", text))
    for part in (part for part in parts if part.end() == len(text) or text[part.end()] in ",\n"):
        words = list(re.finditer(r"\S+", part.group()))
        number += bool(words)
        if words:
            start = part.start() + 1
            places = [f"Layer {number}, character {start + word.start()}" for word in words]
            yield [
                Word(word.group().lower(), place) for word, place in zip(words, places, strict=True)
            ]
        elif _is_between_commas(text, part.start(), part.end()):
            raise SpecError(
                f"Layer {number + 1}, character {part.start() + 1}: there is no layer here.",
                why="a comma stands between two layers.",
                fix="take one comma away, or write a layer there: " + ", ".join(WORDS) + ".",
            )


def _is_between_commas(text: str, start: int, end: int) -> bool:
    before = text[:start].rstrip(" \t\r\n")
    after = text[end:].lstrip(" \t\r\n")
    return (before.endswith(",") or not before) and after.startswith(",")


def _settle(drafts: Sequence[Draft], max_layers: int) -> tuple[LayerSpec, ...]:
    """Default biases filled in and the order checked."""
    layers: list[LayerSpec] = []
    for index, draft in enumerate(drafts):
        layer = draft.layer
        following = drafts[index + 1].layer if index + 1 < len(drafts) else None
        if isinstance(layer, Conv) and not draft.says_bias:
            bias = has_bias_by_default(following)
            layer = Conv(layer.units, layer.kernel, layer.stride, layer.pad, bias)
        layers.append(layer)
    fault = misplaced(layers, max_layers)
    if fault is not None:
        place = f"{drafts[fault.index].place}: " if drafts else "The network: "
        raise SpecError(place + fault.what, why=fault.why, fix=fault.fix)
    return tuple(layers)


def _read(words: Sequence[Word]) -> Draft:
    """One layer from its words."""
    head, *options = words
    allowed = _OPTIONS.get(head.text)
    if allowed is None:
        if head.text not in WORDS:
            _refuse_layer(head)
        if options:
            _refuse(options[0], f"{head.text} takes no numbers and no options.", "take it away.")
        return Draft(_bare(head.text), head.place)
    fields: dict[str, int] = {}
    for word in options:
        field, value = _option(head.text, word, allowed)
        if field in fields:
            why = f"{head.text} was already given {field}."
            _refuse(word, why, "say it once.")
        fields[field] = value
    return _assemble(head, fields)


# What may follow a layer's word: letter → field. "" is the plain number.
_OPTIONS: dict[str, dict[str, str]] = {
    "conv": {"": "units", "k": "kernel", "s": "stride", "p": "pad"},
    "maxpool": {"": "kernel", "s": "stride", "p": "pad"},
    "avgpool": {"": "kernel", "s": "stride", "p": "pad"},
    "dense": {"": "units"},
}
_HINTS = {
    "conv": "write units, then k kernel, s stride, p padding, bias or nobias: conv 16 k3 s2 p1.",
    "maxpool": "write the window's width, then s stride, p padding: maxpool 3 s2 p1.",
    "avgpool": "write the window's width, then s stride, p padding: avgpool 3 s2 p1.",
    "dense": "write the number of units: dense 64. The last dense has none.",
}


def _option(layer: str, word: Word, allowed: dict[str, str]) -> tuple[str, int]:
    if layer == "conv" and word.text in ("bias", "nobias"):
        return "bias", int(word.text == "bias")
    match = re.fullmatch(r"([a-z]?)([0-9]{1,9})", word.text, re.ASCII)
    if match is None or match[1] not in allowed:
        _refuse(word, f"{layer} knows no such option.", _HINTS[layer])
    return allowed[match[1]], int(match[2])


def _assemble(head: Word, fields: dict[str, int]) -> Draft:
    needed = {"conv": "units", "maxpool": "kernel", "avgpool": "kernel"}.get(head.text)
    if needed is not None and needed not in fields:
        _refuse(head, f"it needs a number: its {needed}.", _HINTS[head.text])
    says_bias = "bias" in fields
    try:
        return Draft(_made(head.text, fields), head.place, says_bias)
    except SpecError as error:
        raise SpecError(f"{head.place}: {error.what}", why=error.why, fix=error.fix) from None


def _made(word: str, fields: dict[str, int]) -> LayerSpec:
    if word == "conv":
        numbers = {key: value for key, value in fields.items() if key != "bias"}
        return Conv(**numbers, bias=bool(fields.get("bias", True)))
    if word == "dense":
        return Dense(fields.get("units"))
    kernel = fields["kernel"]
    pool = MaxPool if word == "maxpool" else AvgPool
    return pool(kernel, fields.get("stride", kernel), fields.get("pad", 0))


def _bare(word: str) -> LayerSpec:
    if word == "norm":
        return Norm()
    return Flatten() if word == "flatten" else Activation(Function(word))


def _refuse(word: Word, why: str, fix: str) -> NoReturn:
    raise SpecError(f"{word.place}: {word.text!r} cannot be used here.", why=why, fix=fix)


_OTHER_WORDS = {
    "batchnorm": "norm",
    "bn": "norm",
    "conv2d": "conv",
    "linear": "dense",
    "fc": "dense",
    "averagepool": "avgpool",
    "leakyrelu": "leaky_relu",
    "swish": "silu",
}


def _refuse_layer(word: Word) -> NoReturn:
    fixes = {
        "softmax": "take it away: every network ends with softmax by itself.",
        "normalise": "take it away: every network begins with normalise by itself.",
    }
    near = _OTHER_WORDS.get(word.text) or next(
        iter(difflib.get_close_matches(word.text, WORDS)), ""
    )
    guess = f"did you mean {near}? " if near else ""
    raise SpecError(
        f"{word.place}: {word.text!r} is no layer.",
        why=f"a layer is one of {', '.join(WORDS)}.",
        fix=fixes.get(word.text, f"{guess}write one of these words."),
    )


# ---------------------------------------------------------------- TOML


def from_toml(text: str, max_layers: int) -> tuple[tuple[LayerSpec, ...], str | None, int | None]:
    """Layers, name and image size; the last two are None where the text does not say them."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(
            f"The network's text is no TOML: {error}.",
            why="a text with an equals sign is read as TOML.",
            fix='write layers = ["conv 16 k3 p1", "flatten", "dense"], or one line without =.',
        ) from None
    keys = ("name", "image_px", "layers")
    for key in table:
        if key not in keys:
            _refuse(
                Word(key, "Top of the TOML"), f"its keys are {', '.join(keys)}.", "take it away."
            )
    name, image_px, layers = (table.get(key) for key in keys)
    for key, value, kind in (("name", name, str), ("image_px", image_px, int)):
        if value is not None and type(value) is not kind:
            word = Word(f"{key} = {value!r}", "Top of the TOML")
            _refuse(word, f"{key} is {'text' if kind is str else 'a whole number'}.", "correct it.")
    if not isinstance(layers, list):
        raise SpecError(
            "The TOML has no list of layers.",
            why="a network is made of layers.",
            fix='write layers = ["conv 16 k3 p1", "relu", "flatten", "dense"].',
        )
    drafts = [_from_item(number, item) for number, item in enumerate(layers, start=1)]
    return _settle(drafts, max_layers), name, image_px


def _from_item(number: int, item: object) -> Draft:
    place = f"Layer {number}"
    if isinstance(item, str):
        words = [
            Word(word.group().lower(), f"{place}, character {word.start() + 1}")
            for word in re.finditer(r"\S+", item)
        ]
        if words:
            return _read(words)
    if isinstance(item, dict):
        return _from_table(place, item)
    raise SpecError(
        f"{place}: {item!r} is no layer.",
        why="a layer is a text or a table.",
        fix='write "conv 16 k3 p1" or { layer = "conv", units = 16, kernel = 3, pad = 1 }.',
    )


def _from_table(place: str, table: dict[str, object]) -> Draft:
    word = table.get("layer")
    if not isinstance(word, str) or word not in WORDS:
        _refuse_layer(Word(str(word), f"{place}, key layer"))
    names = {*_OPTIONS.get(word, {}).values(), *(["bias"] if word == "conv" else [])}
    fields: dict[str, int] = {}
    for key, value in table.items():
        if key == "layer":
            continue
        at = Word(key, f"{place}, key {key}")
        if key not in names:
            known = ", ".join(["layer", *sorted(names)])
            _refuse(at, f"{word} has the keys {known}.", "take it away, or correct it.")
        if type(value) is not (bool if key == "bias" else int):
            kind = "true or false" if key == "bias" else "a whole number"
            _refuse(at, f"its value is {value!r}.", f"write {kind}.")
        assert isinstance(value, int)
        fields[key] = value
    head = Word(word, place)
    return _assemble(head, fields) if word in _OPTIONS else Draft(_bare(word), place)
