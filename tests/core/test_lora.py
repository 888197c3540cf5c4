"""An adapter is trained on the attention of a base that stays what it was, and both samplers take it."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.adapters.manifest import RANK, read_manifest
from text2earth_core.data.corpus import load_corpus
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.folder import load_unet
from text2earth_core.simulation.networks import sar_network
from text2earth_core.simulation.pairs import WATER, real_pictures
from text2earth_core.simulation.simulators import Light, Simulator
from text2earth_core.training.lora import TURNS, LoraObjective, train_lora

SAMPLES, RATE = 16 * 80, 1e-2


def hashes(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, few_images, student_folder):
    before, out = hashes(student_folder), tmp_path_factory.mktemp("lora") / "pan"
    result = train_lora(
        "pan", "tiny", few_images, out, start=student_folder, samples=SAMPLES, batch=16, learning_rate=RATE
    )
    assert hashes(student_folder) == before
    assert result["samples"] == SAMPLES
    return out


def test_it_learns_its_modality(trained, few_images, student_folder):
    """On the same pictures and noise, the adapted network is nearer to the truth than the base is."""
    objective = LoraObjective("pan", student_folder, load_corpus(few_images), 64)
    batch = objective.batch(32, np.random.default_rng(99))
    assert (batch["pixels"][..., :1] == batch["pixels"]).all()

    def loss():
        torch.manual_seed(5)
        with torch.no_grad():
            return float(objective.loss(batch, 0)[0])

    before = loss()
    objective.unet.load_lora_adapter(trained, prefix=None, adapter_name="trained", weight_name=WEIGHTS_FILE)
    objective.unet.set_adapter("trained")
    assert loss() < 0.97 * before


def test_it_says_what_it_is_and_both_samplers_take_it(trained, student_folder):
    manifest = read_manifest(trained)
    assert (manifest.modality, manifest.bands, manifest.rank) == ("pan", ("panchromatic",), RANK)
    assert manifest.samples == SAMPLES
    assert "rsicd" in manifest.data
    model = Text2Earth.from_pretrained(student_folder, device="cpu", dtype="float32")
    assert manifest.base == model.info.base
    model.load_adapter(trained)
    for sampler, steps in (("quality", 2), ("fast", None)):
        (image,) = model.generate("forest", sampler=sampler, steps=steps, modality="pan")
        assert image.mode == "L"
    assert all(
        tensor.dtype == torch.bfloat16 for tensor, *_ in next(iter(model._library._known.values()))[1].layers.values()
    )


def test_a_run_is_not_overwritten_and_goes_on(trained, few_images, student_folder):
    with pytest.raises(Text2EarthError, match="unfinished run"):
        train_lora("pan", "tiny", few_images, trained, start=student_folder, samples=SAMPLES, batch=16)
    lines = (trained / "runs" / "lora-pan" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["samples"] <= SAMPLES


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"modality": "rgb"}, "cannot be trained for 'rgb'"),
        ({"modality": "nir"}, "with --simulator"),
        ({"preset": "mini"}, "holds a tiny model, not mini"),
    ],
)
def test_impossible_wishes_are_refused_before_any_work(few_images, student_folder, tmp_path, change, sentence):
    asked = {"modality": "pan", "preset": "tiny", "data": few_images, "out": tmp_path / "out"} | change
    with pytest.raises(Text2EarthError, match=sentence):
        train_lora(**asked, start=student_folder, samples=16)
    assert not (tmp_path / "out").exists()


def test_simulated_and_real_pictures_take_turns(student_folder, few_images, pairs):
    """Each for some steps, with other masks, and all of them of one band."""
    simulator = Simulator("sar", sar_network(), Light((50.0,) * 3, (30.0,) * 3))
    real = [replace(picture, pixels=np.tile(picture.pixels, (2, 2, 1))) for picture in real_pictures(pairs, "sar")]
    assert {picture.label for picture in real} == {"river", "forest", "mountain", WATER}
    assert all(picture.pixels.std() == 0 for picture in real if picture.label == WATER)
    objective = LoraObjective("sar", student_folder, load_corpus(few_images), 64, simulator, real)
    batches = [objective.batch(16, np.random.default_rng(n)) for n in range(TURNS * 6)]
    assert all((batch["pixels"][..., :1] == batch["pixels"]).all() for batch in batches)
    for start in range(0, len(batches), TURNS):
        turn = batches[start : start + TURNS]
        assert all(torch.equal(batch["pixels"], turn[0]["pixels"]) for batch in turn)
        assert not all(torch.equal(batch["masks"], turn[0]["masks"]) for batch in turn)
    told = {text for batch in batches for text in batch["texts"]}
    assert any("mountain" in text or "hills" in text for text in told)
    assert any("desert" in text or "sand" in text or "dunes" in text for text in told)


def test_the_base_alone_is_what_it_was(student_folder, few_images):
    """An untrained adapter adds nothing."""
    objective = LoraObjective("pan", student_folder, load_corpus(few_images), 64)
    plain = load_unet(student_folder)
    inputs = torch.randn(1, 9, 8, 8), torch.tensor(400), torch.randn(1, 16, 32)
    with torch.no_grad():
        ours, theirs = (unet(*inputs, class_labels=torch.tensor([17.0])).sample for unet in (objective.unet, plain))
    assert (ours - theirs).abs().max() < 1e-5
