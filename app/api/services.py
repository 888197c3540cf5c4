"""What the request handlers share: one object made at start, found through the application."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from app.jobs.scene_jobs import SceneJobs
from app.page.slot import PageSlot
from app.serving.added_adapters import AddedAdapters
from app.serving.events import EventHub
from app.serving.library import Library
from app.serving.model_host import ModelHost
from app.serving.model_shelf import ModelShelf
from app.serving.towers_host import TowersHost

DEFAULT_RESOLUTION = 1.0  # m/px, where the model has not said its own yet


@dataclass(frozen=True)
class Services:
    """The rooms behind the API."""

    library: Library
    jobs: SceneJobs
    host: ModelHost
    hub: EventHub
    page: PageSlot
    adapters: AddedAdapters
    shelf: ModelShelf
    towers: TowersHost

    @property
    def default_resolution(self) -> float:
        """Metres per pixel of a new scene."""
        return self.host.model.info.resolution if self.host.state == "ready" else DEFAULT_RESOLUTION


def services(request: Request) -> Services:
    """The Services of the application that a request belongs to."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found
