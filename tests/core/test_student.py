"""The few-step student: it learns the teacher's path, travels with the model folder, and obeys the canvas's rules."""

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from tests.core.official_layout import write_official_layout
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data.corpus import load_corpus
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.training.diffusion import train_diffusion
from text2earth_core.training.student import StudentObjective, train_student

pytestmark = pytest.mark.timeout(1800)  # it trains, which takes minutes on a slow or busy processor

LEARNED = 8 * 120


@pytest.fixture(scope="module")
def forests(tmp_path_factory, few_images):
    """The pictures of one kind: of several, a tiny teacher takes this one or that for the same noise and prompt, and
    which it is hangs on how a processor rounds; then no student's leap from there can be right everywhere."""
    folder = tmp_path_factory.mktemp("forests")
    for file in few_images.glob("*.parquet"):
        rows = [row for row in pq.read_table(file).to_pylist() if row["label"] == "forest"]
        pq.write_table(pa.Table.from_pylist(rows), folder / file.name)
    return folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory, forests):
    """A tiny model with a student of its own.

    Its teacher learns no longer than it needs to: much longer, and four steps of its own are hardly worse than twenty,
    so that there is little for a student to learn.
    """
    folder = tmp_path_factory.mktemp("taught") / "model"
    Text2Earth.from_preset("tiny").save_pretrained(folder)
    train_diffusion("tiny", forests, folder, samples=16 * 200, batch=16, learning_rate=1.5e-3)
    train_student("tiny", forests, folder, samples=LEARNED, batch=8, learning_rate=2e-3)
    return folder


def test_student_comes_nearer_to_the_teacher_than_the_teacher_itself_in_as_few_steps(taught):
    model = Text2Earth.from_pretrained(taught, device="cpu", dtype="float32")

    def windows(**settings):
        sampling, new = Sampling(resolution=0.5, **settings), {"known": None, "mask": None}
        return torch.stack(
            [model.denoise("forest", sampling, noise=world_noise(seed, 0, 0, 8, 8), **new) for seed in range(12)]
        )

    whole = windows(steps=20)
    leaps, few = windows(sampler="fast"), windows(steps=4)
    off, off_few = ((made - whole).square().mean((1, 2, 3)) for made in (leaps, few))
    assert (off < 0.7 * off_few).all(), off / off_few


def test_student_is_saved_and_loaded_with_its_model(taught, tmp_path):
    model = Text2Earth.from_pretrained(taught, device="cpu", dtype="float32")
    assert model.info.samplers == ("quality", "fast")
    assert model.facts.student_samples == LEARNED
    model.save_pretrained(tmp_path / "copy")
    copy = Text2Earth.from_pretrained(tmp_path / "copy", device="cpu", dtype="float32")
    first, second = (np.asarray(m.generate("forest", sampler="fast", seed=3)[0]) for m in (model, copy))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, np.asarray(model.generate("forest", sampler="quality", steps=4, seed=3)[0]))


def test_known_latents_pass_through_the_fast_sampler_untouched(taught):
    model = Text2Earth.from_pretrained(taught, device="cpu")
    known, mask = torch.randn(4, 8, 8), torch.zeros(8, 8)
    mask[:, 4:] = 1
    fast = Sampling(resolution=0.5, sampler="fast")
    made = model.denoise("forest", fast, known=known, mask=mask, noise=world_noise(1, 0, 0, 8, 8))
    assert torch.equal(made[:, :, :4], known[:, :, :4])
    assert not torch.equal(made[:, :, 4:], known[:, :, 4:])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"sampler": "fast", "steps": 9}, "4 steps"),
        ({"sampler": "fast", "guidance": 3.0}, "built in"),
        ({"sampler": "turbo"}, 'no sampler "turbo"'),
    ],
)
def test_what_the_fast_sampler_cannot_do_is_said(taught, settings, sentence):
    with pytest.raises(Text2EarthError, match=sentence):
        Text2Earth.from_pretrained(taught).generate("forest", **settings)


def test_a_model_without_student_says_so(tiny_folder):
    with pytest.raises(Text2EarthError, match='no sampler "fast"'):
        Text2Earth.from_pretrained(tiny_folder).generate("forest", sampler="fast")


def test_a_student_of_another_unet_is_refused(taught, tmp_path):
    other = Text2Earth.from_pretrained(taught, device="cpu")
    other.student.adapter = {name: tensor[:1].clone() for name, tensor in other.student.adapter.items()}
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(Text2EarthError, match="student"):
        Text2Earth.from_pretrained(tmp_path / "other")


def test_a_student_is_trained_further(taught, few_images, tiny_folder, tmp_path):
    out = tmp_path / "mine"
    shutil.copytree(taught, out, ignore=shutil.ignore_patterns("student", "runs"))
    train_student("tiny", few_images, out, samples=4, batch=4, learning_rate=0.0, start=taught)
    ours, theirs = (load_file(folder / "student" / WEIGHTS_FILE) for folder in (out, taught))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    with pytest.raises(Text2EarthError, match="cannot be trained further"):
        train_student("tiny", few_images, tmp_path / "mine", samples=4, start=tiny_folder)


def test_a_checkpoint_in_the_middle_of_a_run_does_not_disturb_it(taught, few_images):
    objective = StudentObjective(taught, load_corpus(few_images), 64)
    batch = objective.batch(4, np.random.default_rng(0))
    torch.manual_seed(0)
    before, _ = objective.loss(batch, 0)
    objective.grid(objective.trainable)
    torch.manual_seed(0)
    after, _ = objective.loss(batch, 4)
    assert torch.equal(before, after)


@pytest.mark.parametrize("channels", [4, 9])
def test_a_model_of_the_official_layout_gets_a_student(few_images, tmp_path, channels):
    """In one call, which copies it first; afterwards it samples along even angles, with both samplers."""
    teacher = write_official_layout(tmp_path / "official", channels)
    out = tmp_path / "out"
    train_student("text2earth", few_images, out, teacher=teacher, samples=8, batch=4, window=64, device="cpu")
    assert not (teacher / "student").exists()
    model = Text2Earth.from_pretrained(out, device="cpu", dtype="float32")
    assert model.info.samplers == ("quality", "fast")
    assert model.facts.multistep
    image = np.asarray(model.generate("forest", sampler="fast", size=64)[0])
    assert image.std() > 0
