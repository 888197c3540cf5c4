"""The kind `import`: put an image file that was sent before onto the scene."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.errors import Gone
from app.jobs.store import ACTIVE, Job
from app.jobs.work import JobWork, Outcome

if TYPE_CHECKING:
    from canvas.scene import Scene
    from text2earth_core import ModelInfo

SUFFIX = ".upload"
PERCENT = 100
RECENT = 20  # accepted steps that are looked at for the one a killed server had just made


class Import:
    """Request: `file` (the id under which it was received), `name`, `resolution` (m/px), `at` (x, y in px), `bands`,
    `range`, `layer`, each None for what the file says, and `title` for the queue.
    """

    name = "import"
    denoises = False

    def expected_steps(self, request: dict[str, Any], info: ModelInfo) -> int:
        """Progress counts in percent."""
        return PERCENT

    def run(self, work: JobWork) -> Outcome:
        """Resample and accept; the file goes once it is in the scene."""
        from canvas.maps.import_image import import_image

        request = work.request
        file = work.received(request["file"], SUFFIX)
        if not file.is_file():
            raise Gone(f"{request['name']} is not kept any more: drop it onto the map again.")
        work.settle(PERCENT, {})
        with work.scene() as scene:
            made = import_image(
                scene,
                file,
                request["resolution"],
                tuple(request["at"]) if request["at"] else None,
                request["bands"],
                tuple(request["range"]) if request["range"] else None,
                request["name"],
                work.show_progress,
                work.scratch,
                request.get("layer"),
            )
        work.note(*made.notes)
        file.unlink(missing_ok=True)
        first = made.entries[0]
        return Outcome(
            [first.rect], {"rect": list(first.rect), "layers": [one.request["layer"] for one in made.entries]}
        )

    def finished(self, scene: Scene, job: Job) -> Outcome | None:
        """A kill may fall between the scene's record and the queue's."""
        started = datetime.fromtimestamp(job.started, UTC).isoformat(timespec="milliseconds")
        for entry in scene.history(newest=RECENT):
            source = entry.request.get("source") or {}
            if entry.created >= started and source.get("file") == job.request["name"]:
                return Outcome([entry.rect], {"rect": list(entry.rect)})
        return None

    def file(self, job: Job) -> str | None:
        """What was sent for it, until it ran or was cancelled; one that a kill cut off needs it for its retry."""
        return job.request["file"] + SUFFIX if job.state in (*ACTIVE, "interrupted") else None
