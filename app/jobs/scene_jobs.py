"""What the queued jobs mean for the map of a scene: frames that are spoken for, candidates still to come."""

from __future__ import annotations

from app.jobs.queue import JobQueue
from app.jobs.store import JobStore
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from canvas.geometry import Rect

UNSHOWN = ("mask",)  # large, and the page that drew it needs it no more


class SceneJobs(JobQueue):
    """The queue of the server, which knows what requests say about places.  Safe to call from any thread."""

    def __init__(self, store: JobStore, library: Library, host: ModelHost, hub: EventHub) -> None:
        super().__init__(store, library, host, hub, unshown=UNSHOWN)

    def pending_frames(self, scene: str, layer: str | None = None) -> list[Rect]:
        """Frames that wait or are being painted, in one layer or in all: the next extension lies beyond them."""
        asked = [job.request for job in self.active(scene) if "frame" in job.request]
        return [Rect(*one["frame"]) for one in asked if layer in (None, one.get("layer", "rgb"))]

    def cancel_edit(self, scene: str, batch: str) -> None:
        """Stop the edit that still makes candidates of a batch, if there is one."""
        with self._wake:
            for job in self.active(scene):
                if (job.id, job.kind) == (batch, "edit"):
                    self.cancel(job.id)
