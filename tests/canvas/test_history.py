"""Whatever is edited, undone, redone, staged and accepted, in any order: the scene is what a model in memory says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from canvas import Change, Rect, Scene, SceneError
from canvas.scene_file import files, history
from canvas.scene_file.snapshot import fingerprint
from tests.canvas.conftest import random_change

WORLD = Rect(-256, -256, 512, 512)  # four tiles around the origin

places = st.builds(
    lambda x, y, w, h: Rect(8 * x, 8 * y, 8 * w, 8 * h),
    st.integers(-32, 24), st.integers(-32, 24), st.integers(1, 8), st.integers(1, 8),
)  # fmt: skip
State = tuple[np.ndarray, np.ndarray]  # pixels and valid over WORLD


class SceneAgainstModel(RuleBasedStateMachine):
    """The model: whole states, the one each was made on, a line through them and a place on it, and the candidates."""

    folder: Path
    made = 0
    actions = 0  # edits, erasures, undos, redos, jumps and accepts over all runs, refused ones too

    @initialize()
    def begin(self) -> None:
        type(self).made += 1
        self.scene = Scene.create(self.folder / f"{type(self).made}.t2e", 1.0)
        self.states: list[State] = [(np.zeros((WORLD.h, WORLD.w, 3), np.uint8), np.zeros((WORLD.h, WORLD.w), bool))]
        self.parents = [-1]
        self.line = [0]  # numbers of states; undo and redo move along it
        self.at = 0
        self.candidates: dict[int, tuple[Change, str]] = {}
        self.seed = 0

    def teardown(self) -> None:
        if hasattr(self, "scene"):
            self.scene.close()

    @property
    def now(self) -> State:
        return self.states[self.line[self.at]]

    def follows(self, pixels: np.ndarray, valid: np.ndarray) -> None:
        """What comes after is made on what is there now; what was undone lies beside it."""
        self.parents.append(self.line[self.at])
        self.states.append((pixels, valid))
        self.at += 1
        self.line[self.at :] = [len(self.states) - 1]

    def made_here(self, place: Rect, share: float) -> Change:
        self.seed += 1
        change = random_change(place.intersect(WORLD), self.seed)
        change.valid[:] = np.random.default_rng(self.seed).random(change.valid.shape) < share
        change.valid[0, 0] = True
        here = change.rect.slices(WORLD)
        return replace(change, place=fingerprint(self.now[0][here], self.now[1][here]))

    def becomes(self, change: Change) -> None:
        pixels, valid = self.now[0].copy(), self.now[1].copy()
        here = change.rect.slices(WORLD)
        pixels[here][change.valid] = change.pixels[change.valid]
        valid[here] |= change.valid
        self.follows(pixels, valid)

    @rule(place=places, share=st.sampled_from([0.1, 1.0]))
    def edit(self, place: Rect, share: float) -> None:
        type(self).actions += 1
        change = self.made_here(place, share)
        self.scene.accept(change)
        self.becomes(change)

    @rule(place=places)
    def erase(self, place: Rect) -> None:
        type(self).actions += 1
        here = place.intersect(WORLD).slices(WORLD)
        if not self.now[1][here].any():
            with pytest.raises(SceneError):
                self.scene.erase(place.intersect(WORLD))
            return
        self.scene.erase(place.intersect(WORLD))
        pixels, valid = self.now[0].copy(), self.now[1].copy()
        pixels[here], valid[here] = 0, False
        self.follows(pixels, valid)

    @rule()
    def undo(self) -> None:
        type(self).actions += 1
        assert (self.scene.undo() is not None) == (self.at > 0)
        self.at = max(0, self.at - 1)

    @rule()
    def redo(self) -> None:
        type(self).actions += 1
        assert (self.scene.redo() is not None) == (self.at < len(self.line) - 1)
        self.at = min(len(self.line) - 1, self.at + 1)

    @rule(data=st.data())
    def jump(self, data: st.DataObject) -> None:
        type(self).actions += 1
        target = data.draw(st.integers(0, len(self.states) - 1))
        steps = [step.id for step in self.scene.history()]
        moved = self.scene.go_to(steps[target - 1] if target else 0)
        way = [target]
        while way[0]:
            way.insert(0, self.parents[way[0]])
        shown = self.line[: self.at + 1]
        assert len(moved) == len({*way} ^ {*shown})
        if target not in self.line:
            self.line = way
            while (last := self.line[-1]) in self.parents:  # redo goes on to the end of the branch
                self.line.append(max(n for n, parent in enumerate(self.parents) if parent == last))
        self.at = self.line.index(target)

    @rule(place=places, share=st.sampled_from([0.3, 1.0]))
    @precondition(lambda self: len(self.candidates) < 6)
    def stage(self, place: Rect, share: float) -> None:
        change = self.made_here(place, share)
        batch = str(self.seed // 2)  # two to a batch
        self.candidates[self.scene.stage(change, batch, self.seed % 2)] = (change, batch)

    @rule(data=st.data())
    @precondition(lambda self: self.candidates)
    def accept(self, data: st.DataObject) -> None:
        type(self).actions += 1
        number = data.draw(st.sampled_from(sorted(self.candidates)))
        change, batch = self.candidates[number]
        here = change.rect.slices(WORLD)
        if fingerprint(self.now[0][here], self.now[1][here]) != change.place:
            with pytest.raises(SceneError, match="has changed"):
                self.scene.accept_candidate(number)
            return
        self.scene.accept_candidate(number)
        self.becomes(change)
        self.candidates = {key: one for key, one in self.candidates.items() if one[1] != batch}

    @rule(data=st.data())
    @precondition(lambda self: self.candidates)
    def discard(self, data: st.DataObject) -> None:
        batch = self.candidates[data.draw(st.sampled_from(sorted(self.candidates)))][1]
        self.scene.discard(batch)
        self.candidates = {key: one for key, one in self.candidates.items() if one[1] != batch}

    @rule()
    def reopen(self) -> None:
        path = self.scene.path
        self.scene.close()
        self.scene = Scene.open(path)

    @invariant()
    def scene_is_the_model(self) -> None:
        if not hasattr(self, "scene"):
            return
        patch = self.scene.read(WORLD)
        assert np.array_equal(patch.valid, self.now[1])
        assert np.array_equal(patch.pixels, self.now[0])
        assert {candidate.id for candidate in self.scene.candidates()} == set(self.candidates)
        assert len(self.scene.history()) == len(self.states) - 1
        shown = [number for number, step in enumerate(self.scene.history(), 1) if not step.undone]
        assert shown == self.line[1 : self.at + 1]
        assert (self.scene.can_undo, self.scene.can_redo) == (self.at > 0, self.at < len(self.line) - 1)


def test_a_thousand_random_changes_leave_what_a_model_in_memory_holds(tmp_path: Path) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    SceneAgainstModel.folder, SceneAgainstModel.actions = tmp_path, 0
    run_state_machine_as_test(
        SceneAgainstModel, settings=settings(max_examples=70, stateful_step_count=50, deadline=None)
    )
    assert SceneAgainstModel.actions >= 1000


# ---- the budget


def names(scene: Scene) -> list[str]:
    return [step.request["prompt"] for step in scene.history()]


@pytest.fixture
def trimmed(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Six changes of one tile, with room for what was before the last two or three."""
    scene.accept(random_change(Rect(0, 0, 256, 256), 0))
    size = scene.path.stat().st_size
    assert size
    with scene._database.read() as connection:
        tile = connection.execute("SELECT length(pixels) + length(latents) FROM tiles").fetchone()[0]
    monkeypatch.setattr(history, "BUDGET", int(2.5 * tile))
    for seed in range(1, 6):
        scene.accept(random_change(Rect(0, 0, 256, 256), seed))
    return scene


