"""One serialisable object with everything that determines a change of the scene."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from canvas.errors import SceneError
from canvas.geometry import LIMIT, Rect

VERSION = 1


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. The same request, model, device and dtype on the same scene give the same pixels.

    `frame` is in px, `resolution` in m/px, `feather` in px, `model` the fingerprint of the model that answers it
    (empty for changes no model makes, such as erasing). `mask` is what an edit may change, a picture of the whole frame
    as `canvas.masks.encode_mask` writes it; `strength` (0 to 1) is how far it may go from what is there. `source`
    (JSON-ready) names the file of an import, by its hash.
    """

    kind: str
    frame: Rect
    resolution: float
    layer: str = "rgb"
    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 0
    steps: int = 0
    guidance: float = 0.0
    sampler: str = "quality"
    feather: int = 16
    model: str = ""
    dtype: str = ""
    device: str = ""
    strength: float = 1.0
    mask: str = ""
    source: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", Rect(*self.frame))
        if max(abs(self.frame.x), abs(self.frame.y), abs(self.frame.x1), abs(self.frame.y1)) > LIMIT:
            raise SceneError(f"The frame lies more than {LIMIT} px from the origin: move it closer.")

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready dict, `version` first."""
        data = {"version": VERSION} | asdict(self) | {"frame": list(self.frame)}
        for name, nothing in (("source", None), ("mask", "")):
            if data[name] == nothing:
                del data[name]
        return data

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Request:
        """The request a dict of `as_dict` describes.

        Raises SceneError for a newer version, and for anything that is not such a dict.
        """
        if isinstance(data, dict) and isinstance(data.get("version"), int) and data["version"] > VERSION:
            raise SceneError("This request comes from a newer version of the program: update it and try again.")
        try:
            names = {f.name for f in fields(cls)}
            return cls(**{key: value for key, value in data.items() if key in names})
        except (TypeError, AttributeError, ValueError) as error:
            raise SceneError("This is not a request of this program: send the one the history shows.") from error

    @classmethod
    def from_json(cls, text: str) -> Request:
        """The request a string of `to_json` describes; SceneError where it is not one."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise SceneError("This is not a request of this program: send the one the history shows.") from error
        return cls.from_dict(data)
