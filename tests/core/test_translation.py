"""Translators: what a trunk changes and leaves, what it is shown, and what a source says for certain."""

import json

import cv2
import numpy as np
import pytest
import torch
from diffusers import ControlNetModel
from PIL import Image

from tests.translators import write_translator
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.folder import load_unet
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper
from text2earth_core.translation.condition import CHANNELS, DETAIL, KNOWN, LATENT, condition_of
from text2earth_core.translation.fog import Fog
from text2earth_core.translation.holding import coarsen, hold, luma
from text2earth_core.translation.picture import translate
from text2earth_core.translation.tasks import TASKS, get_task
from text2earth_core.translation.translator import Manifest, read_manifest
from text2earth_core.translation.trunk import Trunk


@pytest.fixture(scope="module")
def model(translating_folder):
    return Text2Earth.from_pretrained(translating_folder, "cpu", "float32")


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (12, 12, 3)).astype(np.uint8)
    return cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC)


def condition(model, task, pixels, known=None):
    known = np.ones(pixels.shape[:2], bool) if known is None else known
    return condition_of(task, pixels, known, model.encode, model.codec.grey)


@pytest.mark.parametrize("sampler", ["quality", "fast"])
def test_an_untrained_trunk_leaves_the_model_as_it_is_bit_for_bit(student_folder, picture, sampler):
    model = Text2Earth.from_pretrained(student_folder, "cpu", "float32")
    model.translators.use(Trunk.new(model.unet).eval(), list(TASKS))
    task, noise = get_task("sar2rgb"), torch.randn(1, 4, 8, 8)
    sampling = Sampling(sampler=sampler, steps=3 if sampler == "quality" else None)
    given = (noise, None, torch.ones(1, 1, 8, 8), torch.ones(1, 1), None)
    plain = Stepper(model, ["a forest"], sampling).denoise(*given)
    control = model.translators.get(task)
    shown = condition(model, task, luma(picture)[:64, :64])[None]
    assert torch.equal(Stepper(model, ["a forest"], sampling, control).denoise(*given, condition=shown), plain)


@pytest.mark.parametrize("sampler", ["quality", "fast"])
def test_the_same_request_gives_the_same_pixels_and_another_source_others(model, picture, sampler):
    steps = 2 if sampler == "quality" else None
    made = [
        np.asarray(translate(model, Image.fromarray(source), "rgb2nir", seed=seed, steps=steps, sampler=sampler))
        for source, seed in ((picture, 1), (picture, 1), (picture[::-1], 1), (picture, 2))
    ]
    assert made[0].shape == (64, 96)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    assert not np.array_equal(made[0], made[3])


def test_a_trunk_in_half_precision_takes_a_level(student_folder, picture):
    model = Text2Earth.from_pretrained(student_folder, "cpu", "bfloat16")
    model.translators.use(Trunk.new(model.unet).to(model.unet.dtype), ["dehaze"])
    made = translate(model, Image.fromarray(picture), "dehaze", steps=1, resolution=2.0)
    assert made.size == (96, 64)


def test_stock_diffusers_loads_the_folder(translating_folder, student_folder):
    trunk = ControlNetModel.from_pretrained(translating_folder / "translator", local_files_only=True)
    unet = load_unet(student_folder)
    assert trunk.config.in_channels == unet.config.in_channels == 9
    skips, middle = trunk(
        torch.randn(1, 9, 8, 8), torch.tensor(5), torch.randn(1, 16, 32),
        controlnet_cond=torch.randn(1, CHANNELS, 8, 8), class_labels=torch.tensor([17.0]), return_dict=False,
    )  # fmt: skip
    made = unet(
        torch.randn(1, 9, 8, 8), torch.tensor(5), torch.randn(1, 16, 32), class_labels=torch.tensor([17.0]),
        down_block_additional_residuals=skips, mid_block_additional_residual=middle,
    )  # fmt: skip
    assert made.sample.shape == (1, 4, 8, 8)


def test_a_condition_holds_every_pixel_of_the_luma_and_the_exact_latent(model, picture):
    shown = condition(model, get_task("dehaze"), picture)
    assert shown.shape == (CHANNELS, 8, 12)
    assert torch.equal(shown[:LATENT], model.encode(picture))
    detail = shown[LATENT : LATENT + DETAIL].reshape(8, 8, 8, 12).permute(2, 0, 3, 1).reshape(64, 96)
    light = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / 255
    means = cv2.resize(
        cv2.resize(light, (12, 8), interpolation=cv2.INTER_AREA), (96, 64), interpolation=cv2.INTER_NEAREST
    )
    assert np.allclose(detail.numpy() * 0.15, light - means, atol=1e-4)


def test_a_condition_says_which_task_and_what_is_known_and_no_more(model, picture):
    known = np.ones((64, 96), bool)
    known[:, 48:] = False
    other = picture.copy()
    other[:, 48:] = 255 - other[:, 48:]
    one, two = (condition(model, get_task("sr2"), pixels, known) for pixels in (picture, other))
    assert torch.equal(one, two)
    assert one[KNOWN].unique().tolist() == [0, 1]
    told = [
        condition(model, task, picture if task.source == "rgb" else luma(picture))[KNOWN + 1 :]
        for task in TASKS.values()
    ]
    assert len({tuple(part[:, 0, 0].tolist()) for part in told}) == len(TASKS)


