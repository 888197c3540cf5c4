"""Haze: what physics gives back where its depth is known, and that a network learns to see how deep it is."""

import cv2
import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth
from text2earth_core.data.corpus import load_corpus
from text2earth_core.training.lessons import Lessons
from text2earth_core.training.translator import train_translator
from text2earth_core.training.veil import VeilObjective
from text2earth_core.translation.condition import condition_of
from text2earth_core.translation.fog import Fog
from text2earth_core.translation.holding import hold
from text2earth_core.translation.tasks import get_task
from text2earth_core.translation.veil import COLOUR, Veil

TASK = get_task("dehaze")


@pytest.fixture(scope="module")
def clear():
    """Ground of many colours and scales, uint8 (96, 128, 3)."""
    rng = np.random.default_rng(0)
    layers = [
        cv2.resize(rng.normal(0, size, (h, 4 * h // 3, 3)).astype(np.float32), (128, 96), interpolation=cv2.INTER_CUBIC)
        for h, size in ((6, 40), (24, 20), (96, 8))
    ]
    return (110 + sum(layers)).clip(0, 255).astype(np.uint8)


def test_haze_of_a_known_depth_is_taken_away(student_folder, clear):
    model = Text2Earth.from_pretrained(student_folder, "cpu", "float32")
    fog = Fog((230 / 255, 225 / 255, 220 / 255), 0.9, 0.0, 32.0, 1)
    known = np.ones(clear.shape[:2], bool)
    condition = condition_of(TASK, fog.over(clear), known, model.encode, model.codec.grey)[None]
    airlight = np.broadcast_to(np.rint(255 * np.array(fog.airlight)), (8, 8, 3)).astype(np.uint8)
    of_airlight, wanted = model.encode(airlight)[None, :COLOUR], model.encode(clear)[:COLOUR]
    cleared = Veil.cleared(condition, torch.full((1, 1, 12, 16), fog.depth), of_airlight)[0, :COLOUR]
    assert (cleared - wanted).abs().max() < 0.05
    assert (condition[0, :COLOUR] - wanted).abs().max() > 1


def test_details_under_haze_come_back_as_strong_as_the_ground_is_clear(clear):
    fog = Fog((0.9, 0.9, 0.9), 1.4, 0.2, 48.0, 2)
    hazy, everywhere = fog.over(clear), np.ones(clear.shape[:2], bool)
    cells = cv2.resize(clear, (16, 12), interpolation=cv2.INTER_AREA)
    blocks = cv2.resize(cells, (128, 96), interpolation=cv2.INTER_NEAREST)

    def off(pixels):
        return np.abs(pixels.astype(int) - clear).mean()

    assert off(hold(TASK, blocks, hazy, everywhere)) < 0.4 * off(blocks) < 0.4 * off(hazy)


def test_the_last_pixels_of_a_map_are_cleared_like_those_beside_them(clear):
    """Where a map ends within a cell, that cell's mean is of what is beyond as well."""
    fog = Fog((0.9, 0.9, 0.9), 1.4, 0.0, 48.0, 2)
    known = np.zeros(clear.shape[:2], bool)
    known[:91, :125] = True
    cells = cv2.resize(clear, (16, 12), interpolation=cv2.INTER_AREA)
    made = cv2.resize(cells, (128, 96), interpolation=cv2.INTER_NEAREST)
    made[88:], made[:, 120:] = 128, 128
    held = hold(TASK, made, np.where(known[..., None], fog.over(clear), 0).astype(np.uint8), known)
    off = np.abs(held.astype(int) - clear).mean(2)
    assert np.array_equal(held[~known], made[~known])
    assert off[88:91, :125].mean() < 15
    assert off[:91, 120:125].mean() < 15
    assert hold(TASK, made[:8, :8], fog.over(clear)[:8, :8], known[88:96, :8]).shape == (8, 8, 3)


def test_it_learns_how_deep_haze_is(tmp_path, student_folder, few_images):
    corpus = load_corpus(few_images, limit=4)
    objective = VeilObjective(student_folder, Lessons([TASK.name], corpus, {TASK.name: []}, {}, 64), corpus)
    batch = objective.batch(16, np.random.default_rng(99))
    before = objective.loss(batch, 0)[1]
    given = {"start": student_folder, "tasks": [TASK.name], "window": 64, "batch": 8, "limit": 4}
    train_translator("tiny", few_images, tmp_path / "translator", samples=120, **given)
    objective.trainable.load_state_dict(Veil.load(tmp_path / "translator").float().state_dict())
    after = objective.loss(batch, 0)[1]
    assert all(after[name] < 0.7 * before[name] for name in ("picture", "depth")), (before, after)
