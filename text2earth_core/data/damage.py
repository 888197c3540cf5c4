"""Images of a large table that cannot be used: named, counted, left out, and refused where they are too many."""

from __future__ import annotations

import logging

from text2earth_core.errors import Text2EarthError

MAX_SHARE = 0.01
"""Of a data set's images that may be damaged; one always may."""

_log = logging.getLogger(__name__)


def leave_out(damaged: list[str], total: int, where: str) -> None:
    """Say which of `total` images of `where` are left out.

    Args:
        damaged: a sentence for each, which names its file and row.

    Raises:
        Text2EarthError: they are more than `MAX_SHARE` of all, or all there are.
    """
    if not damaged:
        return
    if len(damaged) == total or len(damaged) > max(1, MAX_SHARE * total):
        several = f" {len(damaged)} of {total} images are, and at most {MAX_SHARE:.0%} may be." if total > 1 else ""
        raise Text2EarthError(damaged[0] + several)
    others = f" And {len(damaged) - 1} more like it." if len(damaged) > 1 else ""
    _log.warning("%s%s %d of %d images of %s are left out.", damaged[0], others, len(damaged), total, where)
