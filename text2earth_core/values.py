"""What a value from elsewhere is: JSON and the arguments of functions hold anything."""

from __future__ import annotations

import math
from typing import Any


def is_whole(value: Any) -> bool:
    """Whether a JSON value is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a JSON value is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def positive(value: Any) -> float | None:
    """A finite number above 0; None for anything else."""
    return float(value) if is_number(value) and value > 0 else None


def is_text(value: Any) -> bool:
    """Whether a JSON value is a text that can be written; JSON may hold halves of characters, which cannot."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)