@pytest.mark.parametrize("name", ["pan2rgb", "sr2", "sr4"])
def test_what_a_source_says_for_certain_is_in_the_result(picture, name):
    task, rng = get_task(name), np.random.default_rng(1)
    soft = (picture // 2 + 64).astype(np.uint8)
    source = luma(soft) if name == "pan2rgb" else coarsen(soft, task.finer)
    made = (soft + rng.normal(0, 8, soft.shape)).clip(0, 255).astype(np.uint8)
    held = hold(task, made, source, np.ones(soft.shape[:2], bool))

    def seen(pixels):
        if name == "pan2rgb":
            return luma(pixels)[..., 0].astype(int)
        return cv2.resize(pixels, None, fx=1 / task.finer, fy=1 / task.finer, interpolation=cv2.INTER_AREA).astype(int)

    assert np.abs(seen(held) - seen(source if name != "pan2rgb" else np.repeat(source, 3, 2))).mean() < 0.6
    assert np.abs(seen(made) - seen(source if name != "pan2rgb" else np.repeat(source, 3, 2))).mean() > 1
    nothing = np.zeros(soft.shape[:2], bool)
    assert np.array_equal(hold(task, made, source, nothing), made)


@pytest.mark.parametrize("name", ["rgb2nir", "nir2rgb"])
def test_a_target_has_the_borders_of_its_source_and_the_light_it_was_given(picture, name):
    task = get_task(name)
    source = picture if task.source == "rgb" else luma(picture)
    light = luma(picture).astype(np.float32)
    truth = np.repeat(90 + 0.6 * light, task.makes.channels, 2).round().astype(np.uint8)
    means = cv2.resize(truth, (12, 8), interpolation=cv2.INTER_AREA)
    made = cv2.resize(means, (96, 64), interpolation=cv2.INTER_NEAREST).reshape(truth.shape)
    everywhere = np.ones(truth.shape[:2], bool)
    held = hold(task, made, source, everywhere)

    def off(pixels):
        return np.abs(pixels.astype(int) - truth).mean()

    assert off(held) < 0.5 * off(made)
    half = everywhere.copy()
    half[:, 48:] = False
    assert np.array_equal(hold(task, made, source, half)[:, 48:], made[:, 48:])


def test_a_first_guess_decides_how_bright_cells_are_and_sampling_the_rest(model, picture):
    """Where the source says nearly all, no seed changes the thumbnail; where it does not, each makes its own."""
    task, sampling = get_task("rgb2nir"), Sampling(steps=2)

    def made(task, seed):
        noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))
        shown = condition(model, task, (picture if task.source == "rgb" else luma(picture))[:64, :64])[None]
        given = (noise, None, torch.ones(1, 1, 8, 8), torch.ones(1, 1), None)
        return Stepper(model, [""], sampling, model.translators.get(task)).denoise(*given, condition=shown)[0]

    one, two = (made(task, seed) for seed in (0, 1))
    assert torch.equal(one[:3], two[:3])
    assert not torch.equal(one[3], two[3])
    one, two = (made(get_task("sar2rgb"), seed) for seed in (0, 1))
    assert not torch.equal(one[:3], two[:3])


def test_fog_follows_the_scattering_model_and_its_parameters_are_kept(picture):
    fog = Fog.draw(np.random.default_rng(3))
    through = fog.transmission(64, 96)
    assert 0 < through.min() <= through.max() < 1
    assert np.abs(-np.log(through).mean() - fog.depth) < 0.1 * fog.depth
    expected = picture * through[..., None] + 255 * np.array(fog.airlight) * (1 - through[..., None])
    assert np.abs(fog.over(picture) - expected).max() <= 0.51
    assert np.array_equal(Fog(**json.loads(json.dumps(fog.as_dict()))).over(picture), fog.over(picture))


def test_a_translator_that_does_not_fit_is_one_sentence(tmp_path, student_folder, translating_folder, picture):
    model = Text2Earth.from_pretrained(student_folder, "cpu", "float32")
    image = Image.fromarray(picture)
    with pytest.raises(Text2EarthError, match="train translator"):
        translate(model, image, "pan2rgb")
    with pytest.raises(Text2EarthError, match="no translation 'rgb2xyz'"):
        translate(model, image, "rgb2xyz")
    few = write_translator(tmp_path / "few", student_folder, tasks=["pan2rgb"])
    model.translators.load(few)
    with pytest.raises(Text2EarthError, match="knows pan2rgb"):
        translate(model, image, "dehaze")
    with pytest.raises(Text2EarthError, match="holds no translator"):
        model.translators.load(tmp_path)
    manifest = read_manifest(few)
    Manifest(manifest.tasks, "another", "other").write(few)
    with pytest.raises(Text2EarthError, match="another model"):
        model.translators.load(few)
    manifest.write(few)
    (few / "diffusion_pytorch_model.safetensors").write_bytes(b"nothing")
    model.translators.load(few)
    with pytest.raises(Text2EarthError, match="cannot be loaded"):
        translate(model, image, "pan2rgb")
