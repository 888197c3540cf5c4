"""The student's critic: it tells pictures apart, teaches the student and nothing else, and lets no colour drift."""

import shutil
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data.corpus import load_corpus
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.networks.critic import CriticHeads, hinge
from text2earth_core.networks.eyes import SCALES
from text2earth_core.training import critic
from text2earth_core.training.augment import augment
from text2earth_core.training.critic import CriticObjective, refine_student
from text2earth_core.training.student import COARSE, train_student


@pytest.fixture(scope="module")
def taught(tmp_path_factory, few_images):
    """A tiny model whose student has begun to learn."""
    folder = tmp_path_factory.mktemp("taught") / "model"
    Text2Earth.from_preset("tiny").save_pretrained(folder)
    train_student("tiny", few_images, folder, samples=8, batch=4, learning_rate=2e-3)
    shutil.rmtree(folder / "runs")
    return folder


@pytest.fixture
def objective(taught, few_images, monkeypatch):
    monkeypatch.setattr(critic, "ALONE", 0)
    return CriticObjective(taught, taught, load_corpus(few_images), 64)


def copy_of(model, place):
    return shutil.copytree(model, place)


def test_gradients_reach_the_students_adapter_only(objective):
    objective.loss(objective.batch(4, np.random.default_rng(0)), 0)[0].backward()
    reached = [name for name, p in objective.trainable.named_parameters() if p.grad is not None and p.grad.any()]
    assert reached
    assert all("lora" in name for name in reached)
    for other in (objective.eyes, objective.before, objective.windows.vae, objective.windows.text.encoder):
        assert all(p.grad is None for p in other.parameters())


def test_each_of_the_students_steps_is_taught(objective):
    """What is laid out in the first step decides where an edge can be, so the last alone must not get the gradient."""
    given = objective.windows.condition(objective.batch(2, np.random.default_rng(0)), torch.device("cpu"))
    estimates, plain = [], objective.estimate

    def estimate(*args):
        found = plain(*args)
        if len(args) == 3:  # the student's, and not that of what it was before
            found.retain_grad()
            estimates.append(found)
        return found

    objective.estimate = estimate
    objective.picture(objective.draw(given)[0]).square().sum().backward()
    assert len(estimates) == 4
    assert all(one.grad.any() for one in estimates)


def test_known_ground_is_untouched_in_what_the_critic_sees(objective):
    batch = objective.batch(4, np.random.default_rng(0))
    batch["masks"][:] = 1
    batch["masks"][..., :3] = 0
    given = objective.windows.condition(batch, torch.device("cpu"))
    drawn, _, _ = objective.draw(given)
    assert torch.equal(drawn[..., :3], given.clean[..., :3])
    assert not torch.equal(drawn[..., 3:], given.clean[..., 3:])


def test_nothing_pulls_a_student_that_is_what_it_was_but_the_critic(objective, monkeypatch):
    monkeypatch.setattr(critic, "PULL", 0.0)
    loss, figures = objective.loss(objective.batch(4, np.random.default_rng(0)), 0)
    assert loss.item() == pytest.approx(0, abs=1e-4)
    assert figures["pull"] > 0


def test_heads_learn_alone_at_first(taught, few_images, tmp_path, monkeypatch):
    monkeypatch.setattr(critic, "ALONE", 8)
    out = copy_of(taught, tmp_path / "model")
    before = load_file(out / "student" / WEIGHTS_FILE)
    refine_student("tiny", few_images, out, samples=8, batch=4, learning_rate=1e-2)
    after = load_file(out / "student" / WEIGHTS_FILE)
    assert all(torch.equal(before[name], after[name]) for name in before)
    tensors = load_file(out / "runs" / "critic" / "checkpoint" / "tensors.safetensors")
    fresh = CriticHeads(32).state_dict()
    assert not torch.equal(tensors["heads.heads.0.body.0.bias"], fresh["heads.0.body.0.bias"])


