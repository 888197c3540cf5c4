"""One request being answered: pixels and latents of the area its windows see, from the first window to the change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
import torch

from canvas.errors import SceneError
from canvas.geometry import CELL, Rect, bounding_rect
from canvas.layers import bands_of
from canvas.masks import decode_mask, dilate, spread
from canvas.paint import plan
from canvas.paint.agreement import foreign_ground
from canvas.request import Request
from canvas.scene_file.change import Change
from canvas.scene_file.snapshot import Patch, fingerprint
from canvas.scene_file.tiles import cells_filled, cells_touched
from text2earth_core import Text2Earth
from text2earth_core.sampling.differential import remake
from text2earth_core.sampling.feather import blend, feather_weight, remade_cells
from text2earth_core.sampling.leading import Lead, lead_in
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.stepper import StepCallback

DECODE = 512  # px along a side decoded at once, plus the halo
SHOWN = 0.25  # degree of change from which a pixel is the new one alone; below it the old one shines through


class Readable(Protocol):
    """A Scene, or a Snapshot of one."""

    @property
    def resolution(self) -> float: ...

    def read(self, rect: Rect, layer: str = "rgb", model: str | None = None) -> Patch: ...

    def requests(self, rect: Rect) -> Iterable[tuple[Rect, dict[str, Any]]]: ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be made, over an area: `made` bool (px); `degree` float32 (px), how far each may go, 1 = anew."""

    made: np.ndarray
    degree: np.ndarray

    @classmethod
    def of(cls, request: Request, area: Rect, valid: np.ndarray) -> Wish:
        """Every empty pixel of the frame; or with a mask, all under it, and what is empty there anew."""
        degree = np.zeros(valid.shape, np.float32)
        at = request.frame.slices(area)
        if not request.mask:
            degree[at] = ~valid[at]
            return cls(degree > 0, degree)
        painted = decode_mask(request.mask, request.frame)
        degree[at] = np.where(valid[at], request.strength * painted / np.float32(255), painted > 0)
        return cls(degree > 0, degree)

    def weights(self, request: Request, valid: np.ndarray) -> np.ndarray:
        """float32 (px): how much of the new picture shows where; 0 beyond mask and feather."""
        if not request.mask:
            return feather_weight(self.made, request.feather)
        # Where little may change, the new pixel is the old one but for what the autoencoder loses: blend that away.
        depth = np.minimum(self.degree / (SHOWN * request.strength), 1)
        weights = np.maximum(depth, feather_weight(depth == 1, request.feather))
        return np.where(valid, weights, self.made)


