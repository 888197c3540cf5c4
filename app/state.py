"""What the request handlers share: one object made at start, found through the application."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from app.events import EventHub
from app.jobs import JobQueue
from app.library import Library
from app.model_host import ModelHost
from app.page_slot import PageSlot

DEFAULT_RESOLUTION = 1.0  # m/px, where the model has not said its own yet


@dataclass(frozen=True)
class Services:
    """The rooms behind the API."""

    library: Library
    jobs: JobQueue
    host: ModelHost
    hub: EventHub
    page: PageSlot

    @property
    def default_resolution(self) -> float:
        """Metres per pixel of a new scene."""
        return self.host.model.info.resolution if self.host.state == "ready" else DEFAULT_RESOLUTION


def services(request: Request) -> Services:
    """The Services of the application that a request belongs to."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found
