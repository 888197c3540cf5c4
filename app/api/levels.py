"""The Google level that a prompt may begin with, where the scene has no resolution of its own yet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from app.api.services import Services
from canvas.errors import SceneError
from text2earth_core.prompts import split_level


def take_level(use: Services, scene: str, prompts: Iterable[str]) -> None:
    """Give an empty scene, for which nothing waits, the resolution (m/px) that all levels in the prompts mean.

    Where it has content, levels differ, or a scene cannot have it, nothing happens: the job's notes say so.
    """
    asked = {metres for _, metres in map(split_level, prompts) if metres is not None}
    if len(asked) != 1 or use.jobs.pending_frames(scene):
        return
    with use.library.open(scene) as opened, contextlib.suppress(SceneError):
        before = opened.resolution
        opened.set_resolution(asked.pop())
        if opened.resolution != before:
            use.jobs.tell_scene_changed(scene, [])
