"""Training: runs resume where they stopped, each objective can learn, and the shipped model listens to its prompts."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data.captions import clean, describe
from text2earth_core.data.corpus import Picture, load_corpus, random_crop
from text2earth_core.folder import read_facts, write_facts
from text2earth_core.networks.presets import get_preset
from text2earth_core.training import checkpoint
from text2earth_core.training.diffusion import DiffusionObjective, train_diffusion
from text2earth_core.training.loop import Schedule, fit, learning_rate_factor
from text2earth_core.training.masks import random_mask
from text2earth_core.training.text import train_text
from text2earth_core.training.vae import TextureObjective, train_vae

ROOT = Path(__file__).parents[2]
PRODUCT_MODEL = ROOT / "assets" / "models" / "text2earth-mini"
OVERFIT = 16 * 160
"""Samples after which a tiny UNet knows a handful of images."""

pytestmark = pytest.mark.timeout(1800)  # it trains, which takes minutes on a slow or busy processor


@pytest.fixture
def tiny_parts(tmp_path):
    """A folder with everything of a tiny model that diffusion training starts from."""
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def first_and_last(out, name, figure="loss"):
    lines = [json.loads(line) for line in (out / "runs" / name / "metrics.jsonl").read_text().splitlines()]
    return lines[0][figure], np.mean([line[figure] for line in lines[-3:]])


def test_fidelity_objective_overfits(few_images, tmp_path):
    train_vae("tiny", few_images, tmp_path, samples=16 * 160)
    first, last = first_and_last(tmp_path, "vae-fidelity")
    assert last <= 0.5 * first


def test_texture_objective_overfits_and_leaves_the_encoder(few_images, tmp_path):
    train_vae("tiny", few_images, tmp_path, samples=16 * 40)
    model_before = checkpoint.load_file(tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    train_vae("tiny", few_images, tmp_path, samples=12 * 140, stage="texture")
    model_after = checkpoint.load_file(tmp_path / "vae" / "diffusion_pytorch_model.safetensors")
    first, last = first_and_last(tmp_path, "vae-texture", "distance")  # its loss plays against a learning critic
    assert last <= 0.5 * first
    first, last = first_and_last(tmp_path, "vae-texture", "energy")
    assert last < first
    for name, tensor in model_before.items():
        if name.startswith("encoder"):
            torch.testing.assert_close(model_after[name], tensor, rtol=1e-5, atol=1e-5)


def test_each_data_set_gets_its_own_amount_of_finest_detail_back():
    pixels = np.zeros((96, 96, 3), np.uint8)
    corpus = [Picture(pixels, "", (), None, source) for source in ("plain", "sharpened")]
    objective = TextureObjective(Text2Earth.from_preset("tiny").codec.vae, corpus, corpus)
    target, sources = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 0, 1])
    amount = torch.tensor([0.5, 2.0], requires_grad=True)  # of detail: too little of one, too much of the other
    output = target * amount[sources, None, None, None]
    for _ in range(100):
        objective.balance(output.detach(), target, sources)
    objective.balance(output, target, sources).backward()
    assert amount.grad[0] < 0 < amount.grad[1]


def test_text_objective_overfits(few_images, tmp_path):
    train_text("tiny", few_images, tmp_path, samples=96 * 60)
    first, last = first_and_last(tmp_path, "text")
    assert last <= 0.5 * first


@pytest.fixture(scope="module")
def overfitted(few_images, tmp_path_factory):
    """A tiny model that was trained on the few images until it knew them; to be copied, not trained on."""
    out = tmp_path_factory.mktemp("overfitted") / "model"
    Text2Earth.from_preset("tiny").save_pretrained(out)
    train_diffusion("tiny", few_images, out, samples=OVERFIT, batch=16, learning_rate=3e-3)
    return out


def test_diffusion_objective_overfits(overfitted):
    first, last = first_and_last(overfitted, "diffusion")
    assert last <= 0.5 * first
    assert Text2Earth.from_pretrained(overfitted).facts.samples == OVERFIT
    run = overfitted / "runs" / "diffusion"
    (measured,) = (json.loads(line) for line in (run / "measured.jsonl").read_text().splitlines())
    assert measured["samples"] == OVERFIT
    # Its held-back pictures are the trained ones: it has learned where in the noise they are.
    assert measured["error_y_snr_0.2"] < 0.5
    assert (run / "from_noise.png").is_file()


def test_a_model_is_trained_further(few_images, tiny_parts, tmp_path):
    out = tmp_path / "mine"
    train_diffusion("tiny", few_images, out, samples=4, window=64, batch=4, learning_rate=0.0, start=tiny_parts)
    for part in ("vae", "text_encoder", "unet"):
        (ours,) = (out / part).glob("*.safetensors")
        (theirs,) = (tiny_parts / part).glob("*.safetensors")
        before = checkpoint.load_file(theirs)
        for name, tensor in checkpoint.load_file(ours).items():
            torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)
    with pytest.raises(Text2EarthError, match='not of the preset "mini"'):
        train_diffusion("mini", few_images, tmp_path / "other", samples=4, window=64, start=tiny_parts)
    assert not (tmp_path / "other").exists()


def test_an_interrupted_run_goes_on_where_it_was(few_images, overfitted, tmp_path):
    out = shutil.copytree(overfitted, tmp_path / "model")
    _, before = first_and_last(out, "diffusion")
    wanted = OVERFIT + 16 * 40
    with pytest.raises(Text2EarthError, match="--resume"):
        train_diffusion("tiny", few_images, out, samples=wanted, batch=16)
    end = train_diffusion("tiny", few_images, out, samples=wanted, batch=16, learning_rate=2e-3, resume=True)
    assert end["samples"] == wanted
    lines = [json.loads(line) for line in (out / "runs" / "diffusion" / "metrics.jsonl").read_text().splitlines()]
    samples = [line["samples"] for line in lines]
    assert samples == sorted(samples)
    assert samples[-1] > OVERFIT
    assert lines[-1]["loss"] < 1.5 * before  # no jump back to the untrained loss


def test_a_checkpoint_is_whole_or_not_there(tmp_path):
    folder = tmp_path / "checkpoint"
    assert checkpoint.load_checkpoint(folder) is None
    first, second = ({"samples": number, "seconds": 1.5, "before": 7} for number in (1, 2))
    checkpoint.save_checkpoint(folder, {"a": torch.ones(2)}, first)
    checkpoint.save_checkpoint(folder, {"a": torch.zeros(2)}, second)
    (tmp_path / "checkpoint.new").mkdir()  # what a killed writer leaves
    tensors, state = checkpoint.load_checkpoint(folder)
    assert state == second
    assert tensors["a"].sum() == 0
    (folder / "tensors.safetensors").write_bytes(b"no")
    with pytest.raises(Text2EarthError, match="damaged"):
        checkpoint.load_checkpoint(folder)
    for damage in ("", "{}", "null", '{"samples": "x", "seconds": 1}'):
        (folder / "state.json").write_text(damage)
        with pytest.raises(Text2EarthError, match="damaged"):
            checkpoint.load_state(folder)


def test_a_writer_killed_twice_leaves_a_checkpoint(tmp_path, monkeypatch):
    """Once between its two renames, and once more before its next."""
    folder = tmp_path / "checkpoint"
    state = {"samples": 1, "seconds": 1.5, "before": 0}
    checkpoint.save_checkpoint(folder, {"a": torch.ones(2)}, state)
    (tmp_path / "checkpoint.new").mkdir()
    folder.rename(tmp_path / "checkpoint.old")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save_checkpoint(folder, {"a": torch.zeros(2)}, state | {"samples": 2})
    tensors, found = checkpoint.load_checkpoint(folder)
    assert found == state
    assert tensors["a"].sum() == 2


def test_an_optimizer_of_other_weights_is_told():
    ours, theirs = (torch.optim.AdamW([torch.nn.Parameter(torch.ones(size))]) for size in (3, 4))
    for optimizer in (ours, theirs):
        (parameter,) = optimizer.param_groups[0]["params"]
        parameter.grad = torch.ones_like(parameter)
        optimizer.step()
    tensors = checkpoint.optimizer_tensors(theirs, "o")
    for wrong in (tensors, {"o.first.exp_avg": torch.ones(3)}, {"o.9.exp_avg": torch.ones(3)}):
        with pytest.raises(Text2EarthError, match="another optimizer"):
            checkpoint.restore_optimizer(ours, wrong, "o")


def test_a_resumed_run_meets_new_noise(few_images, tiny_parts):
    drawn = []

    class Watched(DiffusionObjective):
        def loss(self, batch, seen):
            drawn.append(torch.get_rng_state())
            return super().loss(batch, seen)

    for number in (1, 2):
        objective = Watched(get_preset("tiny"), tiny_parts, load_corpus(few_images), 64)
        fit(objective, tiny_parts, Schedule(None, 8 * number, batch=8, learning_rate=1e-3), resume=number > 1)
    assert not torch.equal(*drawn)


def test_a_model_trained_further_keeps_its_facts_and_counts_on(few_images, tiny_parts, tmp_path):
    facts = replace(read_facts(tiny_parts), samples=1000, guidance=5.0, noise_kept=0.05, student_samples=9)
    write_facts(tiny_parts, facts)
    train_diffusion("tiny", few_images, tmp_path / "more", samples=8, batch=8, start=tiny_parts)
    train_diffusion("tiny", few_images, tmp_path / "more", samples=16, batch=8, resume=True)
    found = read_facts(tmp_path / "more")
    assert (found.samples, found.student_samples, found.guidance, found.noise_kept) == (1016, 0, 5.0, 0.05)


def test_a_run_needs_a_budget_and_parts(few_images, tmp_path):
    with pytest.raises(Text2EarthError, match="--minutes"):
        Schedule(None, None, batch=1, learning_rate=1e-3)
    for nothing in ({"minutes": 0.0, "samples": None}, {"minutes": 1.0, "samples": 0}):
        with pytest.raises(Text2EarthError, match="more than zero"):
            Schedule(**nothing, batch=1, learning_rate=1e-3)
    with pytest.raises(Text2EarthError, match="train vae"):
        train_diffusion("tiny", few_images, tmp_path, samples=16)
    with pytest.raises(Text2EarthError, match="no data folder"):
        train_vae("tiny", tmp_path / "nowhere", tmp_path, samples=16)


def test_a_loss_that_is_not_a_number_stops_the_run(few_images, tiny_parts):
    class Broken(DiffusionObjective):
        def loss(self, batch, seen):
            loss, figures = super().loss(batch, seen)
            return loss * float("nan"), figures

    objective = Broken(get_preset("tiny"), tiny_parts, load_corpus(few_images), 64)
    with pytest.raises(Text2EarthError, match="not a number"):
        fit(objective, tiny_parts, Schedule(None, 64, batch=16, learning_rate=1e-3), resume=False)


def test_learning_rate_rises_holds_and_falls():
    schedule = Schedule(None, 100_000, batch=100, learning_rate=1.0, warmup=10_000, decay=0.2)
    factors = [learning_rate_factor(schedule, seen, seen / 100_000) for seen in (0, 5_000, 50_000, 90_000, 100_000)]
    assert factors == pytest.approx([0.01, 0.51, 1.0, 0.5, 0.01], abs=0.01)


def test_crops_are_never_enlarged_and_carry_their_true_resolution():
    rng = np.random.default_rng(0)
    picture = Picture(rng.integers(0, 255, (200, 300, 3), np.uint8), "forest", (), 0.5, "x")
    for _ in range(50):
        crop, resolution = random_crop(picture, 128, rng)
        assert crop.shape == (128, 128, 3)
        assert 0.5 <= resolution <= 0.5 * 200 / 128
    with pytest.raises(Text2EarthError, match="must not be enlarged"):
        random_crop(picture, 256, rng)


def test_masks_are_of_the_canvas_kinds():
    rng = np.random.default_rng(0)
    masks = [random_mask(16, rng) for _ in range(600)]
    assert all(set(np.unique(mask)) <= {0.0, 1.0} and mask.any() for mask in masks)
    assert np.mean([mask.all() for mask in masks]) == pytest.approx(0.4, abs=0.06)


def test_captions_lose_level_prefix_and_full_stop():
    assert clean("17_GOOGLE_LEVEL_many  trees near a river .") == "many trees near a river"
    picture = Picture(np.zeros((1, 1, 3), np.uint8), "grass", (), None, "x")
    assert describe(picture, np.random.default_rng(0)) != "grass", "a class goes by its common name"


@pytest.mark.needs_data
def test_shuffled_prompts_raise_the_trained_models_loss(training_data):
    model = Text2Earth.from_pretrained(PRODUCT_MODEL, device="cpu", dtype="float32")
    objective = DiffusionObjective(get_preset("mini"), PRODUCT_MODEL, load_corpus(training_data, "val", limit=40), 128)
    objective.trainable = model.unet
    batch = objective.batch(48, np.random.default_rng(1))
    batch["masks"] = torch.ones_like(batch["masks"])
    shuffled = batch | {"texts": batch["texts"][7:] + batch["texts"][:7]}
    errors = []
    for one in (batch, shuffled):
        torch.manual_seed(3)
        with torch.no_grad():
            errors.append(np.mean([objective.loss(dict(one), 0)[1]["error_full_mask"] for _ in range(2)]))
    assert errors[1] > errors[0]
