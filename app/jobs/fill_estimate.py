"""What a fill would take on this machine, and whether somebody should be asked before it begins."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.errors import Conflict, NoRoom
from app.jobs.work import pace_of
from app.serving.model_host import ModelHost

if TYPE_CHECKING:
    from canvas.scene import Scene
    from text2earth_core.sampling.settings import Sampling

ASK_SECONDS = 120  # of expected work that is not begun unasked
ASK_BYTES = 10**9  # on disk, likewise
QUICK = 100  # windows over all steps that take no longer than that on any machine: no need to measure
SPARE = 64 << 20  # bytes of disk that a fill leaves free


@dataclass(frozen=True)
class Estimate:
    """An upper bound: what exists already, or lies outside of the region, is counted as if it had to be made.

    width, height: px of the frame. steps, windows: denoising steps, and windows over all of them. seconds: for those
    that are left, None where a fill is too small to measure. bytes: on disk for good; peak: while it runs; free: what
    the disk has left. large: whether somebody should be asked first.
    """

    width: int
    height: int
    sampler: str
    steps: int
    windows: int
    seconds: float | None
    bytes: int
    peak: int
    free: int

    @property
    def large(self) -> bool:
        return (self.seconds or 0) > ASK_SECONDS or self.peak > ASK_BYTES

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"large": self.large}

    def check(self, confirmed: bool) -> None:
        """Raise AppError where the disk has no room, and where a large fill was not confirmed."""
        if self.peak > self.free - SPARE:
            raise NoRoom(
                f"This fill needs up to {_size(self.peak)} of disk and {_size(self.free)} are free: "
                "free some space, or fill a smaller region.",
            )
        if self.large and not confirmed:
            time = "" if self.seconds is None else f"about {max(1, round(self.seconds / 60)):,} min and "
            raise Conflict(
                f"This fill of {self.width:,} x {self.height:,} px takes up to {time}{_size(self.peak)} of disk: "
                "confirm it to begin, or fill a smaller region.",
            )


def estimate(host: ModelHost, scene: Scene, sampling: Sampling, place: dict[str, Any]) -> Estimate:
    """The cost of a wished fill on a scene; `place` has the `bbox`, `prompts` and `region` of a recipe.

    A large one is measured once for each sampler, on one batch of windows.  Raises SceneError, Text2EarthError or
    AppError with a sentence where the wish is impossible or the model is not there.
    """
    from canvas.fill.region_fill import RegionFill, fill_request

    request = fill_request(host.model, scene, sampling=sampling, **place)
    fill = RegionFill(scene, host.model, request)
    cost, pace = fill.cost, pace_of("fill", request.sampler)
    per_window = host.seconds_per_step(pace)
    if per_window is None and cost.windows > QUICK:
        per_window = fill.pace()
        host.record_pace(per_window, pace)
    return Estimate(
        request.frame.w, request.frame.h, request.sampler, request.steps, cost.windows,
        None if per_window is None else cost.seconds(per_window), cost.kept, cost.kept + cost.working,
        shutil.disk_usage(scene.path.parent).free,
    )  # fmt: skip


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"
