"""What is read of a table, in SQL, by the rules of `sources.git10m`: texts may be numbers, contradictions are unknown.

Tables may have Git-10M's columns or those of training, which a conversion writes.
"""

from __future__ import annotations

from collections.abc import Sequence

from text2earth_core.data.sources.git10m import TOLERANCE
from text2earth_core.data.sources.places import DEEPEST
from text2earth_core.prompts import LEVEL_OF_ONE_METRE

LINES = ".jsonl"
"""A table of JSON lines, as `data caption` and `data chatearthnet` write them."""

BEFORE = "img_quality_score_before"
"""The score of an image before it was enhanced, which `data quality` keeps."""

KNOWN = (
    "caption", "captions", "img_quality_score", BEFORE, "quality", "resolution", "Google_location", "longitude",
    "latitude", "label",
)  # fmt: skip
"""Columns that say something here."""

_LEVEL = r"^\s*(\d{1,2})_GOOGLE_LEVEL_"
_PLACE = r"^\s*(\d{1,2})_(\d{1,8})_(\d{1,8})\s*$"

MACROS = (
    "CREATE MACRO finite(v) AS CASE WHEN isfinite(v) THEN v END",
    "CREATE MACRO without_unit(v) AS rtrim(regexp_replace(trim(CAST(v AS VARCHAR)), 'm$', ''))",
    "CREATE MACRO as_number(v) AS finite(TRY_CAST(without_unit(v) AS DOUBLE))",
    f"CREATE MACRO metres(level) AS pow(2.0, {LEVEL_OF_ONE_METRE} - level)",
    f"CREATE MACRO level_of(c) AS TRY_CAST(regexp_extract(CAST(c AS VARCHAR), '{_LEVEL}', 1, 'i') AS INTEGER)",
    f"CREATE MACRO words_of(c) AS trim(regexp_replace(CAST(c AS VARCHAR), '{_LEVEL}', '', 'i'))",
    f"CREATE MACRO parts_of(p) AS regexp_extract(CAST(p AS VARCHAR), '{_PLACE}', ['z', 'x', 'y'])",
    "CREATE MACRO tile_of(z, x, y) AS CASE WHEN greatest(x, y) < pow(2, z) AND z <= "
    f"{DEEPEST} THEN {{'z': z, 'x': x, 'y': y}} END",
    "CREATE MACRO place_of(p) AS tile_of(TRY_CAST(parts_of(p).z AS INTEGER), TRY_CAST(parts_of(p).x AS BIGINT), "
    "TRY_CAST(parts_of(p).y AS BIGINT))",
    "CREATE MACRO east_of(t) AS (t.x + 0.5) / pow(2, t.z) * 360 - 180",
    "CREATE MACRO north_of(t) AS degrees(atan(sinh(pi() * (1 - 2 * (t.y + 0.5) / pow(2, t.z)))))",
    f"CREATE MACRO agree(a, b) AS a IS NULL OR b IS NULL OR abs(a / b - 1) <= {TOLERANCE}",
)


def scan(tables: Sequence[str]) -> str:
    """The tables as one, whatever their names hold; what one of them lacks is empty there."""
    names = ", ".join(f"'{_literal(table)}'" for table in tables)
    shared = "union_by_name = true, hive_partitioning = false"
    if tables[0].endswith(LINES):
        return f"read_json([{names}], format = 'newline_delimited', {shared})"
    return f"read_parquet([{names}], {shared})"


def select_rows(tables: Sequence[str], there: set[str]) -> str:
    """A row for each row: quality, before, resolution (m/px), longitude, latitude (degrees), label; NULL is unknown."""
    has = {name: f'"{name}"' if name in there else "NULL" for name in KNOWN}
    caption = f"{_captions(there)}[1]"
    score = f"coalesce(as_number({has['img_quality_score']}), as_number({has['quality']}))"
    return f"""
        SELECT quality, before, label,
            CASE WHEN agree(written, placed) AND agree(said, coalesce(placed, written))
                 THEN coalesce(placed, written, said) END AS resolution,
            coalesce(east_of(tile), longitude) AS longitude,
            coalesce(north_of(tile), latitude) AS latitude
        FROM (SELECT *, metres(tile.z) AS placed FROM (
            SELECT {score} AS quality, as_number({has[BEFORE]}) AS before,
                nullif(trim(CAST({has["label"]} AS VARCHAR)), '') AS label,
                CASE WHEN as_number({has["resolution"]}) > 0 THEN as_number({has["resolution"]}) END AS written,
                metres(level_of({caption})) AS said,
                place_of({has["Google_location"]}) AS tile,
                as_number({has["longitude"]}) AS longitude, as_number({has["latitude"]}) AS latitude
            FROM {scan(tables)}))"""


def select_captions(tables: Sequence[str], there: set[str]) -> str:
    """Every caption of every row, without the level before it; those that are empty are left out."""
    told = f"(SELECT words_of(unnest({_captions(there)})) AS caption FROM {scan(tables)})"
    return f"SELECT caption FROM {told} WHERE caption <> ''"


def _captions(there: set[str]) -> str:
    """A list of texts."""
    if "captions" in there:
        return "as_list(captions)"
    return "[CAST(caption AS VARCHAR)]" if "caption" in there else "CAST([] AS VARCHAR[])"


def as_list(kind: str) -> str:
    """The macro that makes a list of what the column `captions` holds; kind: its type."""
    made = "CAST(c AS VARCHAR[])" if kind.endswith("[]") else "[CAST(c AS VARCHAR)]"
    return f"CREATE MACRO as_list(c) AS {made}"


def _literal(path: str) -> str:
    """A path in a text of SQL, in which the signs of patterns mean themselves."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path).replace("'", "''")
