"""The unbounded scene: geometry, scene file, history, painter and export.

Importing this package loads no model: only `canvas.painter` knows text2earth_core.
"""

from canvas.change import Change
from canvas.errors import SceneError
from canvas.geometry import CELL, TILE, Rect
from canvas.request import Request
from canvas.scene import Scene

__all__ = ["CELL", "TILE", "Change", "Rect", "Request", "Scene", "SceneError"]
