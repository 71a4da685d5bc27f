"""Build hook: in a checkout, link the three folders to the one import name.

`agents/`, `tools/` and `sandbox/` install as `loopwright`, `loopwright.tools` and
`loopwright.sandbox`. A wheel renames them (`tool.hatch.build.targets.wheel.sources`); an
editable install needs real paths, so this hook makes three links that git ignores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LINKS = {
    "src/loopwright": "../agents",
    "agents/tools": "../tools",
    "agents/sandbox": "../sandbox",
}


class LinkFolders(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's generic is private
    """Makes the links of an editable install where they are missing."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a target is built; `version` is "editable" or "standard"."""
        if version != "editable":
            return
        for name, target in LINKS.items():
            link = Path(self.root, name)
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.unlink(missing_ok=True)  # a link to a folder that has moved
                link.symlink_to(target, target_is_directory=True)
