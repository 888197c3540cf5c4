"""The kind `export`: write a map or image file, which waits to be downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.jobs.store import Job
from app.jobs.work import JobWork, Outcome
from canvas.anchor import Anchor
from canvas.geometry import Rect

if TYPE_CHECKING:
    from canvas.scene import Scene
    from text2earth_core import ModelInfo

KEPT = 10  # finished exports of all scenes that can still be downloaded
PERCENT = 100


class Export:
    """Request: `format` (see `app.maps.FORMATS`), `region` (x, y, w, h in px, None for everything), `layers`, `anchor`
    (the fields of Anchor, None for the scene's own) and `title` for the queue.  Result: `file` (its suffix), `bytes`.
    """

    name = "export"
    denoises = False

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """Progress counts in percent."""
        return PERCENT

    def run(self, work: JobWork) -> Outcome:
        """Write the file; older exports beyond the newest KEPT go."""
        from app.maps import FORMATS
        from canvas.maps.export import export_scene

        request = work.request
        target = work.file(f".{request['format']}")
        region = Rect(*request["region"]) if request["region"] else None
        anchor = Anchor(**request["anchor"]) if request["anchor"] else None
        work.settle(PERCENT, {})
        with work.scene() as scene:
            export_scene(scene, target, region, anchor, work.show_progress, request.get("layers"))
        work.forget_old_files(KEPT, *(f".{suffix}" for suffix in FORMATS))
        return Outcome(result={"file": request["format"], "bytes": target.stat().st_size})

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """A file may be half written: it runs again."""
        return None

    def file(self, job: Job) -> str | None:
        """What it made, to be downloaded."""
        return f"{job.id}.{job.result['file']}" if job.state == "done" else None
