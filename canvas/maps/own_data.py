"""Which tables of coordinate systems are read: those that rasterio's wheel brings, whatever the environment names.

Other programs (PostGIS, QGIS, OSGeo4W, conda) leave PROJ_LIB or PROJ_DATA behind, with tables of another version or
none at all, and then not even a plain picture could be placed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

_TABLES = (("proj_data/proj.db", ("PROJ_DATA", "PROJ_LIB")), ("gdal_data/gdalvrt.xsd", ("GDAL_DATA",)))


def use_own_data() -> None:
    """Take the variables of other programs out of this process, and of those it starts, where rasterio has its own.

    A rasterio that was built with the system's libraries has none: there the variables stay.
    """
    spec = importlib.util.find_spec("rasterio")
    if spec is None or spec.origin is None:
        return
    package = Path(spec.origin).parent
    for table, variables in _TABLES:
        if not (package / table).is_file():
            continue
        named = [os.environ.pop(variable, None) for variable in variables]
        if any(named) and "rasterio" in sys.modules:  # imported by somebody before us, with what the variables said
            _name_again(package / table)


def _name_again(table: Path) -> None:
    from rasterio import _env

    if table.name == "proj.db":
        _env.set_proj_data_search_path(str(table.parent))
    else:
        _env.set_gdal_config("GDAL_DATA", str(table.parent))
