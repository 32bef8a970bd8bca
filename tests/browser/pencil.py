"""Equations read off the bench and added up with a pencil: only what stands on the screen counts.

One look at the page takes every text of the bench, folds opened; `added_up` then goes through them
with exact decimals, as far as the equation that is shown goes:

    products → sum of each channel → these and the bias → Σ → normalisation, function → the result

A line that is shown with = must hold to the last digit; one with ≈ goes on from the digits with
which the one before ended. The mark that says "recomputed" is not asked.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

from tests.browser.window import MINUS, NUMBER, exact

# Every text of the bench that is shown, in one go; null until the sentence begins as it should.
READ = """(start) => {
  const said = [...document.querySelectorAll('.drawer [aria-live=polite], [aria-live=polite]')]
    .find((one) => one.textContent.startsWith(start));
  if (!said) return null;
  const bench = document.querySelector(start.includes(' for the ') ? '[data-bench=weight]'
    : '[data-bench]');
  const text = (one) => one.textContent.trim();
  const part = (name) => bench.querySelector(`section[aria-label="${name}"]`);
  const all = (root, what) => (root ? [...root.querySelectorAll(what)] : []);
  let isFolded = false;
  const fold = ['Every factor', 'Every contribution', 'Every term', 'Every place',
    'Every gradient that comes back'].map(part).find((one) => one);
  for (const one of all(fold, '[aria-expanded=false]')) { one.click(); isFolded = true; }
  if (isFolded) return null;
  const sum = part('The sum');
  const lines = all(sum, 'ol > li').map((line) => ({
    word: all(line, '.word').map(text).join(' '),
    first: all(line, 'b').map(text)[0] ?? null,
    lines: all(line, '.line').map(text)
  }));
  return {
    said: text(said), bench: bench.dataset.bench, lines,
    bars: all(sum, '.waterfall .num').map(text),
    labels: all(sum, '.waterfall .muted').map(text),
    blocks: all(part('Every factor'), '.row:not(.head)').map((row) => ({
      products: all(row, '[aria-label^="products "] > span').map(text),
      sum: text(row.querySelector('.right'))
    })),
    terms: all(fold, '.list .row').map((row) => all(row, '.right').map(text)),
    folded: all(fold, '.fold').map((one) => text(one.querySelector('.num'))),
    window: all(part('The window'), '[aria-label="the window"] > span')
      .filter((one) => one.textContent !== '−∞').map(text),  // the border of a maximum
    says: all(part('The window'), '.says').map(text).join(''),
    facts: Object.fromEntries(all(part('The function'), 'dt').map(
      (word) => [text(word), text(word.nextElementSibling)])),
    moved: all(part('Where it comes from'), 'b').map(text),
    place: all(part('Where it comes from'), '.place').map(text),
    nothing: all(bench, 'p').some((one) => text(one).startsWith('Nothing comes back here')),
    powers: all(part('Softmax'), 'tbody td:nth-of-type(2)').map(text),
    classes: all(part('Every class'), 'tbody tr.on').map((row) => all(row, 'td').map(text))
  };
}"""

# The lines of the update that is headed as it should be, of the memory that it should begin with.
READ_UPDATE = """([heading, memory]) => {
  const update = document.querySelector('section[aria-label="The update"]');
  const text = (what) => update.querySelector(what).textContent.replace(/\\s+/g, ' ').trim();
  if (!update || text('h2') !== heading || !text('h2 + p').includes(memory)) return null;
  return {
    lines: [...update.querySelectorAll('.digits span')].map((one) => one.textContent.trim()),
    result: text('b')
  };
}"""

_PLAIN = Context(prec=2000)  # what is added is longer than the 28 digits of the usual context


def added(shown: Sequence[str]) -> Decimal:
    """The sum of what is shown."""
    with localcontext(_PLAIN):
        return sum(map(exact, shown), Decimal(0))


def update_added_up(lines: Sequence[str], result: str) -> int:
    """The lines of an update: those with = hold, the last is the new weight; how many hold."""
    count, product = 0, ""
    for line in lines:
        left, sign, right = re.split(" ([=≈]) ", line)
        if sign == "=":
            assert _SUM.fullmatch(left), line
            assert _worth(left) == _number(right), line
            assert left.endswith(f" {product}"), lines  # what was multiplied just before
            count += 1
        product = right
    assert exact(lines[-1].split(" = ")[1]) == exact(result), lines
    return count


def _number(text: str) -> Decimal:
    return Decimal(text.replace(MINUS, "-"))


def added_up(seen: Mapping[str, Any]) -> int:
    """Add up all that is shown of one equation; how many numbers were added."""
    with localcontext(_PLAIN):
        count = 0
        lines = list(seen["lines"])
        assert lines, seen
        sums = [line for line in lines if not line["lines"] and not line["word"]]
        total = exact(sums[0]["first"]) if sums else _entering(seen)
        count += _products(seen, total)
        count += _single(seen, total)
        if seen["bars"]:
            assert added(seen["bars"]) == total, seen
            count += len(seen["bars"])
        return count + _steps(seen, total)


def _entering(seen: Mapping[str, Any]) -> Decimal:
    """Where one number goes into a function no sum is shown: it stands beside the function."""
    facts = seen["facts"]
    if facts:
        return exact(facts.get("÷ 255", facts["in"]))
    (only,) = seen["terms"]
    return exact(only[2])


def _bias(seen: Mapping[str, Any]) -> Decimal:
    """Of a log-softmax, what is subtracted from every logit stands in its place."""
    named = dict(zip(seen["labels"], seen["bars"], strict=True))
    return exact(named.get("bias", named.get("− log Σ", "0")))


def _products(seen: Mapping[str, Any], total: Decimal) -> int:
    """Every product of every channel, or every term of the list; the bias stands with the bars."""
    blocks, terms = seen["blocks"], seen["terms"]
    if blocks:
        for block in blocks:
            assert block["products"]
            assert added(block["products"]) == exact(block["sum"]), (seen["said"], block)
        assert added([block["sum"] for block in blocks]) + _bias(seen) == total, seen
        return sum(len(block["products"]) for block in blocks)
    if terms:
        shown = [term[2] for term in terms]
        assert added(shown) + _bias(seen) == total, seen
        if seen["folded"]:  # what was folded away is the rest of the list
            assert added(shown[9:]) == exact(seen["folded"][0]), seen
        return len(shown)
    return 0


def _single(seen: Mapping[str, Any], total: Decimal) -> int:
    """A window, one number that is changed or moved, exponentials, a probability less its y."""
    if seen["says"]:
        left, _, right = seen["says"].rpartition(" = ")
        if left.startswith("max("):
            assert max(map(_number, NUMBER.findall(left))) == _number(right) == total, seen
        else:
            assert added(left.split(" + ")) == exact(right) == total, seen
        return left.count(" ") + 1
    if seen["window"]:  # too many to be written out: the tiles hold them
        if not seen["bars"]:
            assert max(map(exact, seen["window"])) == total, seen
        return len(seen["window"])
    facts = seen["facts"]
    if "product" in facts:
        assert exact(facts["product"]) + exact(facts["shift"]) == exact(facts["out"]) == total, seen
        return 3
    if facts and not seen["bars"] and not any(line["lines"] for line in seen["lines"]):
        assert exact(facts["in"]) == exact(facts["out"]) == total, seen  # it passes as it is
        return 1
    if seen["moved"]:
        assert exact(seen["moved"][0]) == total, seen
        for shown in seen["place"]:  # 2 · 64 + 3 · 8 + 5 = 157
            unit, cells, row, width, column, place = map(int, re.findall(r"\d+", shown))
            assert unit * cells + row * width + column == place, seen
        return 1 + 6 * len(seen["place"])
    if seen["nothing"]:
        assert total == 0, seen
        return 1
    if seen["powers"]:
        assert added(seen["powers"]) == total, seen
        return len(seen["powers"])
    if seen["classes"]:
        p, _, wanted, _, gradient = seen["classes"][0]
        assert exact(p) - exact(wanted) == exact(gradient), seen
        assert abs(exact(gradient) - total) <= _ends(gradient, total), seen
        return 2
    return 0


def _ends(shown: str, total: Decimal) -> Decimal:
    """One in the last digit of the shorter one: the table has four digits, the sum perhaps more."""
    digits = [exact(shown).as_tuple().exponent, total.as_tuple().exponent]
    return Decimal(1).scaleb(max(int(digit) for digit in digits))


def _steps(seen: Mapping[str, Any], total: Decimal) -> int:
    """Each step goes on from the digits where the last one ended, up to the result."""
    count = 0
    before = total
    for line in seen["lines"]:
        if not line["lines"]:
            continue
        text = "; ".join(line["lines"])
        numbers = [_number(found) for found in re.findall(_NUMBER, text)]
        assert before in numbers, (before, seen)
        for shown in line["lines"]:
            left, sign, right = re.split(" ([=≈]) ", shown)
            if sign == "=":
                assert _worth(left) == _number(right), (shown, seen["said"])
            count += 1
        before = numbers[-1]
    if count:
        assert exact(seen["lines"][-1]["first"]) == before, seen
    return count


_NUMBER = rf"{MINUS}?\d+(?:\.\d+)?(?:e[+{MINUS}]?\d+)?"
_SUM = re.compile(rf"({_NUMBER}) ([+{MINUS}-]) ({_NUMBER})")
_BOUND = re.compile(rf"(max|min)\(({_NUMBER}), (.+)\)")
_GATE = re.compile(rf"({_NUMBER}) × ([01])")


def _worth(text: str) -> Decimal:
    """The left side of a line that holds exactly: a number, a sum, a bound, a gate."""
    if bound := _BOUND.fullmatch(text):
        pair = _number(bound[2]), _worth(bound[3])
        return max(pair) if bound[1] == "max" else min(pair)
    if both := _SUM.fullmatch(text):
        sign = 1 if both[2] == "+" else -1
        return _number(both[1]) + sign * _number(both[3])
    if gated := _GATE.fullmatch(text):
        return _number(gated[1]) * _number(gated[2])
    return _number(text)
