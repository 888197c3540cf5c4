"""What captions are asked for: one item for each row of a table or tile of a map, found again by its number."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Item:
    """One thing to describe.

    Args:
        number: the same in every run.
        keys: what the output says beside the caption, such as row and name.
        text: what the model is told of it.
        image: a PNG or JPEG, None where the model gets none.
        absent: names of land-cover classes that are known not to be there.
        problem: why nothing can be asked; "" where all is well.
        notes: faults of the source that do not keep it from being asked for, to be counted.
    """

    number: int
    keys: dict[str, Any]
    text: str
    image: bytes | None = None
    absent: tuple[str, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def data_url(self) -> str:
        """The image as the endpoint takes it; needs one."""
        assert self.image is not None
        kind = "jpeg" if self.image[:2] == b"\xff\xd8" else "png"
        return f"data:image/{kind};base64,{base64.b64encode(self.image).decode()}"


Settled = Callable[[int, int], bool]
"""Whether nothing is left to ask in the numbers from `start` up to, and without, `stop`."""


class Source(Protocol):
    """Where items come from."""

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same when a run goes on."""

    @property
    def total(self) -> int:
        """How many items there are."""

    def items(self, settled: Settled) -> Iterator[Item]:
        """All that are not settled, by number."""

    def item(self, number: int) -> Item:
        """One of them; Text2EarthError where there is none."""

    def told(self, number: int) -> str:
        """What the model is told of one, without reading its image."""

    def picture(self, number: int) -> bytes | None:
        """What a person is shown of one: a PNG or JPEG, None where it has none."""
