"""Nothing that was reported as accepted is ever lost, and the file always opens."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from canvas import Rect, Scene, SceneError
from canvas.layers import LAYERS
from tests.canvas.writer import numbered_change

WRITER = Path(__file__).with_name("writer.py")
ROOT = WRITER.parents[2]
KILLS = 50


def start_writer(path: Path, first: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(WRITER), str(path), str(first)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str]) -> str:
    """Kill -9 a writer and return what it had still said."""
    assert process.stdout is not None
    process.kill()
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    return rest


def test_fifty_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scene.t2e"
    Scene.create(path, 1.0).close()
    rng = random.Random(0)
    accepted: list[int] = []
    for _ in range(KILLS):
        process = start_writer(path, accepted[-1] + 1 if accepted else 0)
        assert process.stdout is not None
        # One to three changes are waited for, so that a slow machine tests as much as a fast one; then at any moment.
        out = "".join(process.stdout.readline() for _ in range(rng.randint(1, 3)))
        time.sleep(rng.uniform(0, 0.04))
        out += kill(process)
        # The last line may be torn by the kill; what was said in full was accepted.
        said = [int(line) for line in out.split("\n")[:-1]]
        with Scene.open(path) as scene:
            seeds = [step.request["seed"] for step in scene.history()]
            assert seeds[: len(accepted)] == accepted
            new = seeds[len(accepted) :]
            assert new[: len(said)] == said
            assert len(new) <= len(said) + 1  # at most the one that was accepted but not said yet
            accepted = seeds
            if accepted:
                last = numbered_change(accepted[-1])
                patch = scene.read(last.rect, last.layer)
                assert np.array_equal(patch.pixels, last.pixels)
                assert np.array_equal(patch.latents, last.latents)
    assert len(accepted) >= KILLS
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    replay = tmp_path / "replay.t2e"
    everything = Rect(-768, -768, 1536, 1536)
    with Scene.open(path) as scene, Scene.create(replay, 1.0) as expected:
        for seed in accepted:
            expected.accept(numbered_change(seed))
        for layer in LAYERS:
            assert np.array_equal(scene.read(everything, layer).pixels, expected.read(everything, layer).pixels)
            assert np.array_equal(scene.read(everything, layer).latents, expected.read(everything, layer).latents)


def test_a_scene_killed_while_being_created_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    program = "import sys; from canvas import Scene; print(flush=True); Scene.create(sys.argv[1], 1.0)"
    rng = random.Random(1)
    for number in range(10):
        path = tmp_path / f"{number}.t2e"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        process.communicate()
        if path.exists():
            with Scene.open(path) as scene:
                assert scene.summary()["empty"]


def test_two_processes_and_many_threads_share_one_file(tmp_path: Path) -> None:
    """Another process writes, threads here write and read; every change lands once, every read is one moment."""
    path = tmp_path / "scene.t2e"
    rect = Rect(4096, -128, 256, 256)  # over a tile border, far from where the other process writes
    with Scene.create(path, 1.0) as scene:
        process = start_writer(path, 100_000)
        problems: list[str] = []
        done = threading.Event()

        def write(first: int) -> None:
            for n in range(first, first + 8):
                change = numbered_change(n)
                flat = np.full((rect.h, rect.w, 3), n, np.uint8)
                ones = np.ones((rect.h, rect.w), bool)
                cells = np.ones((rect.h // 8, rect.w // 8), bool)
                latents = np.full((4, *cells.shape), n, np.float32)
                scene.accept(type(change)(change.request, "rgb", rect, flat, ones, latents, cells))
                time.sleep(0.03)  # SQLite's lock is not a queue: leave the other process a gap

        def read() -> None:
            while not done.is_set():
                patch = scene.read(rect)
                if patch.valid.any() and len(np.unique(patch.pixels)) != 1:
                    problems.append("a read saw half of a change")
                if patch.valid.any() and not np.all(patch.latents == patch.pixels[0, 0, 0]):
                    problems.append("latents and pixels of different changes")
                scene.tile_webp("rgb", 3, 2, 0)

        while process.poll() is None and not scene.history(newest=1):  # it takes a moment to start
            time.sleep(0.05)
        writers = [threading.Thread(target=write, args=(first,)) for first in (0, 50, 100)]
        readers = [threading.Thread(target=read) for _ in range(3)]
        for thread in writers + readers:
            thread.start()
        for thread in writers:
            thread.join()
        done.set()
        for thread in readers:
            thread.join()
        out = kill(process)
        assert problems == []
        seeds = [step.request["seed"] for step in scene.history()]
        ours = [seed for seed in seeds if seed < 100_000]
        theirs = [seed for seed in seeds if seed >= 100_000]
        assert sorted(ours) == [*range(0, 8), *range(50, 58), *range(100, 108)]
        assert theirs[: out.count("\n")] == [int(line) for line in out.split("\n")[:-1]]
        assert theirs
        assert scene.revision == len(seeds)


def test_another_process_holding_the_file_is_named_not_waited_for_ever(
    tmp_path: Path, make_change, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("canvas.scene_file.database._BUSY_SECONDS", 0.05)
    path = tmp_path / "scene.t2e"
    with Scene.create(path, 1.0) as scene:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SceneError, match="another program"):
            scene.accept(make_change(Rect(0, 0, 8, 8)))
        other.close()
        scene.accept(make_change(Rect(0, 0, 8, 8)))
        assert scene.revision == 1
