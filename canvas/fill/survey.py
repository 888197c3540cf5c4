"""What each cell is to a fill, found out once at its beginning: what happens meanwhile makes no difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from canvas.errors import SceneError
from canvas.fill.request import FillRequest
from canvas.geometry import CELL, Rect
from canvas.masks import dilate
from canvas.paint.agreement import foreign_ground
from canvas.prompt_map import Region
from canvas.scene import Scene
from canvas.scene_file.fill_state import FillState, content_box
from canvas.scene_file.snapshot import Snapshot
from canvas.scene_file.tiles import cells_filled, cells_touched
from text2earth_core import Text2Earth
from text2earth_core.sampling.feather import remade_cells
from text2earth_core.translation.tasks import Task

VOID, TODO, REMADE, GHOST, KNOWN, FOREIGN = range(6)
"""Nothing, seen by no window that matters · to be made · known, but made anew beside what is made, for the
feather · empty and outside of the region, denoised only because windows see it · known, the boundary · the same, but
where the prompts decide what is made beside it."""

ACTIVE = (TODO, REMADE, GHOST)  # what is denoised
BOUNDARY = (KNOWN, FOREIGN)

CHUNK = 1024  # px of ground read at a time


def bounds_of(scene: Scene, request: FillRequest, window: int) -> Rect:
    """The area (cells) of a fill: its frame, the known ground up to half a window around it, and at least a window."""
    reach = request.frame.expand(window // 2 // CELL * CELL)
    with scene.database.read() as connection:
        seen = content_box(connection, request.layer, reach).snap_out()
    cells, side = request.frame.union(seen).cells(), window // CELL
    more_x, more_y = max(0, side - cells.w), max(0, side - cells.h)
    return Rect(cells.x - more_x // 2, cells.y - more_y // 2, cells.w + more_x, cells.h + more_y)


def survey(scene: Scene, request: FillRequest, state: FillState, model: Text2Earth, looked: Callable[[], None]) -> None:
    """Write roles and known latents of every row into the state; SceneError where there is nothing to make.

    `looked` is called after each band and may raise to stop.
    """
    bounds, side = state.bounds, model.info.window // CELL
    edges = [*range(bounds.y, bounds.y1, side), bounds.y1]
    bands = [Rect.from_corners(bounds.x, top, bounds.x1, bottom) for top, bottom in pairwise(edges)]
    anything = False
    with scene.snapshot() as at:
        near = [_masks(at, request, band) for band in bands[:1]]  # of the band before, this one, and the one after
        for number, band in enumerate(bands):
            near += [_masks(at, request, after) for after in bands[number + 1 : number + 2]]
            if request.translation is not None:
                state.write_source(band.y, *at.pixels(band.pixels(), request.translation.source))
            todo, filled = (np.concatenate(layers) for layers in zip(*near, strict=True))
            top = band.y - bands[max(0, number - 1)].y
            roles = _roles(todo, filled, side, remade_cells(request.feather))[top : top + band.h]
            anything |= bool((roles == TODO).any())
            known = _known(at, request, model, band, roles == KNOWN)
            around = Rect(bounds.x, band.y - top, bounds.w, len(filled))
            foreign = _foreign(at, request, around, filled)[top : top + band.h]
            roles[(roles == KNOWN) & foreign] = FOREIGN
            state.write_survey(band.y, roles, known)
            near = near[-2:]
            looked()
    if not anything and request.translation is not None:
        raise SceneError(
            f"There is nothing to translate: here the layer {request.translation.source} is empty, or {request.layer} "
            "is there already. Choose another region, or erase first."
        )
    if not anything:
        raise SceneError(
            f"There is nothing to fill: all of this region exists already, or it holds no {CELL} px cell. "
            "Choose empty ground, or erase first."
        )


def _roles(todo: np.ndarray, filled: np.ndarray, side: int, remade: int) -> np.ndarray:
    """The roles of cells; those further than a window from any border of the arrays are right.

    `remade`: how many cells of what is known are made anew around what is made.
    """
    roles = np.where(filled, KNOWN, VOID).astype(np.uint8)
    if not todo.all():
        roles[~filled & dilate(todo, side - 1)] = GHOST
        roles[filled & dilate(todo, remade)] = REMADE
    roles[todo] = TODO
    return roles


def _masks(at: Snapshot, request: FillRequest, band: Rect) -> tuple[np.ndarray, np.ndarray]:
    """(to be made, wholly known) of a band of cells, each cell one or none of both."""
    shape: Region = request.shape
    todo, filled = np.zeros((band.h, band.w), bool), np.zeros((band.h, band.w), bool)
    frame = request.frame.cells()
    for chunk in _chunks(band):
        _, valid = at.pixels(chunk.pixels(), request.layer)
        wanted = ~valid if request.translation is None else _translatable(at, request.translation, chunk, valid)
        inside = np.zeros((chunk.h, chunk.w), bool)
        part = chunk.intersect(frame)
        if not part.empty:
            inside[part.slices(chunk)] = shape.cells(part)
        made = inside & cells_touched(wanted)
        todo[chunk.slices(band)] = made
        filled[chunk.slices(band)] = cells_filled(valid) & ~made
    return todo, filled


def _translatable(at: Snapshot, task: Task, chunk: Rect, valid: np.ndarray) -> np.ndarray:
    """bool (8h, 8w): where a translation has a source and no target yet, or takes its place."""
    if task.in_place:
        return valid
    _, seen = at.pixels(chunk.pixels(), task.source)
    return seen & ~valid


def _known(at: Snapshot, request: FillRequest, model: Text2Earth, band: Rect, wanted: np.ndarray) -> np.ndarray:
    """float32 (4, h, w): latents of the wanted cells, encoded where the scene has none of this model; else 0."""
    latents = np.zeros((4, band.h, band.w), np.float32)
    for chunk in _chunks(band):
        here = wanted[chunk.slices(band)]
        if not here.any():
            continue
        patch = at.read(chunk.pixels(), request.layer, request.model)
        values = patch.latents
        lacking = here & ~patch.latent_valid
        if lacking.any():
            values = np.where(lacking, model.encode(patch.pixels, request.layer).numpy(), values)
        rows, columns = chunk.slices(band)
        latents[:, rows, columns] = np.where(here, values, 0)
    return latents


def _foreign(at: Snapshot, request: FillRequest, cells: Rect, filled: np.ndarray) -> np.ndarray:
    """bool (h, w): beside which ground in a rectangle of cells the prompts decide."""
    if request.follow is not None:
        return filled if request.follow > 0 else np.zeros_like(filled)
    area, texts = cells.pixels(), [prompt.text for prompt in request.prompt_map]
    return foreign_ground(at.requests(area), area, request.layer, texts, filled)


def _chunks(band: Rect) -> Iterator[Rect]:
    for x in range(band.x, band.x1, CHUNK // CELL):
        yield Rect(x, band.y, CHUNK // CELL, band.h).intersect(band)
