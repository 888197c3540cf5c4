"""A request names the adapters it needs, and is stored as ever where it needs none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from canvas.errors import SceneError
from canvas.paint.painter import Painter
from canvas.request import Request
from canvas.scene import Scene
from text2earth_core import Text2Earth


def test_a_request_with_a_style_means_the_same_after_storing(
    adapted_folder: Path, style_folder: Path, tmp_path: Path
) -> None:
    model = Text2Earth.from_pretrained(adapted_folder, device="cpu", dtype="float32")
    style = model.load_adapter(style_folder)
    painter, pictures = Painter(model), []
    with Scene.create(tmp_path / "a.t2e", 1.0) as scene:
        for adapters in ((), (("autumn", 0.5),)):
            request = painter.request(scene, (0, 0, 64, 64), "forest", seed=1, steps=2, adapters=adapters)
            again = Request.from_json(request.to_json())
            assert again == request
            assert ("adapters" in json.loads(request.to_json())) == bool(adapters)
            pictures.append([painter.paint(scene, one).pixels for one in (request, again)])
    assert again.adapters == ((style.fingerprint, 0.5),)
    assert all(np.array_equal(*pair) for pair in pictures)
    assert not np.array_equal(pictures[0][0], pictures[1][0])


@pytest.mark.parametrize("adapters", [["nir"], [["nir", 9]], [["nir", "1"]], "nir", [["nir", 1]] * 9])
def test_impossible_adapters_of_a_stored_request_are_refused(adapters: object) -> None:
    stored = Request("generate", (0, 0, 64, 64), 1.0).as_dict() | {"adapters": adapters}
    with pytest.raises(SceneError, match="its adapters must be up to 8 names"):
        Request.from_dict(stored)
