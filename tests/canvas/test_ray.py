"""A Ray cluster makes the same pixels as one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canvas import Rect, Scene, SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.fill.workers import RayWorkers
from text2earth_core import Text2Earth

ray = pytest.importorskip("ray", reason="the optional extra text2earth-canvas[cluster] is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A cluster of two CPUs on this machine."""
    context = ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    yield context.address_info["gcs_address"]
    ray.shutdown()


@pytest.mark.parametrize("settings", [{"steps": 2}, {"sampler": "fast"}])
def test_two_workers_make_the_pixels_of_one_process(
    scene: Scene, student_folder: Path, cluster: str, settings: dict[str, Any]
) -> None:
    model = Text2Earth.from_pretrained(student_folder, "cpu", "float32")
    prompts = [{"text": "forest", "region": [0, 0, 100, 160], "feather": 40}, {"text": "desert"}]
    request = fill_request(model, scene, [-8, 0, 240, 160], prompts, seed=4, **settings)
    RegionFill(scene, model, request).run()
    alone = scene.read(Rect(-8, 0, 248, 160))
    scene.undo()
    workers = RayWorkers(cluster, str(student_folder), request, 2)
    RegionFill(scene, model, request, workers).run()
    workers.close()
    together = scene.read(Rect(-8, 0, 248, 160))
    assert np.array_equal(alone.pixels, together.pixels)
    assert np.array_equal(alone.latents, together.latents)


def test_a_cluster_with_another_model_is_refused(scene: Scene, tiny_folder: Path, cluster: str, tmp_path: Path) -> None:
    model = Text2Earth.from_pretrained(tiny_folder, "cpu", "float32")
    request = fill_request(model, scene, [0, 0, 64, 64], [{"text": "forest"}], steps=1)
    Text2Earth.from_preset("tiny", seed=1).save_pretrained(tmp_path / "other")
    with pytest.raises(SceneError, match="another one there"):
        RayWorkers(cluster, str(tmp_path / "other"), request, 1)
    assert scene.bounds is None


def test_an_address_where_nobody_answers_is_one_sentence(scene: Scene, tiny_folder: Path) -> None:
    model = Text2Earth.from_pretrained(tiny_folder, "cpu", "float32")
    request = fill_request(model, scene, [0, 0, 64, 64], [{"text": "forest"}], steps=1)
    ray.shutdown()
    with pytest.raises(SceneError, match="No Ray cluster answers"):
        RayWorkers("127.0.0.1:1", str(tiny_folder), request)
