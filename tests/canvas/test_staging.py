"""Candidates wait in the scene file, are accepted whole or not at all, and never over a place that has changed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from canvas import Change, Rect, Scene, SceneError
from canvas.scene_file.snapshot import fingerprint
from canvas.scene_file.staging import MAX_WAITING
from tests.canvas.conftest import random_change

PLACE = Rect(200, 200, 96, 64)  # over the border of four tiles


def candidate(scene: Scene, rect: Rect = PLACE, seed: int = 0, holes: bool = True) -> Change:
    """A change with ragged edges, made on the scene as it is."""
    change = random_change(rect, seed)
    if holes:
        rng = np.random.default_rng(seed + 1000)
        change.valid[:] = rng.random(change.valid.shape) < 0.7
        change.pixels[~change.valid] = 0
        change.latent_valid[:] = rng.random(change.latent_valid.shape) < 0.7
    with scene.snapshot() as at:
        return replace(change, place=fingerprint(*at.pixels(rect)))


@pytest.mark.parametrize("holes", [True, False])
def test_an_accepted_candidate_is_the_change_itself(tmp_path: Path, holes: bool) -> None:
    whole = Rect(0, 0, 512, 512)
    states = []
    for staged in (True, False):
        with Scene.create(tmp_path / f"{staged}.t2e", 1.0) as scene:
            scene.accept(random_change(Rect(128, 128, 256, 256), 7))
            change = candidate(scene, holes=holes)
            if staged:
                before = scene.read(whole)
                number = scene.stage(change, "batch", 0)
                assert np.array_equal(scene.read(whole).pixels, before.pixels), "a candidate changes nothing"
                scene.accept_candidate(number)
            else:
                scene.accept(change)
            states.append(scene.read(whole))
            assert [step.request["prompt"] for step in scene.history()] == ["prompt 7", "prompt 0"]
    for name in ("pixels", "valid", "latents", "latent_valid"):
        assert np.array_equal(getattr(states[0], name), getattr(states[1], name)), name


def test_candidates_survive_closing_and_are_listed_in_order(tmp_path: Path) -> None:
    path = tmp_path / "s.t2e"
    with Scene.create(path, 1.0) as scene:
        for batch, number in (("b", 1), ("a", 0), ("b", 0)):
            scene.stage(candidate(scene, seed=number), batch, number)
    with Scene.open(path) as scene:
        assert [(c.batch, c.number) for c in scene.candidates()] == [("b", 0), ("b", 1), ("a", 0)]
        assert [c.number for c in scene.candidates("b")] == [0, 1]
        scene.stage(candidate(scene, seed=5), "b", 1)
        assert [c.request["seed"] for c in scene.candidates("b")] == [0, 5], "a variation made again takes its place"


def test_accepting_one_forgets_its_batch_only(scene: Scene) -> None:
    ids = [scene.stage(candidate(scene, seed=n), "a", n) for n in range(3)]
    elsewhere = scene.stage(candidate(scene, Rect(4096, 0, 64, 64)), "b", 0)
    scene.accept_candidate(ids[1])
    assert [c.id for c in scene.candidates()] == [elsewhere]
    with pytest.raises(SceneError, match="not there any more"):
        scene.accept_candidate(ids[0])
    assert scene.candidate_image(ids[0]) is None
    assert scene.discard("b") == 1
    assert scene.candidates() == []
    assert scene.revision == 1


def test_a_place_that_changed_refuses_a_candidate_and_says_so(scene: Scene) -> None:
    scene.accept(random_change(Rect(0, 0, 512, 512)))
    ids = [scene.stage(candidate(scene, seed=n), str(n), 0) for n in (1, 2)]
    scene.accept_candidate(ids[0])
    revision = scene.revision
    with pytest.raises(SceneError, match="has changed"):
        scene.accept_candidate(ids[1])
    assert scene.revision == revision
    assert [c.id for c in scene.candidates()] == [ids[1]], "a refused candidate is still there"
    scene.undo()
    scene.accept_candidate(ids[1])  # the place is again what it was made on


def test_a_change_beside_the_place_does_not_matter(scene: Scene) -> None:
    number = scene.stage(candidate(scene), "a", 0)
    scene.accept(random_change(Rect(PLACE.x1, PLACE.y, 64, 64), 3))  # the same tile
    scene.accept_candidate(number)
    assert len(scene.history()) == 2


def test_the_image_of_a_candidate_is_what_accepting_shows(scene: Scene) -> None:
    from io import BytesIO

    from PIL import Image

    change = candidate(scene)
    number = scene.stage(change, "a", 0)
    image = scene.candidate_image(number)
    assert image is not None
    rgba = np.asarray(Image.open(BytesIO(image)).convert("RGBA"))
    assert np.array_equal(rgba[..., 3] > 0, change.valid)
    assert np.array_equal(rgba[change.valid][:, :3], change.pixels[change.valid])


def test_too_many_candidates_are_refused(scene: Scene) -> None:
    change = candidate(scene, Rect(0, 0, 8, 8), holes=False)
    for number in range(MAX_WAITING):
        scene.stage(change, "a", number)
    with pytest.raises(SceneError, match="accept or discard"):
        scene.stage(change, "b", 0)


def test_a_kill_leaves_the_candidates_that_were_said_to_be_there(tmp_path: Path) -> None:
    path = tmp_path / "s.t2e"
    Scene.create(path, 1.0).close()
    program = """
import sys
from canvas import Rect, Scene
from tests.canvas.test_staging import candidate
with Scene.open(sys.argv[1]) as scene:
    for number in range(100):
        scene.stage(candidate(scene, Rect(0, 0, 256, 256), number), str(number), 0)
        print(number, flush=True)
"""
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(3)]
    process.kill()
    process.wait()
    process.stdout.close()
    with Scene.open(path) as scene:
        there = [c.request["seed"] for c in scene.candidates()]
        assert there[: len(said)] == said
        scene.accept_candidate(scene.candidates()[-1].id)
        expected = candidate(scene, Rect(0, 0, 256, 256), there[-1])
        patch = scene.read(Rect(0, 0, 256, 256))
        assert np.array_equal(patch.pixels, np.where(expected.valid[..., None], expected.pixels, 0))
