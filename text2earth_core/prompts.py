"""What a prompt says beside its words: the Google level that the official project writes before them."""

from __future__ import annotations

import re

from text2earth_core.errors import Text2EarthError

LEVEL_OF_ONE_METRE = 17
_LEVEL = re.compile(r"^\s*(\d{1,2})_GOOGLE_LEVEL_", re.IGNORECASE)


def split_level(prompt: str) -> tuple[str, float | None]:
    """The words of a prompt, and the m/px of a `15_GOOGLE_LEVEL_` before them, 2^(17 - level); None where it has none.

    Raises:
        Text2EarthError: the prompt holds what no text can hold.
    """
    if "\0" in prompt or any("\ud800" <= letter <= "\udfff" for letter in prompt):
        raise Text2EarthError(
            "The prompt holds a character that cannot be written (a NUL, or bytes that are no UTF-8): type it again."
        )
    return take_level(prompt)


def take_level(text: str) -> tuple[str, float | None]:
    """`split_level` of a text that nobody typed here, such as a caption, whatever it holds."""
    found = _LEVEL.match(text)
    if found is None:
        return text, None
    return text[found.end() :], 2.0 ** (LEVEL_OF_ONE_METRE - int(found[1]))


def level_note(prompt: str, resolution: float | None) -> str | None:
    """What is to be said about the level in a prompt, where the ground has `resolution` (m/px); None for nothing."""
    _, asked = split_level(prompt)
    if asked is None or asked == resolution:
        return None
    if resolution is None:
        return f"The prompt's Google level means {asked:g} m/px, which counts as its resolution."
    return f"The prompt's Google level means {asked:g} m/px, but {resolution:g} m/px is what was chosen, and counts."
