"""The figures of one or two data sets, out of core: what is held is bounded by what is shown, not by the rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from text2earth_core.data.sources.tables import columns_of, count_rows, tables_of
from text2earth_core.data.statistics.columns import KNOWN, LINES, MACROS, as_list, scan, select_captions, select_rows
from text2earth_core.data.statistics.database import Database, database
from text2earth_core.data.statistics.words import SHAPES, SIZES, WORD, land_cover_of, stop_words
from text2earth_core.errors import Text2EarthError
from text2earth_core.prompts import LEVEL_OF_ONE_METRE

CELL = 2
"""Degrees along a side of the map's cells."""

BINS = 40
"""Of quality, about."""

MOST = 150
"""Words, and classes, that are named; of others only their number is."""

STAGE_TWO = 4.8
"""The paper trains its second stage on images whose score is above this."""

_SHARES = (0.35, 0.45, 0.95)
"""Of the work done after a look at rows, at captions, at words, about."""

Progress = Callable[[str, int, int], None]


def figures_of(sources: Sequence[str], progress: Progress = lambda what, done, total: None) -> list[dict[str, Any]]:
    """What each data set holds; quality is counted in equal steps in all of them.

    Returns:
        For each source "source", "rows", "places" {"known", "cells": [[west, south, count]]}, "resolution" {"known",
        "levels": [{"level", "resolution" (m/px), "count"}]}, "quality" and "quality_before" (None where no row has one)
        {"known", "mean", "deviation", "lowest", "highest", "above", "width", "steps": [[from, count]]}, "captions"
        {"known", "words", "mean", "lengths": [[words, count]]}, "words" {"different", "most": [[word, count]]}, and
        "land_cover", "sizes", "shapes", "classes" {"different", "most"} as such lists.

    Raises:
        Text2EarthError: there are no tables, they hold none of the columns that say something, or one is damaged.
    """
    with database() as opened:
        for macro in MACROS:
            opened.rows(macro)
        for number, source in enumerate(sources):
            _read(opened, number, source, progress)
        scores = "SELECT unnest([min(quality), max(quality), min(before), max(before)]) FROM rows"
        reached = [score for number in range(len(sources)) for (score,) in opened.rows(f"{scores}{number}")]
        width = step_width([score for score in reached if score is not None])
        return [_figures(opened, number, source, width) for number, source in enumerate(sources)]


def step_width(values: Sequence[float]) -> float:
    """1, 2 or 5 times a power of ten, so that about `BINS` steps lie between the lowest and the highest value."""
    reach = max(values) - min(values) if values else 0.0
    if reach <= 0:
        return 0.1
    ten = 10.0 ** math.floor(math.log10(reach / BINS))
    return next(factor * ten for factor in (1, 2, 5, 10) if factor * ten >= reach / BINS)


def _read(opened: Database, number: int, source: str, progress: Progress) -> None:
    """Bring a data set into small tables: a row of numbers for each row, counts of lengths, counts of words."""
    tables, total = _tables(source)
    opened.can_read(tables)
    kinds = {name: kind for name, kind, *_ in opened.rows(f"DESCRIBE SELECT * FROM {scan(tables)}")}
    there = set(kinds) & set(KNOWN)
    if not there:
        raise Text2EarthError(
            f"{source} holds nothing to count: its tables need some of the columns {', '.join(KNOWN)}."
        )
    if "captions" in there:
        opened.rows(as_list(kinds["captions"]).replace("CREATE", "CREATE OR REPLACE", 1))
    captions = select_captions(tables, there)
    lengths = (
        f"SELECT len(regexp_extract_all(caption, '\\S+')) AS words, count(*) AS n FROM ({captions}) GROUP BY words"
    )
    words = (
        f"SELECT word, count(*) AS n FROM (SELECT unnest(regexp_extract_all(lower(caption), $${WORD}$$)) AS word "
        f"FROM ({captions})) GROUP BY word"
    )
    past = 0.0
    for (name, question), until in zip(
        (("rows", select_rows(tables, there)), ("lengths", lengths), ("words", words)), _SHARES, strict=True
    ):

        def report(share: float, since: float = past, until: float = until) -> None:
            progress(f"Reading {source}", int(total * (since + (until - since) * share)), total)

        opened.run(f"CREATE TABLE {name}{number} AS {question}", report)
        past = until
    progress(f"Reading {source}", total, total)


def _tables(source: str) -> tuple[list[str], int]:
    """The tables, each of which can be opened, and by what progress is counted: rows, or a hundred parts of a text."""
    if source.endswith(LINES):
        if not Path(source).is_file():
            raise Text2EarthError(f"There is no file {source}: check its name.")
        return [source], 100
    tables = tables_of(source)
    columns_of(tables)  # a file that is no table is named here
    return tables, count_rows(tables)


