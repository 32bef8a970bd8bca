"""An equation for the terminal: windows × kernels = products, the largest channel first.

Channels that are not shown in full are folded into one line; its number is the sum of their shown
sums, so the column on the right adds up as it stands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from seethrough.explain.term import ChannelSum, EquationStep, Term

SHOWN_CHANNELS = 3
SHOWN_TERMS = 8  # of those that form no window
WIDEST_WINDOW = 7  # columns
WIDEST_LINE = 84  # characters, without the channel and its sum


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is printed, before it has lines."""

    title: str
    kind: str
    formula: str
    terms: Sequence[Term]
    channels: Sequence[ChannelSum]  # largest first
    bias: str | None
    sum: str
    steps: Sequence[EquationStep]
    marks: Sequence[str]

    def __str__(self) -> str:
        rows = [*self._factors(), *self._rest()]
        width = max((len(left) for left, _ in rows), default=0)
        numbers = max((len(right) for _, right in rows), default=0)
        lines = [self.title, self.formula, ""]
        lines += [f"  {left:<{width}}   {right:>{numbers}}".rstrip() for left, right in rows]
        names = max((len(step.layer) for step in self.steps), default=0)
        lines += [""] * bool(self.steps)
        lines += [f"  {step.layer:<{names}}  {step.shown}" for step in self.steps]
        return "\n".join([*lines, "", *(f"  {mark}" for mark in self.marks)])

    def _factors(self) -> list[tuple[str, str]]:
        by_channel: dict[int, list[Term]] = {}
        for term in self.terms:
            by_channel.setdefault(term.channel, []).append(term)
        if all(len(terms) == 1 for terms in by_channel.values()):
            return _list(self.terms, self.kind)
        rows: list[tuple[str, str]] = []
        for channel in self.channels[:SHOWN_CHANNELS]:
            rows += _window(channel, by_channel[channel.channel])
        folded = self.channels[SHOWN_CHANNELS:]
        if folded:
            count = sum(len(by_channel[channel.channel]) for channel in folded)
            rest = str(sum(map(_decimal, (channel.shown for channel in folded)), Decimal(0)))
            rows.append((f"{len(folded)} more channels, {count} products", rest))
        return rows

    def _rest(self) -> list[tuple[str, str]]:
        bias = [] if self.bias is None else [("bias", self.bias)]
        return [*bias, ("sum", self.sum)]


def _list(terms: Sequence[Term], kind: str = "") -> list[tuple[str, str]]:
    order = sorted(terms, key=lambda term: -abs(term.product))
    shown, folded = order[:SHOWN_TERMS], order[SHOWN_TERMS:]
    places = max((len(_place(term)) for term in shown), default=0)
    inputs = max((len(term.shown_input) for term in shown), default=0)
    weights = max((len(term.shown_weight) for term in shown), default=0)
    highest = max(terms, key=lambda term: term.input).shown_input if terms else ""

    def factors(term: Term) -> str:
        if kind == "softmax":  # its product is no product: a power of e
            return f"e^({term.shown_input:>{inputs}} - {highest})".replace(" - -", " + ")
        return f"{term.shown_input:>{inputs}} × {term.shown_weight:>{weights}}"

    rows = [
        (
            f"{_place(term):<{places}}  "
            + factors(term)
            + ("  winner" if term.is_winner else "")
            + ("  padding" if term.is_padding else ""),
            term.shown_product,
        )
        for term in shown
    ]
    if folded:
        rest = str(sum(map(_decimal, (term.shown_product for term in folded)), Decimal(0)))
        rows.append((f"{len(folded)} more products", rest))
    return rows


def _place(term: Term) -> str:
    return f"#{term.channel:<4} ({term.row}, {term.column})"


def _window(channel: ChannelSum, terms: Sequence[Term]) -> list[tuple[str, str]]:
    columns = sorted({term.column for term in terms})
    rows = sorted({term.row for term in terms})
    if len(columns) * len(rows) != len(terms) or len(columns) > WIDEST_WINDOW:
        return [*_list(terms), (f"#{channel.channel} together", channel.shown)]
    cells = {(term.row, term.column): term for term in terms}
    blocks = [
        (" ", _grid(cells, rows, columns, lambda t: "·" if t.is_padding else t.shown_input)),
        ("×", _grid(cells, rows, columns, lambda term: term.shown_weight)),
        ("=", _grid(cells, rows, columns, _product)),
    ]
    middle = (len(rows) - 1) // 2
    lines = [
        (f"#{channel.channel}".ljust(5) if index == middle else " " * 5) + line
        for index, line in enumerate(_side_by_side(blocks, middle))
    ]
    last = len(lines) - len(rows) + middle  # in the middle of the products
    rows_of_text = [
        (line, channel.shown if index == last else "") for index, line in enumerate(lines)
    ]
    return [*rows_of_text, ("", "")]


def _side_by_side(blocks: Sequence[tuple[str, list[str]]], middle: int) -> list[str]:
    """Blocks of lines with their signs, left to right, on as many storeys as the width needs."""
    storeys: list[list[str]] = []
    for sign, block in blocks:
        signed = [f"{sign if index == middle else ' '}  {line}" for index, line in enumerate(block)]
        if storeys and len(storeys[-1][0]) + len(signed[0]) + 2 <= WIDEST_LINE:
            pairs = zip(storeys[-1], signed, strict=True)
            storeys[-1] = [f"{left}  {right}" for left, right in pairs]
        else:
            storeys.append(signed)
    first, *others = storeys
    return [*first, *(line for storey in others for line in ("", *storey))]


def _product(term: Term) -> str:
    return f"{term.shown_product}{'*' if term.is_winner else ''}"


def _grid(
    cells: dict[tuple[int, int], Term],
    rows: Sequence[int],
    columns: Sequence[int],
    text: Callable[[Term], str],
) -> list[str]:
    width = max(len(text(term)) for term in cells.values())
    return [" ".join(f"{text(cells[row, column]):>{width}}" for column in columns) for row in rows]


def _decimal(text: str) -> Decimal:
    return Decimal(text)
