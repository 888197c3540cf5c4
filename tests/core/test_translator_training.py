"""Training a translator: what it learns from, what stays frozen, and that it goes on where it was."""

import shutil

import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data.corpus import load_corpus
from text2earth_core.simulation.networks import nir_network
from text2earth_core.simulation.pairs import load_pairs
from text2earth_core.simulation.simulators import Light, Simulator
from text2earth_core.training.first_guess import FirstGuessObjective
from text2earth_core.training.lessons import Lessons
from text2earth_core.training.translator import TranslatorObjective, train_translator
from text2earth_core.translation.translator import read_manifest
from text2earth_core.translation.trunk import Trunk

SAMPLES = 8 * 60


@pytest.fixture(scope="module")
def data(tmp_path_factory, few_images, pairs):
    """Pictures and pairs in one folder."""
    folder = tmp_path_factory.mktemp("both")
    for place in (*few_images.glob("*.parquet"), *pairs.glob("*.parquet")):
        shutil.copy(place, folder)
    return folder


@pytest.fixture(scope="module")
def simulators(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulators")
    torch.manual_seed(0)
    Simulator("nir", nir_network(), Light((90.0,) * 3, (40.0,) * 3)).save(folder / "nir")
    return folder


def test_it_trains_goes_on_and_leaves_the_model_as_it_was(tmp_path, student_folder, data, simulators):
    given = {"start": student_folder, "simulators": simulators, "window": 64, "batch": 2, "device": "cpu", "limit": 4}
    out = tmp_path / "translator"
    before = {path: path.read_bytes() for path in student_folder.rglob("*.safetensors")}
    first = train_translator("tiny", data, out, samples=4, **given)
    assert first["samples"] == 4
    assert len(read_manifest(out).tasks) == 10
    assert train_translator("tiny", data, out, samples=8, resume=True, **given)["samples"] == 8
    assert {path: path.read_bytes() for path in student_folder.rglob("*.safetensors")} == before
    model = Text2Earth.from_pretrained(student_folder)
    model.translators.load(out)
    assert model.translators.tasks == read_manifest(out).tasks
    more = train_translator("tiny", data, tmp_path / "more", samples=2, further=out, tasks=["dehaze"], **given)
    assert more["samples"] == 2
    assert read_manifest(tmp_path / "more").samples == 10


def test_it_learns_what_a_source_says(tmp_path, student_folder, data):
    """With the source in sight the same noise is seen through better than by the model alone, by both samplers."""
    corpus, tasks = load_corpus(data, limit=4), ["rgb2nir"]
    pairs = {"rgb2nir": load_pairs(data, "nir", "train")}
    objective = TranslatorObjective(student_folder, Lessons(tasks, corpus, pairs, {}, 64), corpus, 64)
    held_back = {"rgb2nir": load_pairs(data, "nir", "val")}
    objective.lessons = Lessons(tasks, corpus, held_back, {}, 64)
    batch = objective.batch(16, np.random.default_rng(99))

    def losses():
        found = {}
        for turn, sampler in enumerate(("fast", "quality")):
            torch.manual_seed(5)
            objective.turn = 1 - turn  # the student's turn is the even one, and it is counted first
            with torch.no_grad():
                found[sampler] = objective.loss(batch, 0)[1][f"error_{sampler}"]
        guessing.trainable.load_state_dict(objective.trainable.guess.state_dict())
        found["guess"] = guessing.loss(batch, 0)[0].item()
        return found

    guessing = FirstGuessObjective(student_folder, objective.lessons, corpus)
    before = losses()
    out = tmp_path / "translator"
    train_translator("tiny", data, out, start=student_folder, tasks=tasks, samples=SAMPLES, window=64, batch=8, limit=4)
    objective.trainable.load_state_dict(Trunk.load(out).float().state_dict())
    after = losses()
    assert all(after[sampler] < 0.9 * before[sampler] for sampler in before), (before, after)


def test_what_cannot_be_learned_is_one_sentence(tmp_path, student_folder, few_images, simulators):
    given = {"start": student_folder, "window": 64, "samples": 2}
    with pytest.raises(Text2EarthError, match="nothing to learn sar2rgb from"):
        train_translator("tiny", few_images, tmp_path, tasks=["sar2rgb"], simulators=simulators, **given)
    with pytest.raises(Text2EarthError, match="no translation 'rgb2uv'"):
        train_translator("tiny", few_images, tmp_path, tasks=["rgb2uv"], **given)
    with pytest.raises(Text2EarthError, match="holds no simulators"):
        train_translator("tiny", few_images, tmp_path, simulators=tmp_path, **given)
    with pytest.raises(Text2EarthError, match="name its preset"):
        train_translator("mini", few_images, tmp_path, **given)


def test_lessons_have_the_shapes_of_their_tasks_and_small_pairs_fill_a_crop(data):
    corpus, rng = load_corpus(data, limit=2), np.random.default_rng(0)
    names = ["pan2rgb", "rgb2nir", "pan2sar", "sar2rgb", "sr4", "dehaze"]
    pairs = {name: load_pairs(data, name.replace("rgb", "").replace("pan", "").strip("2") or "nir", "train")
             if name in ("rgb2nir", "pan2sar", "sar2rgb") else [] for name in names}  # fmt: skip
    lessons = Lessons(names, corpus, pairs, {}, 64)
    seen = set()
    for _ in range(40):
        task, example, pair = lessons.draw(corpus[0].pixels[:64, :64], rng)
        assert example.source.shape == (64, 64, task.sees.channels)
        assert example.target.shape == (64, 64, task.makes.channels)
        assert (pair is not None) == (task.name in ("rgb2nir", "pan2sar", "sar2rgb"))
        if pair is not None:
            assert example.target.reshape(64, 64, -1).std((0, 1)).max() > 0
            assert (example.target[32:, 32:] != 0).any()
        seen.add(task.name)
    assert seen == set(names)
