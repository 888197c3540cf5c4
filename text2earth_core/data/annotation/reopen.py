"""The items of a run that was begun before, as its journal names them."""

from __future__ import annotations

from pathlib import Path

from text2earth_core.data.annotation.items import Source
from text2earth_core.data.annotation.journal import Journal
from text2earth_core.data.annotation.map_tiles import MapSource
from text2earth_core.data.annotation.protocols import MAPS_4V
from text2earth_core.data.annotation.tables import TableSource
from text2earth_core.errors import Text2EarthError


def source_of(journal: Journal) -> Source | None:
    """Where a run's items come from; None where that is not there any more, or is another one now."""
    source = journal.begun("source")
    if not isinstance(source, str):
        return None
    try:
        if journal.begun("tiles") is not None:
            found: Source = MapSource(Path(source), journal.begun("codes"), journal.begun("protocol") == MAPS_4V.name)
        else:
            found = TableSource(source)
    except Text2EarthError:
        return None
    same = all(journal.begun(name) == value for name, value in found.identity.items() if name != "template")
    return found if same else None
