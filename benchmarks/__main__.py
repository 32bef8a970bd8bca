"""`make bench`: every measurement in one table, or with --json in one object.

python -m benchmarks [PART …] [--quick] [--json]

The parts: training, startup, latency, frames, transfer, exactness; without any, all of them.
"""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import exactness, frames, latency, startup, training, transfer
from benchmarks.machine import description

PARTS = ("training", "startup", "latency", "frames", "transfer", "exactness")
QUICK_ROUNDS = 5
QUICK_SEEDS = 2
SMALL = 0.001
WIDTH = 112  # of a table with counts and differences, in characters


def measure(part: str, *, is_quick: bool) -> dict[str, Any]:
    """The figures of one part."""
    if part == "training":
        return training.run(rounds=1) if is_quick else training.run()
    if part == "startup":
        return startup.run()
    if part == "transfer":
        found = transfer.run(seeds=QUICK_SEEDS) if is_quick else transfer.run()
        again = transfer.run_shipped(QUICK_SEEDS) if is_quick else transfer.run_shipped()
        return {"other_classes": found, "shipped": again}
    if part == "frames":
        return frames.run(seconds=1.0) if is_quick else frames.run()
    if part == "exactness":
        return exactness.run(exactness.QUICK_VALUES if is_quick else exactness.VALUES)
    return latency.run(rounds=QUICK_ROUNDS) if is_quick else latency.run()


def flat(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested figures as rows of a dotted name and a number."""
    rows = []
    for name, value in figures.items():
        if isinstance(value, dict):
            rows += flat(value, f"{prefix}{name}.")
        else:
            rows.append(
                (f"{prefix}{name}", _written(value) if isinstance(value, float) else str(value))
            )
    return rows


def _written(value: float) -> str:
    return f"{value:,.3f}" if value >= SMALL or value == 0 else f"{value:.1e}"


def main() -> None:
    """Measure what was asked for, print it."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    arguments.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments.add_argument("--json", action="store_true", help="one object on standard output")
    options = arguments.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        arguments.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found: dict[str, Any] = {"machine": description()}
    for part in options.parts or PARTS:
        found[part] = measure(part, is_quick=options.quick)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    console = Console()
    rows = flat({part: found[part] for part in found if part not in {"machine", "exactness"}})
    if rows:
        table = Table("figure", "value", title=found["machine"])
        for name, value in rows:
            table.add_row(name, value)
        console.print(table)
    if "exactness" in found:
        wide = Console(width=max(console.width, WIDTH))
        wide.print(found["machine"], *exactness.tables(found["exactness"]), sep="\n")


if __name__ == "__main__":
    main()