def test_a_resumed_run_goes_on_with_the_same_critic_and_the_same_model_to_stay_near_to(
    taught, few_images, tmp_path, monkeypatch
):
    monkeypatch.setattr(critic, "ALONE", 4)
    out = copy_of(taught, tmp_path / "model")
    refine_student("tiny", few_images, out, samples=12, batch=4, learning_rate=1e-2)
    first = load_file(out / "runs" / "critic" / "checkpoint" / "tensors.safetensors")
    ours, theirs = (load_file(model / "student" / WEIGHTS_FILE) for model in (out, taught))
    assert any(not torch.equal(ours[name], theirs[name]) for name in theirs)
    with pytest.raises(Text2EarthError, match="--resume"):
        refine_student("tiny", few_images, out, samples=16, batch=4)
    resumed = []
    restore = CriticObjective.restore_extras

    def restored(self, tensors):
        restore(self, tensors)
        resumed.append({name: tensor.clone() for name, tensor in self.extras().items()})

    monkeypatch.setattr(CriticObjective, "restore_extras", restored)
    result = refine_student("tiny", few_images, out, samples=16, batch=4, resume=True)
    assert result["samples"] == 16
    assert resumed[0].keys() <= first.keys()
    assert all(torch.equal(tensor, first[name]) for name, tensor in resumed[0].items())
    assert Text2Earth.from_pretrained(out).facts.student_samples == 8 + 16


def test_colours_are_held_while_the_critic_changes_what_is_drawn(objective, monkeypatch):
    """Where one mean colour would please the critic more, what is drawn changes by cells and not by squares."""
    batch = objective.batch(4, np.random.default_rng(0))
    batch["masks"][:] = 1
    weights = [p for p in objective.trainable.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=2e-3)

    def drawn():
        torch.manual_seed(0)
        with torch.no_grad():
            return objective.draw(objective.windows.condition(batch, torch.device("cpu")))[0]

    before = drawn()
    for _ in range(15):
        optimizer.zero_grad()
        objective.loss(batch, 0)[0].backward()
        optimizer.step()
    moved = drawn() - before
    squares = F.avg_pool2d(moved, min(COARSE, moved.shape[-1]))
    assert squares.square().mean() < 0.1 * moved.square().mean()


def test_heads_tell_pictures_apart_and_texts_that_fit(taught, few_images):
    """Stripes from blots of the same colours, and which of two kinds of stripes a text speaks of."""
    from text2earth_core.networks.eyes import Eyes

    eyes, heads, rng = Eyes(), CriticHeads(8), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(heads.parameters(), lr=2e-3)
    texts = torch.eye(8)[:2, None].repeat(4, 1, 1)

    def stripes():
        pictures = torch.rand(8, 3, 64, 64, generator=rng) * 0.2 + 0.4
        pictures[::2, :, ::8] = 1
        pictures[1::2, :, :, ::8] = 1
        return pictures

    def blots():
        return F.interpolate(torch.rand(8, 3, 8, 8, generator=rng), size=(64, 64))

    for _ in range(60):
        with torch.no_grad():
            real, drawn = eyes(stripes()), eyes(blots())
        heads.measure(real)
        crossed = heads(real, texts.roll(1, 0))
        loss = hinge(heads(real, texts), heads(drawn, texts)) + hinge(heads(real, texts), crossed)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        real, drawn = eyes(stripes()), eyes(blots())
        own, crossed, other = (
            torch.stack([s.mean((1, 2, 3)) for s in heads(maps, text)]).mean(0)
            for maps, text in ((real, texts), (real, texts.roll(1, 0)), (drawn, texts))
        )
    assert (own > other).all()
    assert (own > crossed).all()


def test_a_missing_package_is_one_sentence_before_any_work(taught, few_images, tmp_path, monkeypatch):
    out = copy_of(taught, tmp_path / "model")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(Text2EarthError, match=r"need the package timm"):
        refine_student("tiny", few_images, out, samples=4)
    assert not (out / "runs").exists()


def test_a_model_without_student_is_told_to_train_one(taught, few_images, tmp_path):
    out = copy_of(taught, tmp_path / "model")
    shutil.rmtree(out / "student")
    with pytest.raises(Text2EarthError, match="no student to refine"):
        refine_student("tiny", few_images, out, samples=4)


def test_augmentation_keeps_shapes_and_passes_gradients():
    pixels = torch.rand(3, 3, 64, 64, requires_grad=True)
    shown = augment(pixels)
    assert shown.shape == pixels.shape
    shown.square().sum().backward()
    assert (pixels.grad.abs().amax((1, 2, 3)) > 0).all()
    flat = augment(torch.full((4, 3, 64, 64), 0.5))
    assert (flat.std((2, 3)) < 1e-5).all()  # nothing is drawn into a picture


def test_heads_score_parts_at_every_scale():
    maps = [torch.randn(2, channels, 128 // s, 128 // s) for channels, s in zip(SCALES, (4, 8, 16, 32), strict=True)]
    scores = CriticHeads(8)(maps, torch.randn(2, 5, 8))
    assert [tuple(s.shape[1:]) for s in scores] == [(1, 8, 8), (1, 8, 8), (1, 8, 8), (1, 4, 4)]