class Painting:
    """The state of one request while its windows are made, one after the other."""

    def __init__(self, model: Text2Earth, scene: Readable, request: Request) -> None:
        self._model, self._request = model, request
        window, frame = model.info.window, request.frame
        margin = -(-request.feather // CELL) * CELL + model.info.halo * CELL
        area = plan.reach(frame, window).union(frame.expand(margin)).snap_out()
        self._patch = scene.read(area, request.layer, request.model)
        self._area, self._cells = area, area.cells()
        valid = self._patch.valid
        self._wish = Wish.of(request, area, valid)
        if not self._wish.made.any():
            raise SceneError("Everything in this frame exists already: move it over empty ground, or erase first.")
        filled = cells_filled(valid)
        self._todo = cells_touched(self._wish.made)
        self._degree = _cell_max(self._wish.degree)
        self._degree[self._todo & ~filled] = 1  # nothing is known there to start from
        self._ground = filled & ~self._todo
        self._foreign = filled.copy()  # known ground beside which, and in whose place, the prompt decides
        if request.follow is None:
            self._foreign = foreign_ground(scene.requests(area), area, request.layer, [request.prompt], filled)
        self._known = self._ground.copy()  # what stays, or is made by now: the ground, then what each window makes
        self.windows = plan.windows(frame, self._todo, self._ground, area, window)
        self._latents = self._patch.latents.copy()
        self._encode_missing_latents(filled)

    def missing_in(self, window: Rect) -> Rect:
        """The smallest rectangle (px) around what a window will make."""
        cells = window.cells()
        at = cells.slices(self._cells)
        return bounding_rect((self._todo & ~self._known)[at], cells.x, cells.y).pixels()

    def fill(self, window: Rect, report: StepCallback | None) -> None:
        """Denoise one window and take from it what was missing and the cells it was inflated by."""
        cells = window.cells()
        at = cells.slices(self._cells)
        missing = (self._todo & ~self._known)[at]
        wished = np.where(missing, self._degree[at], 0)
        degree = np.where(missing, wished, dilate(wished, remade_cells(self._request.feather)))
        degree[~self._known[at] & ~missing] = 1  # empty ground beside the frame: the network must not look at it
        lead = self._lead(cells, at, degree > 0)
        made = self._denoise(cells, self._latents[:, at[0], at[1]].copy(), degree, lead, report)
        remade = missing | ((degree > 0) & self._known[at])
        self._latents[:, at[0], at[1]][:, remade] = made[:, remade]
        self._known[at] |= missing
        self._foreign[at] &= ~missing

    def _lead(self, cells: Rect, at: tuple[slice, slice], made: np.ndarray) -> Lead | None:
        """How far the prompt decides in a window, rather than the ground in it."""
        follow = 1.0 if self._request.follow is None else self._request.follow
        return lead_in(made, self._foreign[at], follow, self._request.seed, cells.x, cells.y)

    def _denoise(
        self, cells: Rect, known: np.ndarray, degree: np.ndarray, lead: Lead | None, report: StepCallback | None
    ) -> np.ndarray:
        request = self._request
        # All that an ordinary window and one by degrees have in common.
        given: dict[str, Any] = {
            "known": torch.from_numpy(known),
            "noise": world_noise(request.seed, *cells),
            "lead": lead,
            "callback": report,
        }
        by_degree = torch.from_numpy(degree.astype(np.float32))
        if np.isin(degree, (0, 1)).all():
            return self._model.denoise(request.prompt, request.sampling, mask=by_degree, **given).numpy()
        return remake(self._model, request.prompt, request.sampling, degree=by_degree, **given).numpy()

    def finish(self) -> Change:
        """Decode what changed, blend it over what was there, and cut out the change."""
        request, valid = self._request, self._patch.valid
        near = bounding_rect(self._wish.made, self._area.x, self._area.y).expand(request.feather).snap_out()
        weights = self._wish.weights(request, valid)[near.slices(self._area)]
        # Only where there are latents to decode: not in cells at an edge that are partly empty and outside the frame.
        weights[~self._known[near.cells().slices(self._cells)].repeat(CELL, 0).repeat(CELL, 1)] = 0
        rect = bounding_rect(weights > 0, near.x, near.y).snap_out()
        weights = weights[rect.slices(near)]
        written = weights > 0
        here = rect.slices(self._area)
        new, old = self._decode(rect), self._patch.pixels[here]
        # What is empty has no texture of its own that could be missed.
        shown = blend(np.where(valid[here][..., None], old, new), new, weights)
        pixels = np.where(written[..., None], shown, 0).astype(np.uint8)
        rows, columns = rect.cells().slices(self._cells)
        return Change(
            request, request.layer, rect, pixels, written,
            self._latents[:, rows, columns].copy(), cells_touched(written), fingerprint(old, valid[here]),
        )  # fmt: skip

    def _encode_missing_latents(self, filled: np.ndarray) -> None:
        """Latents for ground that was imported or made by another model; each cell depends on its own pixels only."""
        lacking = filled & ~self._patch.latent_valid
        if not lacking.any():
            return
        box = bounding_rect(lacking)
        pixels = self._patch.pixels[box.y * CELL : box.y1 * CELL, box.x * CELL : box.x1 * CELL]
        encoded = self._model.encode(np.ascontiguousarray(pixels), self._request.layer).numpy()
        part = lacking[box.y : box.y1, box.x : box.x1]
        self._latents[:, box.y : box.y1, box.x : box.x1][:, part] = encoded[:, part]

    def _decode(self, rect: Rect) -> np.ndarray:
        """uint8 (h, w, bands) of a rectangle, in pieces with a halo: memory is bounded, they fit to a rounding."""
        halo = self._model.info.halo
        # The area ends where content ends, as far as a rectangle can: there the decoder continues the edge by itself.
        content = bounding_rect(self._known, self._cells.x, self._cells.y)
        latents = spread(self._latents, self._known, halo)
        pixels = np.empty((rect.h, rect.w, bands_of(self._request.layer)), np.uint8)
        for x, y in product(range(rect.x, rect.x1, DECODE), range(rect.y, rect.y1, DECODE)):
            piece = Rect(x, y, DECODE, DECODE).intersect(rect)
            context = piece.cells().expand(halo).intersect(content)
            rows, columns = context.slices(self._cells)
            around, part = context.pixels(), torch.from_numpy(latents[:, rows, columns].copy())
            decoded = self._model.decode(part, self._request.layer, self._request.seed, (around.x, around.y))
            pixels[piece.slices(rect)] = decoded[piece.slices(around)]
        return pixels


def _cell_max(degree: np.ndarray) -> np.ndarray:
    """(h/8, w/8): the largest value in each latent cell of a (h, w) array."""
    h, w = degree.shape
    return degree.reshape(h // CELL, CELL, w // CELL, CELL).max(axis=(1, 3))
