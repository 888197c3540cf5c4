"""One serialisable object with everything that determines a change of the scene."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from canvas.errors import SceneError
from canvas.geometry import LIMIT, Rect
from text2earth_core.sampling.settings import SETTINGS, Sampling
from text2earth_core.values import is_number, is_text, is_whole

VERSION = 1
MAX_PROMPT = 2000  # characters; a tokenizer's own limit is far below
EDIT_FEATHER, MAX_FEATHER = 16, 64  # px of known ground into which new pixels are blended: of edits, and at most


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. The same request, model, device and dtype on the same scene give the same pixels.

    `frame` and `feather` are in px, `model` is the fingerprint of the model that answers it (empty for changes no model
    makes, such as erasing). The fields of `Sampling` stand among the others, as scene files and recipes have them;
    `sampling` gathers them. With `follow` None ground that the same prompt made leads, and beside other ground the
    prompt does. (Requests that do not say it mean 0: they are from before there was a choice.) `mask` is what an edit
    may change, a picture of the whole frame as `canvas.masks.encode_mask` writes it; `strength` (0 to 1) is how far it
    may go from what is there. `adapters` are all that were used, the layer's own too, by fingerprint with weights.
    `source` (JSON-ready) names the file of an import, by its hash.
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
    feather: int = EDIT_FEATHER
    follow: float | None = 0.0
    model: str = ""
    dtype: str = ""
    device: str = ""
    strength: float = 1.0
    mask: str = ""
    adapters: tuple[tuple[str, float], ...] = ()
    source: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", Rect(*self.frame))
        object.__setattr__(self, "adapters", tuple((key, weight) for key, weight in self.adapters))  # JSON has lists
        if max(abs(self.frame.x), abs(self.frame.y), abs(self.frame.x1), abs(self.frame.y1)) > LIMIT:
            raise SceneError(f"The frame lies more than {LIMIT} px from the origin: move it closer.")

    @property
    def sampling(self) -> Sampling:
        """What the sampler is told, of a request that a model answers."""
        return Sampling(**{name: getattr(self, name) for name in Sampling.__dataclass_fields__})

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready dict, `version` first."""
        data = {"version": VERSION} | asdict(self) | {"frame": list(self.frame)}
        for name, nothing in (("source", None), ("mask", ""), ("follow", 0), ("adapters", ())):
            if data[name] == nothing:
                del data[name]
        return data | ({"adapters": [list(one) for one in self.adapters]} if self.adapters else {})

    def to_json(self) -> str:
        return json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Request:
        """The request a dict of `as_dict` describes.

        Raises SceneError for a newer version, and for anything that is not such a dict.
        """
        if isinstance(data, dict) and isinstance(data.get("version"), int) and data["version"] > VERSION:
            raise SceneError("This request comes from a newer version of the program: update it and try again.")
        problem = complaint(data) if isinstance(data, dict) else None
        if problem:
            raise SceneError(f"This is not a request of this program: {problem}.")
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


def checked_feather(value: Any) -> int:
    """A feather in px; SceneError for one that is not possible."""
    possible, words = _POSSIBLE["feather"]
    if not possible(value):
        raise SceneError(f"The feather must be {words} px, not {value!r}: change it.")
    return int(value)


def complaint(data: dict[str, Any]) -> str | None:
    """What is wrong with the first impossible field of a request from elsewhere, as a clause; None where all is well.

    Fields that are missing, and those that only some kinds of requests have, are not looked at.
    """
    wrong = (name for name, (possible, _) in _POSSIBLE.items() if name in data and not possible(data[name]))
    name = next(wrong, None)
    return None if name is None else f"its {name} must be {_POSSIBLE[name][1]}"


def _whole(low: int, high: int) -> tuple[Callable[[Any], bool], str]:
    return lambda value: is_whole(value) and low <= value <= high, f"a whole number from {low} to {high}"


def writable(text: str) -> str:
    """The text itself; ValueError with a clause where no file and no page can show it."""
    if not is_text(text) or "\0" in text:
        raise ValueError("it holds a character that cannot be written (NUL, or half of one); type it again")
    return text


def _setting(name: str, *unset: Any) -> tuple[Callable[[Any], bool], str]:
    """A field of `Sampling`, and the values that stand for none."""
    setting = SETTINGS[name]
    return lambda value: setting.possible(value) or (not isinstance(value, bool) and value in unset), setting.words


def _is_frame(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 4 and all(map(is_whole, value)) and min(value[2:]) > 0


def _is_source(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and is_text(value.get("file")) and is_text(value.get("sha256")))


# field: (what is possible, in words)
_POSSIBLE: dict[str, tuple[Callable[[Any], bool], str]] = {
    "frame": (_is_frame, "four whole numbers x, y, w, h in px"),
    "resolution": (lambda value: is_number(value) and value > 0, "a number of metres per pixel"),
    "negative_prompt": _setting("negative_prompt"),
    "seed": _setting("seed"),
    "steps": _setting("steps", 0),
    "guidance": _setting("guidance", 0),
    "sampler": _setting("sampler"),
    "follow": _setting("follow", None),
    "layer": _setting("layer"),
    "adapters": _setting("adapters"),
    "feather": _whole(0, MAX_FEATHER),
    "strength": (lambda value: is_number(value) and 0 < value <= 1, "a number above 0 up to 1"),
    "source": (_is_source, "an object with the file and its sha256"),
} | {name: (is_text, "a text") for name in ("kind", "prompt", "model", "dtype", "device", "mask", "task", "translator")}
