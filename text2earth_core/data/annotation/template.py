"""What a model is told of an image: lines with {place}, {resolution}, {class} and {caption}, where they are known."""

from __future__ import annotations

import string
from collections.abc import Mapping

from text2earth_core.errors import Text2EarthError

FIELDS = ("place", "resolution", "class", "caption")

DEFAULT = """\
Describe this image of the ground, taken from above.
One pixel covers {resolution} of ground.
It was taken at {place}.
Its class is known: {class}."""
"""Place, resolution and class are what Text2Earth's annotation tells (Liu et al., 2025, Sect. III)."""

MAX_CHARACTERS = 20_000


class Template:
    """A template whose fields were checked; a line is left out where a field of it is unknown.

    Raises:
        Text2EarthError: it is empty, too long, or names a field that there is none of.
    """

    def __init__(self, text: str = DEFAULT) -> None:
        if not text.strip() or len(text) > MAX_CHARACTERS:
            raise Text2EarthError(f"A template needs some words, and at most {MAX_CHARACTERS:,} characters.")
        self.text = text.strip()
        self._lines = [(line, self._fields(line)) for line in self.text.splitlines()]

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with what is known; values that are missing or "" are unknown."""
        known = {name: value for name, value in values.items() if value}
        return "\n".join(line.format(**known) for line, fields in self._lines if fields <= known.keys())

    @staticmethod
    def _fields(line: str) -> set[str]:
        try:
            parts = list(string.Formatter().parse(line))
        except ValueError:
            parts = [("", "", None, None)]
        for _, name, form, conversion in parts:
            if name is not None and (name not in FIELDS or form or conversion):
                known = ", ".join(f"{{{field}}}" for field in FIELDS)
                raise Text2EarthError(
                    f'The line "{line.strip()[:60]}" of the template cannot be filled in: it may hold {known}, and '
                    "braces that stand for themselves are doubled."
                )
        return {name for _, name, _, _ in parts if name}
