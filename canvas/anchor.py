"""Where a scene lies on Earth, in words short enough for a scene file and a command line."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from canvas.errors import SceneError

MAX_EPSG = 2**31 - 1
MAX_COORDINATE = 1e9  # map units: beyond every system in use, and PROJ takes forever to bring far angles back


@dataclass(frozen=True, slots=True)
class Anchor:
    """The upper left corner of scene pixel (0, 0) lies at (`east`, `north`), in map units of EPSG:`epsg`.

    Only a code is kept, never a definition: scenes are exchanged, and GDAL may read files and addresses named in one.
    Whether the code can carry a scene is for `canvas.maps.crs.check`, which knows PROJ.
    """

    epsg: int
    east: float
    north: float

    def __post_init__(self) -> None:
        if not 0 < self.epsg <= MAX_EPSG:
            raise SceneError(f"EPSG:{self.epsg} is no code of a coordinate system: use one such as EPSG:32632.")
        if not max(abs(self.east), abs(self.north)) <= MAX_COORDINATE:  # also True for NaN
            raise SceneError("The origin must be two numbers E,N in map units, such as 500000,5400000.")

    def __str__(self) -> str:
        return f"EPSG:{self.epsg} at {self.east:.10g},{self.north:.10g}"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def parse(cls, crs: str, origin: str) -> Anchor:
        """From `EPSG:N` and `E,N`; SceneError for anything else."""
        code = re.fullmatch(r"\s*EPSG:(\d{1,9})\s*", crs, re.IGNORECASE)
        if code is None:
            raise SceneError(f"{crs!r} is no code of a coordinate system: write it like EPSG:32632.")
        try:
            east, north = (float(part) for part in origin.split(","))
        except ValueError:
            raise SceneError(f"{origin!r} is no origin: write E,N in map units, such as 500000,5400000.") from None
        return cls(int(code[1]), east, north)
