"""How each kind of change is written into a scene, inside the transaction it is given; what was undone is set aside."""

from __future__ import annotations

import sqlite3

from canvas.anchor import Anchor
from canvas.errors import SceneConflict, SceneError
from canvas.geometry import Rect, bounding_rect, tile_rect
from canvas.layers import LAYERS
from canvas.request import Request
from canvas.scene_file import branches, codec, commit, tiles
from canvas.scene_file.change import Change, merge
from canvas.scene_file.history import Entry, TileChange
from canvas.scene_file.meta import set_anchor
from canvas.scene_file.snapshot import Snapshot, fingerprint
from canvas.scene_file.spool import Spool


def apply_change(connection: sqlite3.Connection, change: Change) -> Entry:
    """Write a change; SceneConflict where its place is not what it was made on."""
    commit.check_resolution(connection, change.request)
    if change.place and fingerprint(*Snapshot(connection).pixels(change.rect, change.layer)) != change.place:
        raise SceneConflict("This place has changed since the change was made for it: ask for it again.")
    box = bounding_rect(change.valid, change.rect.x, change.rect.y)
    revision = commit.next_revision(connection)
    branches.set_aside(connection)
    return commit.finish(connection, change.request, box, revision, merge(connection, change, revision))


def apply_pieces(connection: sqlite3.Connection, request: Request, spool: Spool, anchor: Anchor | None) -> Entry:
    """Write spooled pixels without latents into the layer of the request, and set `anchor` where one is given.

    Raises SceneError where the scene lies somewhere else by now: the pixels were placed as if it lay at `anchor`.
    """
    commit.check_resolution(connection, request)
    found = Snapshot(connection).anchor
    if anchor is not None and found not in (None, anchor):
        raise SceneError(f"The scene got another place on Earth meanwhile ({found}): import the picture again.")
    revision = commit.next_revision(connection)
    branches.set_aside(connection)
    layer, changed = request.layer, list[TileChange]()
    for x, y, image, whole in spool:
        before = tiles.head(connection, layer, x, y)
        if whole:
            tiles.store_image(connection, layer, x, y, revision, image)
        else:
            blank = tiles.Tile.blank(layer)
            tile = blank if before is None else tiles.load(connection, layer, x, y, before)
            pixels = codec.decode_image(image)
            tile.write_pixels((slice(None), slice(None)), pixels[..., : LAYERS[layer]], pixels[..., 3] > 0)
            tiles.store(connection, layer, x, y, revision, tile)
        changed.append((layer, x, y, before, revision))
    if anchor is not None:
        set_anchor(connection, anchor)
    return commit.finish(connection, request, spool.box, revision, changed)


def apply_erasure(connection: sqlite3.Connection, rect: Rect, layer: str) -> Entry:
    """Make a region on the 8 px grid empty; SceneError where it is already."""
    request = Request("erase", rect, Snapshot(connection).resolution, layer)
    revision = commit.next_revision(connection)
    branches.set_aside(connection)
    changed: list[TileChange] = []
    for x, y, before in tiles.heads_in(connection, layer, rect.tile_span()):
        whole = tile_rect(x, y)
        here = whole.intersect(rect).slices(whole)
        tile = tiles.load(connection, layer, x, y, before)
        if not tile.valid[here].any():
            continue
        tile.clear(here)
        if tile.valid.any():
            tiles.store(connection, layer, x, y, revision, tile)
            changed.append((layer, x, y, before, revision))
        else:
            changed.append((layer, x, y, before, None))
    if not changed:
        raise SceneError("There is nothing to erase here: choose a region with content.")
    return commit.finish(connection, request, rect, revision, changed)