def test_beyond_the_budget_pixels_go_and_requests_stay(trimmed: Scene) -> None:
    assert names(trimmed) == [f"prompt {n}" for n in range(6)]
    steps = trimmed.history()
    assert [step.dropped for step in steps] == [True, True, True, True, False, False]
    with trimmed._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM tiles").fetchone()[0] == 3, "what shows, and two before it"


def test_undo_ends_where_pixels_were_dropped_and_redo_brings_all_back(trimmed: Scene) -> None:
    last = trimmed.read(Rect(0, 0, 256, 256)).pixels
    assert trimmed.undo() is not None
    assert trimmed.undo() is not None
    assert not trimmed.can_undo
    assert trimmed.undo() is None
    assert np.array_equal(trimmed.read(Rect(0, 0, 256, 256)).pixels, random_change(Rect(0, 0, 256, 256), 3).pixels)
    with pytest.raises(SceneError, match="dropped"):
        trimmed.go_to(trimmed.history()[0].id)
    trimmed.redo(), trimmed.redo()
    assert np.array_equal(trimmed.read(Rect(0, 0, 256, 256)).pixels, last)


def test_every_step_keeps_its_thumbnail_after_its_pixels(trimmed: Scene) -> None:
    pictures = [trimmed.thumbnail(step.id) for step in trimmed.history()]
    assert all(pictures)
    assert len(set(pictures)) == len(pictures)


