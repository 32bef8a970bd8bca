"""How much is read off the page at random: less in `make test`, more in `make test-full`."""

from typing import Any

import pytest


def counts(few: int, many: int) -> list[Any]:
    """The smaller count in `make test`, the larger one in `make test-full`."""
    return [
        pytest.param(few, id=f"{few}"),
        pytest.param(many, id=f"{many}", marks=pytest.mark.full),
    ]
