"""Known latents stay, cancel stops, the same request gives the same pixels, and noise belongs to the place."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from text2earth_core import Cancelled, Text2Earth, Text2EarthError
from text2earth_core.sampling.conditioning import drop_conditions, guidance_at, guide, level_of
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling

FOUR_STEPS = Sampling(resolution=1.0, steps=4, guidance=3.0)


@pytest.fixture(scope="module")
def model():
    return Text2Earth.from_preset("tiny")


def window(mask_columns: slice):
    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(8, 8)
    mask[:, mask_columns] = 1
    return {"known": torch.randn(4, 8, 8, generator=generator), "mask": mask, "noise": world_noise(1, 0, 0, 8, 8)}


def test_known_latents_come_back_bit_for_bit(model):
    given_ = window(slice(4, None))
    out = model.denoise("a lake", FOUR_STEPS, **given_)
    assert torch.equal(out[:, :, :4], given_["known"][:, :, :4])
    assert not torch.equal(out[:, :, 4:], given_["known"][:, :, 4:])


def test_content_of_the_masked_part_is_never_read(model):
    given_ = window(slice(4, None))
    first = model.denoise("a lake", FOUR_STEPS, **given_)
    given_["known"][:, :, 4:] = 1e6
    assert torch.equal(first, model.denoise("a lake", FOUR_STEPS, **given_))


@pytest.mark.parametrize(
    ("prompt", "change"),
    [
        ("a desert", {}),
        ("a lake", {"resolution": 4.0}),
        ("a lake", {"guidance": 1.0}),
        ("a lake", {"steps": 5}),
        ("a lake", {"negative_prompt": "snow"}),
    ],
)
def test_every_part_of_the_request_counts(model, prompt, change):
    base = model.denoise("a lake", FOUR_STEPS, **window(slice(0, 8)))
    assert torch.equal(base, model.denoise("a lake", FOUR_STEPS, **window(slice(0, 8))))
    assert not torch.equal(base, model.denoise(prompt, replace(FOUR_STEPS, **change), **window(slice(0, 8))))


def test_callback_sees_every_step_and_cancels(model):
    seen = []

    def watch(step, total, latents):
        seen.append((step, total, tuple(latents.shape)))
        if step == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        model.denoise("a lake", replace(FOUR_STEPS, steps=6), callback=watch, **window(slice(0, 8)))
    assert seen == [(n, 6, (4, 8, 8)) for n in (1, 2, 3)]


def test_guidance_is_the_papers_algorithm_2():
    null, cond = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0]])
    assert guide(null, cond, 1.0).tolist() == cond.tolist()
    assert guide(null, cond, 4.0).tolist() == [[9.0, -2.0]]  # omega = 3


def test_guidance_rises_about_its_mean():
    scales = [guidance_at(step, 20, 2.5, 2 / 3) for step in range(20)]
    assert (scales[0], scales[-1]) == pytest.approx((1.5, 3.5))
    assert np.mean(scales) == pytest.approx(2.5)
    assert np.ptp(np.diff(scales)) < 1e-12
    assert [guidance_at(step, 5, 4.0, 0.0) for step in range(5)] == [4.0] * 5  # the paper's
    assert guidance_at(0, 1, 2.5, 2 / 3) == 2.5
    assert {guidance_at(step, 20, 1.0, 2 / 3) for step in range(20)} == {1.0}  # none is none at every step


def test_text_and_level_are_dropped_independently():
    torch.manual_seed(0)
    embeddings, levels = drop_conditions(torch.ones(20_000, 2, 3), torch.zeros(2, 3), torch.full((20_000,), 17.0), 0.1)
    no_text, no_level = embeddings[:, 0, 0] == 0, levels == 0
    assert no_text.float().mean() == pytest.approx(0.1, abs=0.01)
    assert no_level.float().mean() == pytest.approx(0.1, abs=0.01)
    assert (no_text & no_level).float().mean() == pytest.approx(0.01, abs=0.004)


@pytest.mark.parametrize(
    ("resolution", "level"), [(None, 0), (1.0, 17), (2.0, 16), (0.5, 18), (128, 10), (1.5, 17 - np.log2(1.5))]
)
def test_level_of_a_resolution(resolution, level):
    assert level_of(resolution) == pytest.approx(level)


@settings(max_examples=40, deadline=None)
@given(
    x=st.integers(-200, 200),
    y=st.integers(-200, 200),
    w=st.integers(1, 70),
    h=st.integers(1, 70),
    seed=st.integers(-(2**63), 2**64),
)
def test_noise_belongs_to_the_place(x, y, w, h, seed):
    around = world_noise(seed, x - 3, y - 5, w + 9, h + 9)
    assert torch.equal(world_noise(seed, x, y, w, h), around[:, 5 : 5 + h, 3 : 3 + w])


def test_noise_is_standard_normal_and_differs_by_seed():
    noise = world_noise(0, -100, -100, 200, 200)
    assert abs(noise.mean()) < 0.02
    assert noise.std() == pytest.approx(1, abs=0.02)
    assert abs((noise * world_noise(1, -100, -100, 200, 200)).mean()) < 0.02


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps are not possible"),
        ({"steps": 10_000}, "steps are not possible"),
        ({"guidance": 0.2}, "guidance scale"),
        ({"guidance": 99.0}, "guidance scale"),
        ({"guidance": float("nan")}, "guidance scale"),
        ({"resolution": -1.0}, "metres per pixel"),
        ({"resolution": float("nan")}, "metres per pixel"),
        ({"size": 100}, "multiple of 64"),
        ({"size": 1_000_000}, "multiple of 64"),
        ({"seed": [1, 2, 3]}, "3 seeds"),
    ],
)
def test_bad_settings_get_one_sentence(model, change, message):
    with pytest.raises(Text2EarthError, match=message) as caught:
        model.generate("a lake", **change)
    assert "\n" not in str(caught.value)


def test_empty_prompt_is_the_null_text(model):
    assert len(model.generate("")) == 1


def test_prompt_report_names_what_is_cut_and_unknown(model):
    report = model.check_prompt("a forest with a zorblax " + "river " * 30)
    assert report.unknown == ("zorblax",)
    assert report.tokens > report.limit
    assert report.cut.endswith("river river")
    assert model.check_prompt("a forest").cut == ""


def test_unseen_characters_do_not_end_the_prompt(model):
    ids = model.text.tokens(["river 東京 ☃ forest"])[0].tolist()
    end = model.text.tokenizer.eos_token_id
    assert end not in ids[: ids.index(end)]
    assert ids.index(end) > 4


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_inpainting_leaves_the_rest_bit_identical(model, data):
    width, height = data.draw(st.integers(20, 150)), data.draw(st.integers(20, 150))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    image = rng.integers(0, 255, (height, width, 3), np.uint8)
    top, left = data.draw(st.integers(0, height - 2)), data.draw(st.integers(0, width - 2))
    bottom, right = data.draw(st.integers(top + 1, height)), data.draw(st.integers(left + 1, width))
    feather = data.draw(st.integers(0, 20))
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 255
    out = np.asarray(model.inpaint(Image.fromarray(image), Image.fromarray(mask), "a lake", feather=feather, steps=1))
    changed = (out != image).any(2)
    reach = np.zeros_like(changed)
    reach[max(0, top - feather) : bottom + feather, max(0, left - feather) : right + feather] = True
    assert not (changed & ~reach).any()
    assert changed[top:bottom, left:right].any()


@pytest.mark.parametrize(
    ("mask", "message"),
    [(np.zeros((64, 64), np.uint8), "mask is empty"), (np.full((32, 64), 255, np.uint8), "differ in size")],
)
def test_inpainting_refuses_masks_that_make_no_sense(model, mask, message):
    with pytest.raises(Text2EarthError, match=message):
        model.inpaint(Image.new("RGB", (64, 64)), Image.fromarray(mask), "a lake")
