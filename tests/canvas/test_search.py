"""Searching a scene: tiles are looked at once, an edit is looked at anew, and an undo finds the former look again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from canvas import Change, Rect, Scene, SceneError
from canvas.scene_file import vectors
from canvas.search.find import find, look

MakeChange = Callable[..., Change]
RED, GREEN, BLUE = np.eye(3, dtype=np.float32)


class Colours:
    """A tower for which a picture is its mean colour; it counts what it looks at."""

    fingerprint = "colours"
    looked = 0

    def embed_images(self, images: list[np.ndarray]) -> np.ndarray:
        self.looked += len(images)
        means = np.stack([image.mean((0, 1)) for image in images]).astype(np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def paint(scene: Scene, make_change: MakeChange, rect: Rect, colour: np.ndarray) -> None:
    change = make_change(rect)
    change.pixels[:] = 20 + 200 * colour
    scene.accept(change)


@pytest.fixture
def painted(scene: Scene, make_change: MakeChange) -> Scene:
    """Four tiles in a row, from (-256, 0) on: red, green, half of a blue one, and one too narrow for a look."""
    paint(scene, make_change, Rect(-256, 0, 256, 256), RED)
    paint(scene, make_change, Rect(0, 0, 256, 256), GREEN)
    paint(scene, make_change, Rect(256, 0, 128, 256), BLUE)
    paint(scene, make_change, Rect(512, 0, 32, 256), BLUE)
    return scene


def test_the_places_that_fit_best_come_first(painted: Scene) -> None:
    tower = Colours()
    assert find(painted, tower, RED) == []  # nothing was looked at yet
    assert look(painted, tower) == (3, 0)
    for colour, box in ((RED, [-256, 0, 0, 256]), (GREEN, [0, 0, 256, 256]), (BLUE, [256, 0, 384, 256])):
        hits = find(painted, tower, colour, top=2)
        assert len(hits) == 2
        assert hits[0].as_dict()["bbox"] == box
        assert 1 >= hits[0].score > hits[1].score


def test_every_state_of_a_tile_is_looked_at_once(painted: Scene, make_change: MakeChange) -> None:
    tower = Colours()
    look(painted, tower)
    look(painted, tower)
    assert tower.looked == 3
    paint(painted, make_change, Rect(0, 0, 256, 256), BLUE)
    assert find(painted, tower, GREEN)[0].score < 0.5, "what was edited is not found as what it was"
    assert look(painted, tower) == (3, 0)
    assert tower.looked == 4
    assert find(painted, tower, BLUE)[0].rect == Rect(0, 0, 256, 256)
    painted.undo()
    assert find(painted, tower, GREEN)[0].score > 0.9
    painted.redo()
    look(painted, tower)
    assert tower.looked == 4
    with Scene.open(painted.path) as again:  # another program, or the next start
        assert look(again, tower) == (3, 0)
        assert tower.looked == 4


def test_unknown_ground_says_nothing(scene: Scene, make_change: MakeChange) -> None:
    change = make_change(Rect(0, 0, 256, 256))
    change.pixels[:] = 20 + 200 * RED
    change.valid[64:192, 64:] = False
    change.latent_valid[:] = False
    scene.accept(change)
    tower = Colours()
    look(scene, tower)
    hit = find(scene, tower, RED)[0]
    assert hit.score == pytest.approx(220 / np.linalg.norm([220, 20, 20]), abs=2e-3)


def test_a_search_stops_in_time_and_goes_on(painted: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("canvas.search.find.BATCH", 1)
    tower, told = Colours(), list[tuple[int, int]]()
    assert look(painted, tower, 0) == (3, 2)
    assert tower.looked == 1
    assert len(find(painted, tower, RED)) == 1

    def stop(done: int, total: int) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(painted, tower, progress=stop)
    assert told == [(1, 3), (2, 3)]
    assert look(painted, tower) == (3, 0)
    assert tower.looked == 3


def test_what_is_kept_is_bounded(painted: Scene, make_change: MakeChange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "SPARE", 2)
    tower, other = Colours(), Colours()
    other.fingerprint = "of another model"
    look(painted, other)
    for colour in (RED, BLUE) * 4:
        paint(painted, make_change, Rect(0, 0, 256, 256), colour)
        look(painted, tower)
        with painted.database.read() as connection:
            assert connection.execute("SELECT count(*) FROM vectors").fetchone()[0] <= 4 + 2 + 3
    assert find(painted, tower, BLUE)[0].score > 0.9


def test_a_read_only_scene_is_searched_without_being_written(painted: Scene) -> None:
    path, tower = painted.path, Colours()
    painted.close()
    path.chmod(0o444)
    before = path.read_bytes()
    with Scene.open(path) as scene:
        assert look(scene, tower) == (3, 3)
        assert find(scene, tower, GREEN, 1)[0].rect == Rect(0, 0, 256, 256)
    assert path.read_bytes() == before


def test_what_cannot_be_searched_is_said(scene: Scene, make_change: MakeChange) -> None:
    with pytest.raises(SceneError, match="no colours"):
        find(scene, Colours(), RED)
    scene.accept(make_change(Rect(0, 0, 64, 64), layer="nir"))
    with pytest.raises(SceneError, match="no colours"):
        find(scene, Colours(), RED)
    for top in (0, 1001):
        with pytest.raises(SceneError, match="1 to 1000"):
            find(scene, Colours(), RED, top)


def test_foreign_vectors_do_no_harm(painted: Scene, tmp_path: Path) -> None:
    """A file from elsewhere may hold anything: vectors of other lengths, and none that are numbers."""
    tower = Colours()
    look(painted, tower)
    with painted.database.write() as connection:
        nothing = np.full(3, np.nan, "<f2").tobytes()
        connection.execute("UPDATE vectors SET vector = ? WHERE x = 0", (nothing,))
        connection.execute("UPDATE vectors SET vector = x'00' WHERE x = -1")
    assert [round(hit.score, 1) for hit in find(painted, tower, BLUE)] == [1, 0]
    painted.backup(tmp_path / "copy.t2e")
    Scene.check(tmp_path / "copy.t2e")
    connection = sqlite3.connect(tmp_path / "copy.t2e")
    connection.execute("UPDATE vectors SET vector = zeroblob(10000)")
    connection.commit()
    connection.close()
    with pytest.raises(SceneError, match="damaged"):
        Scene.check(tmp_path / "copy.t2e")
