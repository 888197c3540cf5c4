"""The unbounded scene: geometry, scene file, history, painter, region fill, maps and recipes.

Importing it loads no model: only `canvas.paint` and what builds on it know the models of text2earth_core.
Start reading at `canvas.scene`: a scene and what can be done to it.
"""

from canvas.errors import SceneError
from canvas.geometry import CELL, TILE, Rect
from canvas.request import Request
from canvas.scene import Scene
from canvas.scene_file.change import Change

__all__ = ["CELL", "TILE", "Change", "Rect", "Request", "Scene", "SceneError"]
