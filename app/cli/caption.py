"""`text2earth data caption` and what belongs to it: captions from maps, from an endpoint, and their review."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.data import Codes, check_codes, write_lines
from app.cli.output import Json, bar, emit, say, write_whole
from app.errors import AppError

MAPS = (".tif", ".tiff", ".vrt")

Endpoint = Annotated[str | None, typer.Option(help="OpenAI-compatible address, such as http://127.0.0.1:8000/v1.")]
KeyVariable = Annotated[str, typer.Option(help="Environment variable that holds the API key, where one is needed.")]
NoLimit = typer.Option(min=0, help="0: no limit.")


def add_to(app: typer.Typer) -> None:
    """Register the commands with `text2earth data`."""
    app.command()(caption)
    app.command()(review)


def caption(
    source: Annotated[str, typer.Argument(metavar="IN", help="Tables with images, as for check, or a land-cover map.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="File of JSON lines, one for each caption.")],
    from_map: Annotated[bool, typer.Option("--from-map", help="From the map's facts, without a model.")] = False,
    endpoint: Endpoint = None,
    model: Annotated[str | None, typer.Option(help="Name of the model at the endpoint.")] = None,
    key_variable: KeyVariable = "OPENAI_API_KEY",
    template: Annotated[
        Path | None, typer.Option(help="Text file with lines of {place}, {resolution}, {class}, {caption}.")
    ] = None,
    version: Annotated[str, typer.Option(help="Of ChatEarthNet, for a map: 35 tells words, 4v shows maps.")] = "35",
    maps: Annotated[int, typer.Option(min=1, max=4, help="Maps in a request of version 4v.")] = 4,
    forbid: Annotated[list[str] | None, typer.Option(help="One more word that no caption may use; repeatable.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Requests under way at a time.")] = 8,
    requests_a_minute: Annotated[float, NoLimit] = 0,
    tokens_a_minute: Annotated[float, NoLimit] = 0,
    max_requests: Annotated[int, NoLimit] = 0,
    max_tokens: Annotated[int, NoLimit] = 0,
    max_cost: Annotated[float, NoLimit] = 0,
    price_in: Annotated[float, typer.Option(min=0, help="Of a million tokens that are read.")] = 0,
    price_out: Annotated[float, typer.Option(min=0, help="Of a million tokens that are written.")] = 0,
    asks: Annotated[int, typer.Option(min=1, max=20, help="Attempts at a caption that passes the audit.")] = 3,
    retries: Annotated[int, typer.Option(min=0, max=50, help="Of a request that failed.")] = 6,
    wait: Annotated[float, typer.Option(min=0, help="Seconds before the first retry; it doubles.")] = 1.0,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds of silence after which a request is lost.")] = 120,
    stream: Annotated[bool, typer.Option("--stream", help="Get answers piece by piece, from slow models.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Ask again where it was given up or is doubtful.")] = False,
    codes: Codes = "auto",
    as_json: Json = False,
) -> None:
    """Captions of images or of a land-cover map, by a model behind an endpoint or from the map's facts alone.

    The same command goes on where a stopped or killed one was. Captions that do not pass the audit, and rows without a
    usable image, are in a second file beside OUT, with their reasons. The key is read from the environment alone.
    """
    check_codes(codes)
    if from_map:
        if endpoint is not None:
            raise AppError("--from-map asks no model: leave --endpoint out.")
        _from_map(Path(source), out, codes, as_json)
        return
    if endpoint is None or model is None:
        raise AppError("Say --endpoint URL and --model NAME, or --from-map for a land-cover map.")
    if max_cost and not (price_in or price_out):
        raise AppError("--max-cost needs the prices of the endpoint: --price-in and --price-out.")

    from text2earth_core.data.annotation.endpoint import Endpoint, checked_endpoint
    from text2earth_core.data.annotation.journal import Journal
    from text2earth_core.data.annotation.limits import Limits
    from text2earth_core.data.annotation.only_run import only_run
    from text2earth_core.data.annotation.results import journal_of, summary, write
    from text2earth_core.data.annotation.run import Outcome, annotate

    checked_endpoint(endpoint)
    _check_out(out)
    items, protocol, together = _what(source, template, version, maps, codes)
    protocol = protocol.with_forbidden(tuple(forbid or ()))
    limits = Limits(
        concurrency, requests_a_minute, tokens_a_minute, max_requests, max_tokens, max_cost, price_in, price_out,
        retries, asks, wait,
    )  # fmt: skip
    key = os.environ.get(key_variable, "")
    begun = items.identity | {"model": model, "protocol": protocol.name}
    with only_run(journal_of(out)), Journal(journal_of(out), begun) as journal:
        if again:
            journal.open_again()
        outcome = Outcome(stopped="It was interrupted: run the same command again.")
        try:
            with bar("Describing", items.total) as advance:
                asked = Endpoint(endpoint, model, key, timeout, stream)
                outcome = annotate(items, journal, asked, protocol, limits, together, advance)
        finally:
            write(journal, out)
        found = summary(journal, out, limits, outcome)
    emit(found, as_json)
    if outcome.left:
        raise AppError(outcome.stopped or f"{outcome.left} rows got no answer: run the same command again.")


def review(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="What data caption wrote.")],
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0: any; default: a free one from 7860.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page.")] = True,
) -> None:
    """Accept, correct or reject captions on a local page; data caption then asks for the rejected ones again."""
    from app.review.server import serve

    serve(out, port, browser, say)


def _what(source: str, template: Path | None, version: str, maps: int, codes: str) -> tuple[Any, Any, int]:
    """Items, protocol, and items in a request."""
    from text2earth_core.data.annotation.map_tiles import MapSource
    from text2earth_core.data.annotation.protocols import IMAGES, MAPS_4V, MAPS_35
    from text2earth_core.data.annotation.tables import TableSource
    from text2earth_core.data.annotation.template import Template

    if Path(source).suffix.lower() not in MAPS:
        return TableSource(source, Template(_text_of(template)) if template else None), IMAGES, 1
    if version not in ("35", "4v"):
        raise AppError("--version is 35 or 4v.")
    if template is not None:
        raise AppError("A template is for tables: what is told of a map is ChatEarthNet's.")
    seen = version == "4v"
    return MapSource(Path(source), codes, seen), MAPS_4V if seen else MAPS_35, maps if seen else 1


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AppError(f"{path} cannot be read as text ({getattr(error, 'strerror', 'no UTF-8')}).") from None


def _check_out(out: Path) -> None:
    """Say before the work that an output cannot be written."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise AppError(f"{out} cannot be written: OUT is a file of JSON lines in a folder that is there.")


def _from_map(source: Path, out: Path, codes: str, as_json: bool) -> None:
    from text2earth_core.data.landcover.captions import caption_of
    from text2earth_core.data.landcover.maps import tiles_of

    count = left = 0

    def lines() -> Iterator[dict[str, Any]]:
        nonlocal count, left
        for tile in tiles_of(source, codes):
            caption = caption_of(tile.classes)
            if caption:
                count += 1
                yield {"row": tile.row, "column": tile.column, "caption": caption}
            else:
                left += 1

    _check_out(out)
    write_whole(lambda part: write_lines(part, lines()), out)
    if left:
        say(f"{left:,} tiles hold no class of 20 pixels, and have no caption.")
    emit({"file": str(out), "captions": count}, as_json)
