"""What a folder studies: written once, so that a study that goes on is the same one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from text2earth_core.errors import Text2EarthError
from text2earth_core.whole_file import whole_file

PLAN_FILE = "plan.json"


def keep_plan(out: Path, told: dict[str, Any]) -> None:
    """Remember what is studied; Text2EarthError where the folder holds another study."""
    out.mkdir(parents=True, exist_ok=True)
    path, told = out / PLAN_FILE, json.loads(json.dumps(told))
    if path.is_file():
        before = json.loads(path.read_text())
        other = next((name for name, value in told.items() if before.get(name) != value), None)
        if other is not None:
            raise Text2EarthError(f"{out} holds a study whose {other} is {before.get(other)}: name another folder.")
        return
    with whole_file(path) as part:
        part.write_text(json.dumps(told, indent=1))
