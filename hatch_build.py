"""Build hook: the wheel and the editable install contain the built studio.

The sdist carries the studio's sources, so a wheel built from it makes the same pages.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudioHook(BuildHookInterface[Any]):
    """Runs `tools/studio.py build` before the files are collected."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Nothing is built for the sdist: whoever builds from it builds the pages."""
        if self.target_name == "sdist":
            return
        sys.path.insert(0, str(Path(self.root) / "tools"))
        import studio

        studio.build()