def _figures(opened: Database, number: int, source: str, width: float) -> dict[str, Any]:
    rows, words = f"rows{number}", f"words{number}"
    return {
        "source": source,
        "rows": opened.rows(f"SELECT count(*) FROM {rows}")[0][0],
        "places": _places(opened, rows),
        "resolution": _resolution(opened, rows),
        "quality": _quality(opened, rows, "quality", width),
        "quality_before": _quality(opened, rows, "before", width),
        "captions": _captions(opened, f"lengths{number}"),
        "words": _words(opened, words),
        "land_cover": _spoken_of(opened, words, land_cover_of()),
        "sizes": _spoken_of(opened, words, {word: word for word in SIZES.split()}),
        "shapes": _spoken_of(opened, words, {word: word for word in SHAPES.split()}),
        "classes": _most(
            opened, f"SELECT label AS name, count(*) AS n FROM {rows} WHERE label IS NOT NULL GROUP BY label"
        ),
    }  # fmt: skip


def _places(opened: Database, rows: str) -> dict[str, Any]:
    """Cells by their south-western corner, in whole degrees."""
    inside = "longitude BETWEEN -180 AND 180 AND latitude BETWEEN -90 AND 90"
    cells = opened.rows(
        f"SELECT least({CELL} * floor(longitude / {CELL}), {180 - CELL})::INTEGER AS west, "
        f"least({CELL} * floor(latitude / {CELL}), {90 - CELL})::INTEGER AS south, count(*) "
        f"FROM {rows} WHERE {inside} GROUP BY west, south ORDER BY west, south"
    )
    return {"known": sum(count for *_, count in cells), "cells": [list(cell) for cell in cells]}


def _resolution(opened: Database, rows: str) -> dict[str, Any]:
    """Counted at the nearest level; resolution 2^(17 - level)."""
    levels = opened.rows(
        f"SELECT round({LEVEL_OF_ONE_METRE} - log2(resolution))::INTEGER AS level, count(*) FROM {rows} "
        "WHERE resolution IS NOT NULL GROUP BY level ORDER BY level DESC"
    )
    told = [
        {"level": level, "resolution": 2.0 ** (LEVEL_OF_ONE_METRE - level), "count": count} for level, count in levels
    ]
    return {"known": sum(count for _, count in levels), "levels": told}


def _quality(opened: Database, rows: str, column: str, width: float) -> dict[str, Any] | None:
    known, mean, deviation, lowest, highest, above = opened.rows(
        f"SELECT count({column}), avg({column}), stddev_pop({column}), min({column}), max({column}), "
        f"count(*) FILTER ({column} > {STAGE_TWO}) FROM {rows}"
    )[0]
    if not known:
        return None
    steps = opened.rows(
        f"SELECT floor({column} / {width!r})::BIGINT AS step, count(*) FROM {rows} WHERE {column} IS NOT NULL "
        "GROUP BY step ORDER BY step"
    )
    return {
        "known": known, "mean": mean, "deviation": deviation, "lowest": lowest, "highest": highest, "above": above,
        "width": width, "steps": [[step * width, count] for step, count in steps],
    }  # fmt: skip


def _captions(opened: Database, lengths: str) -> dict[str, Any]:
    counts = opened.rows(f"SELECT words, n FROM {lengths} ORDER BY words")
    known, words = sum(n for _, n in counts), sum(length * n for length, n in counts)
    return {
        "known": known, "words": words, "mean": words / known if known else None,
        "lengths": [list(one) for one in counts],
    }  # fmt: skip


def _words(opened: Database, words: str) -> dict[str, Any]:
    """The most frequent words that are no stop words, and have two letters at least."""
    stops = ", ".join(f"'{word}'" for word in sorted(stop_words()))
    return _most(opened, f"SELECT word AS name, n FROM {words} WHERE len(word) > 1 AND word NOT IN ({stops})")


def _most(opened: Database, counted: str) -> dict[str, Any]:
    """Of (name, n) the largest, equal ones by their names."""
    most = opened.rows(f"SELECT name, n FROM ({counted}) ORDER BY n DESC, name LIMIT {MOST}")
    return {"different": opened.rows(f"SELECT count(*) FROM ({counted})")[0][0], "most": [list(one) for one in most]}


def _spoken_of(opened: Database, words: str, names: dict[str, str]) -> list[list[Any]]:
    """How often each name is spoken of, most first."""
    wanted = ", ".join(f"'{word}'" for word in names)
    counts = dict.fromkeys(names.values(), 0)
    for word, count in opened.rows(f"SELECT word, n FROM {words} WHERE word IN ({wanted})"):
        counts[names[word]] += count
    return [[name, count] for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if count]
