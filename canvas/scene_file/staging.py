"""Candidates: changes that were made but not accepted yet. They lie in the scene file and survive what it survives."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from canvas.errors import SceneConflict, SceneError
from canvas.geometry import CELL, Rect
from canvas.layers import LAYERS
from canvas.masks import MAX_FRAME
from canvas.request import MAX_FEATHER, Request
from canvas.scene_file import codec
from canvas.scene_file.change import Change
from canvas.scene_file.history import now

MAX_WAITING = 64  # candidates in a scene: each is held with all its pixels
MAX_PLACE = MAX_FRAME + 2 * (MAX_FEATHER + CELL)  # px along a side: a mask and the feather around it

_DAMAGED = "This candidate is damaged: discard it and make it again."
_GONE = "This candidate is not there any more: it was accepted or discarded."


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the variations of a `batch`, `number` from 0. `request` is without its mask; `rect` (px) is its place."""

    id: int
    batch: str
    number: int
    created: str
    request: dict[str, Any]
    rect: Rect

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "id": self.id, "batch": self.batch, "number": self.number, "created": self.created,
            "request": self.request, "rect": list(self.rect),
        }  # fmt: skip


def add(connection: sqlite3.Connection, change: Change, batch: str, number: int) -> int:
    """Keep a change as candidate `number` of a batch, in the place of a former one; returns its id."""
    if not change.place:
        raise ValueError("a candidate needs the fingerprint of its place")
    count = connection.execute("SELECT count(*) FROM candidates").fetchone()[0]
    if count >= MAX_WAITING:
        raise SceneError(f"{count} candidates wait in this scene already: accept or discard some first.")
    cursor = connection.execute(
        "INSERT OR REPLACE INTO candidates"
        " (batch, number, created, request, layer, x, y, w, h, place, latents, latent_valid, image)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (batch, number, now(), change.request.to_json(), change.layer, *change.rect, change.place,
         zlib.compress(change.latents.astype("<f4").tobytes(), 1), np.packbits(change.latent_valid).tobytes(),
         codec.encode_image(change.pixels, change.valid.astype(np.uint8) * 255)),
    )  # fmt: skip
    assert cursor.lastrowid is not None  # an INSERT always has one
    return cursor.lastrowid


def waiting(connection: sqlite3.Connection, batch: str | None = None) -> list[Candidate]:
    """The candidates of a batch or of the whole scene, in the order in which they were asked for."""
    where, values = ("", ()) if batch is None else ("WHERE batch = ?", (batch,))
    rows = connection.execute(
        "SELECT id, batch, number, created, json_remove(request, '$.mask'), x, y, w, h FROM candidates"
        f" {where} ORDER BY min(id) OVER (PARTITION BY batch), number",
        values,
    ).fetchall()
    return [
        Candidate(number, name, index, created, json.loads(request), Rect(*rect))
        for number, name, index, created, request, *rect in rows
    ]


def image(connection: sqlite3.Connection, candidate: int) -> bytes | None:
    """WebP of a candidate's `rect`, lossless, transparent where it changes nothing; None where it is gone."""
    row = connection.execute("SELECT image FROM candidates WHERE id = ?", (candidate,)).fetchone()
    return None if row is None else bytes(row[0])


def take(connection: sqlite3.Connection, candidate: int) -> Change:
    """The change of a candidate; it and the others of its batch are candidates no more.

    Raises SceneConflict where it is gone. Whether its place is still what it was made on is for who accepts it.
    """
    row = connection.execute(
        "SELECT batch, request, layer, x, y, w, h, place, latents, latent_valid, image FROM candidates WHERE id = ?",
        (candidate,),
    ).fetchone()
    if row is None:
        raise SceneConflict(_GONE)
    change = _change(row[1:])
    discard(connection, row[0])
    return change


def discard(connection: sqlite3.Connection, batch: str) -> int:
    """Forget the candidates of a batch; returns how many there were."""
    return connection.execute("DELETE FROM candidates WHERE batch = ?", (batch,)).rowcount


def _change(row: tuple[Any, ...]) -> Change:
    request, layer, x, y, w, h, place, latents, latent_valid, picture = row
    rect = Rect(x, y, w, h)
    if layer not in LAYERS or rect.empty or max(w, h) > MAX_PLACE or not rect.on_cells or not place:
        raise SceneError(_DAMAGED)
    rows, columns = h // CELL, w // CELL
    try:
        shape = (codec.LATENT_CHANNELS, rows, columns)
        values = (
            np.frombuffer(codec.inflate(latents, 4 * codec.LATENT_CHANNELS * rows * columns), "<f4")
            .reshape(shape)
            .astype(np.float32)
        )
        known = np.unpackbits(np.frombuffer(latent_valid, np.uint8))[: rows * columns].reshape(rows, columns)
        pixels = codec.decode_image(picture, (w, h))
    except (zlib.error, ValueError) as error:
        raise SceneError(_DAMAGED) from error
    # An image that is opaque throughout comes back without alpha.
    valid = pixels[..., 3] > 0 if pixels.shape[2] == 4 else np.ones((h, w), bool)
    visible = np.where(valid[..., None], pixels[..., : LAYERS[layer]], 0).astype(np.uint8)
    return Change(
        Request.from_json(request), layer, rect, visible, valid, values, known.astype(bool),
        bytes(place),
    )  # fmt: skip