def work_of_dropping(path: Path, tiles: int) -> int:
    """SQLite's instructions, in thousands, to drop what was before a change of a row of tiles."""
    row = Rect(0, 0, 256 * tiles, 8)
    counted = []
    with Scene.create(path, 1.0) as scene:
        for seed in range(3):
            scene.accept(random_change(row, seed))
        with scene.database.write() as connection:
            connection.set_progress_handler(lambda: counted.append(1), 1000)
            assert history.trim(connection, 0) == 2
            connection.set_progress_handler(None, 0)
        assert all(scene.thumbnail(step.id) for step in scene.history())
        assert scene.read(row).valid.all()
    return len(counted)


def test_dropping_costs_in_proportion_to_the_tiles(tmp_path: Path) -> None:
    few, many = (work_of_dropping(tmp_path / f"{tiles}.t2e", tiles) for tiles in (75, 300))
    assert many < 8 * few, "four times the tiles, sixteen times the work where each looks at all"


def test_the_history_is_light_and_the_request_whole(scene: Scene) -> None:
    change = random_change(Rect(0, 0, 8, 8))
    step = scene.accept(replace(change, request=replace(change.request, kind="edit", mask="bWFzaw==")))
    [listed] = scene.history()
    assert "mask" not in listed.request
    assert step == listed
    assert scene.request(step.id).mask == "bWFzaw=="


# ---- side branches

PLACE = Rect(0, 0, 256, 256)


@pytest.fixture
def branched(scene: Scene) -> Scene:
    """Two steps that were undone, and another in their place."""
    kept, *_ = [scene.accept(random_change(PLACE, seed)) for seed in range(3)]
    scene.go_to(kept.id)
    scene.accept(random_change(PLACE, 3))
    return scene


def test_what_was_undone_stays_beside_what_was_made_instead(branched: Scene) -> None:
    steps = branched.history()
    assert [step.request["prompt"] for step in steps if step.aside] == ["prompt 1", "prompt 2"]
    assert not branched.can_redo
    assert branched.redo() is None
    assert np.array_equal(branched.read(PLACE).pixels, random_change(PLACE, 3).pixels)

    branched.go_to(steps[1].id)
    assert np.array_equal(branched.read(PLACE).pixels, random_change(PLACE, 1).pixels)
    assert branched.redo() == replace(steps[2], undone=False, aside=False), "redo goes on along the branch"
    assert np.array_equal(branched.read(PLACE).pixels, random_change(PLACE, 2).pixels)
    assert [step.aside for step in branched.history()] == [False, False, False, True], "now the other lies beside"
    branched.go_to(steps[3].id)
    assert np.array_equal(branched.read(PLACE).pixels, random_change(PLACE, 3).pixels)


def test_only_the_newest_step_is_undone_by_its_number(branched: Scene) -> None:
    first, *_, newest = branched.history()
    assert branched.undo(only=first.id) is None
    assert branched.undo(only=newest.id) is not None
    assert branched.undo(only=newest.id) is None, "it is undone already"


def test_side_branches_go_before_anything_that_can_be_undone(branched: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = branched.history()[1]
    with branched._database.read() as connection:
        tile = connection.execute("SELECT length(pixels) + length(latents) FROM tiles").fetchone()[0]
    monkeypatch.setattr(history, "BUDGET", int(2.5 * tile))
    branched.accept(random_change(PLACE, 4))
    assert names(branched) == ["prompt 0", "prompt 3", "prompt 4"]
    assert not any(step.dropped for step in branched.history())
    with branched._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM tiles").fetchone()[0] == 3
    with pytest.raises(SceneError, match="not in the history"):
        branched.go_to(gone.id)


def test_a_file_from_before_side_branches_has_one_line(tmp_path: Path) -> None:
    path = tmp_path / "old.t2e"
    with Scene.create(path, 1.0) as scene:
        for seed in range(3):
            scene.accept(random_change(PLACE, seed))
        scene.undo()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE vectors; DROP INDEX steps_parent;"
            "ALTER TABLE steps DROP COLUMN parent; ALTER TABLE steps DROP COLUMN made;"
            "PRAGMA user_version = 3"
        )
    with Scene.open(path) as scene:
        scene.undo()
        scene.accept(random_change(PLACE, 3))
        scene.go_to(scene.history()[2].id)
        assert np.array_equal(scene.read(PLACE).pixels, random_change(PLACE, 2).pixels)
    files.check(path)
