"""Errors in HTTP: every answer that is none says why in one sentence."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.errors import AppError, Conflict, Gone, NoRoom, NotFound, NotReady, QueueFull
from canvas.errors import SceneConflict, SceneError
from text2earth_core.errors import Text2EarthError

log = logging.getLogger("text2earth")

STATUS: dict[type[Exception], int] = {
    AppError: 422,
    NotFound: 404,
    Gone: 410,
    Conflict: 409,
    QueueFull: 429,
    NotReady: 503,
    NoRoom: 507,
    SceneError: 422,
    SceneConflict: 409,
    Text2EarthError: 422,
}
"""What the rooms' errors are in HTTP; a class without a line is what its base is."""


def add_error_sentences(app: FastAPI) -> None:
    """Answer what handlers raise with its sentence, and what nobody foresaw with one that says so."""

    def answer(status: int, sentence: str) -> JSONResponse:
        return JSONResponse({"error": sentence}, status_code=status)

    @app.exception_handler(AppError)
    @app.exception_handler(SceneError)
    @app.exception_handler(Text2EarthError)
    async def refused(_: Request, error: Exception) -> JSONResponse:
        return answer(next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), str(error))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, _sentence(error))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, f"{str(error.detail).rstrip('.')}.")

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return answer(500, f"Something unexpected went wrong ({type(error).__name__}); the terminal says more.")


def _sentence(error: RequestValidationError) -> str:
    """The first complaint of a validation as one sentence that names the field."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path", "header"))
    message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    message = message[:1].lower() + message[1:]
    return f"The value of {where} is not usable: {message}." if where else f"The request is not usable: {message}."
