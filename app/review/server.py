"""The review of captions: one page and the few addresses that it asks, over the journal of `data caption`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api.security import Guard
from app.api.sentences import add_error_sentences
from app.api.static_files import STATIC, Revalidated
from app.errors import NotFound
from app.listening import listen, open_browser
from text2earth_core.data.annotation.items import Source
from text2earth_core.data.annotation.journal import Journal, Line
from text2earth_core.data.annotation.map_tiles import MapSource
from text2earth_core.data.annotation.only_run import only_run
from text2earth_core.data.annotation.reopen import source_of
from text2earth_core.data.annotation.results import journal_of, write
from text2earth_core.data.annotation.sample import numbers, sample
from text2earth_core.data.landcover.classes import CLASSES
from text2earth_core.data.landcover.colours import COLOURS
from text2earth_core.errors import Text2EarthError

HOST = "127.0.0.1"
MOST = 200
"""Rows of one sample."""

LEGEND = {
    name: f"rgb({red}, {green}, {blue})" for name, ((red, green, blue), _) in zip(CLASSES[1:], COLOURS[1:], strict=True)
}
"""Class of a land-cover map: its colour on the page."""

Number = Annotated[int, InPath(ge=0, lt=2**63)]


class Verdict(BaseModel):
    """What a person says of a caption."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["accepted", "corrected", "rejected"]
    caption: str = Field("", max_length=20_000)
    remark: str = Field("", max_length=2_000)


def create_app(out: Path, journal: Journal) -> FastAPI:
    """The ASGI application for one output and its journal."""
    source = source_of(journal)
    app = FastAPI(title="Text2Earth captions", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, bind=HOST)
    add_error_sentences(app)

    @app.get("/")
    def page() -> Response:
        return FileResponse(STATIC / "review" / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/api/numbers")
    def how_many() -> dict[str, Any]:
        told = {name: journal.begun(name) for name in ("source", "model", "protocol")}
        legend = LEGEND if isinstance(source, MapSource) else {}
        return {"file": out.name, "images": source is not None, "legend": legend} | told | numbers(journal)

    @app.get("/api/sample")
    def drawn(
        kind: str = "doubtful", count: Annotated[int, Query(ge=1, le=MOST)] = 20,
        seed: Annotated[int, Query(ge=0, le=2**31)] = 0, fault: Annotated[str, Query(max_length=100)] = "",
    ) -> list[dict[str, Any]]:  # fmt: skip
        return [_shown(line, source) for line in sample(journal, kind, count, seed, fault)]

    @app.get("/api/rows/{number}/image")
    def image(number: Number) -> Response:
        found = source.picture(number) if source is not None and journal.line(number) is not None else None
        if found is None:
            raise NotFound("There is no image of this row any more.")
        kind = "image/jpeg" if found[:2] == b"\xff\xd8" else "image/png"
        return Response(found, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})

    @app.post("/api/rows/{number}/verdict")
    def judge(number: Number, said: Verdict) -> dict[str, Any]:
        if journal.line(number) is None:
            raise NotFound(f"There is no row {number}.")
        if said.verdict == "accepted":
            journal.accept(number)
        elif said.verdict == "corrected":
            journal.correct(number, said.caption)
        else:
            journal.reject(number, said.remark)
        line = journal.line(number)
        assert line is not None  # rows are never taken out
        return {"row": _shown(line, source)} | numbers(journal)

    app.mount("/assets/ui", Revalidated(directory=STATIC))
    return app


def serve(out: Path, port: int | None, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C, then write the output anew with what was said.

    Raises:
        Text2EarthError: there is no journal of such an output.
        AppError: the port cannot be had.
    """
    with Journal(journal_of(out)) as journal:
        listener = listen(HOST, port)
        url = f"http://{HOST}:{listener.getsockname()[1]}/"
        print(f"The review is at {url}  (Ctrl-C ends it)", flush=True)
        if browser:
            threading.Thread(target=open_browser, args=(url,), daemon=True).start()
        config = uvicorn.Config(
            create_app(out, journal), log_level="warning", access_log=False, timeout_graceful_shutdown=2,
            server_header=False,
        )  # fmt: skip
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listener])
        try:
            with only_run(journal_of(out)):
                write(journal, out)
        except Text2EarthError as error:
            say(f"{error} What was said is kept, and the file is written when data caption runs again.")


def _shown(line: Line, source: Source | None) -> dict[str, Any]:
    """A row as the page shows it, with what the model was told of it."""
    try:
        told = source.told(line.number) if source is not None else ""
    except Text2EarthError:
        told = ""
    return {"number": line.number, "keys": line.keys, "state": line.state, "caption": line.caption, "told": told,
            "faults": line.faults, "verdict": line.verdict, "remark": line.remark}  # fmt: skip
