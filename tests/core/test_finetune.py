"""Fine-tuning learns a folder's pictures, holds the rest, goes on after a stop, and leaves what every door takes."""

import shutil

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from tests.core.official_layout import write_official_layout
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.data.corpus import Picture
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.folder import load_unet
from text2earth_core.training import checkpoint, finetune
from text2earth_core.training.finetune import StyleObjective
from text2earth_core.training.held_pictures import texts_of_others


@pytest.fixture(scope="module")
def stripes():
    """Eight pictures of one kind."""
    rng, found = np.random.default_rng(0), []
    for number in range(8):
        pixels = np.full((128, 128, 3), (200, 40, 40)) + rng.normal(0, 5, (128, 128, 3))
        pixels[:, :: 12 + number] = 255
        found.append(Picture(pixels.clip(0, 255).astype(np.uint8), "stripes", (), None, "mine"))
    return found


@pytest.fixture(scope="module", autouse=True)
def short():
    """Few pictures to hold: making them is most of what a test waits for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("text2earth_core.training.held_pictures.COUNT", 6)
        patch.setattr("text2earth_core.training.finetune.RATE", 1e-2)
        yield


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, stripes, student_folder):
    out = tmp_path_factory.mktemp("own") / "stripes"
    finetune.finetune(stripes, out, start=student_folder, samples=960, device="cpu")
    return out


def test_it_learns_the_pictures(tuned, stripes, student_folder):
    """On the same pictures and noise the adapted network is nearer to the truth, and near what it was on others."""
    objective = StyleObjective(student_folder, stripes, [], 64)
    batch = objective.windows.batch(32, np.random.default_rng(9)) | {"holding": False}

    def loss():
        torch.manual_seed(5)
        with torch.no_grad():
            return float(objective.loss(batch, 0)[0])

    before = loss()
    objective.unet.load_lora_adapter(tuned, prefix=None, adapter_name="trained", weight_name=WEIGHTS_FILE)
    objective.unet.set_adapter("trained")
    assert loss() < 0.95 * before


def test_every_door_takes_the_result(tuned, student_folder):
    model = Text2Earth.from_pretrained(student_folder, device="cpu", dtype="float32")
    info = model.load_adapter(tuned)
    assert (info.name, info.modality) == ("stripes", "rgb")
    assert "8 pictures of mine" in info.data
    for sampler in ("quality", "fast"):
        steps = 2 if sampler == "quality" else None
        plain, own = (
            np.asarray(model.generate("stripes", steps=steps, sampler=sampler, adapters=adapters)[0])
            for adapters in (None, {"stripes": 1.0})
        )
        assert (plain != own).any()


def test_the_same_call_goes_on_and_another_model_is_refused(tuned, stripes, student_folder, tmp_path):
    held = (tuned / "runs" / "finetune" / "held" / "000.png").stat().st_mtime_ns
    result = finetune.finetune(stripes, tuned, start=student_folder, samples=992, device="cpu")
    assert result["samples"] == 992
    assert (tuned / "runs" / "finetune" / "held" / "000.png").stat().st_mtime_ns == held, "made once"
    other = tmp_path / "other"
    Text2Earth.from_preset("tiny", seed=5).save_pretrained(other)
    with pytest.raises(Text2EarthError, match="fine-tuning of another model"):
        finetune.finetune(stripes, tuned, start=other, samples=32)
    with pytest.raises(Text2EarthError, match="is not empty"):
        finetune.finetune(stripes, other, start=student_folder, samples=32)


def test_all_weights_can_learn(tmp_path, stripes, student_folder):
    out = tmp_path / "model"
    assert finetune.finetune(stripes, out, start=student_folder, samples=64, full=True)["kind"] == "model"
    model = Text2Earth.from_pretrained(out, device="cpu", dtype="float32")
    assert model.info.samplers == ("quality",), "the student was that of the former UNet"
    before = load_unet(student_folder).state_dict()
    assert any((before[name] != tensor).any() for name, tensor in model.unet.state_dict().items())


@pytest.mark.parametrize("channels", [4, 9])
def test_models_of_the_official_layout_are_tuned(tmp_path, stripes, channels):
    """Which predict noise, with an autoencoder that looks beyond a cell, and 4 channels or 9."""
    folder = write_official_layout(tmp_path / "official", channels)
    objective = StyleObjective(folder, stripes, stripes[:2], 128)
    batch = objective.windows.batch(4, np.random.default_rng(0))
    for holding in (False, True):
        loss, _ = objective.loss(batch | {"holding": holding}, 0)
        assert torch.isfinite(loss)
        assert loss == 0 if holding else loss > 0.1, "an untrained adapter says what the model says"
    loss.backward()
    objective.export(objective.trainable, tmp_path / "out", 1)
    model = Text2Earth.from_pretrained(folder, device="cpu", dtype="float32")
    assert model.load_adapter(tmp_path / "out").rank == 16


def test_what_is_held_is_not_what_is_shown(stripes):
    assert any("lake" in text for text in texts_of_others(stripes))
    lakes = [Picture(stripes[0].pixels, "", ("a small lake among trees",), None, "x")]
    others = texts_of_others(lakes)
    assert "a lake" not in others
    assert "a blue lake" not in others
    assert "a meadow" in others


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("I/O error: No space left")])
def test_a_full_disk_keeps_the_former_checkpoint(tmp_path, monkeypatch, error):
    folder = tmp_path / "checkpoint"
    state = {"samples": 1, "seconds": 1.0, "before": 0}
    checkpoint.save_checkpoint(folder, {"a": torch.ones(3)}, state)

    def full(*_):
        raise error

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(Text2EarthError, match=r"No space left.*free some space"):
        checkpoint.save_checkpoint(folder, {"a": torch.zeros(3)}, state | {"samples": 2})
    tensors, kept = checkpoint.load_checkpoint(folder)
    assert (kept["samples"], float(tensors["a"].sum())) == (1, 3.0)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_a_copy_of_a_run_can_be_started_over(tuned, stripes, student_folder, tmp_path):
    """A stop before the first checkpoint leaves settings alone."""
    out = tmp_path / "again"
    out.mkdir()
    shutil.copy(tuned / finetune.SETTINGS_FILE, out)
    assert finetune.finetune(stripes, out, start=student_folder, samples=32, device="cpu")["samples"] == 32
