"""Beside known ground the ground decides, further away the prompt does; where both agree, nothing is asked twice."""

import numpy as np
import pytest
import torch
from PIL import Image

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.sampling.leading import FAR, START, Lead, course_at, lead_in, lead_weight
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling
from text2earth_core.sampling.stepper import Stepper

SIDE = 32
SETTINGS = Sampling(resolution=1.0, steps=4, guidance=2.0)


@pytest.fixture(scope="module")
def model() -> Text2Earth:
    return Text2Earth.from_preset("tiny", seed=0)


def halves() -> tuple[np.ndarray, np.ndarray]:
    """(what is made, foreign ground): the right half beside the left one."""
    made = np.zeros((SIDE, SIDE), bool)
    made[:, SIDE // 2 :] = True
    return made, ~made


def test_the_weight_grows_from_nothing_at_the_ground_to_all_beyond_it() -> None:
    made, foreign = halves()
    weight = lead_weight(made, foreign, 1.0, np.zeros(made.shape, np.float32))
    across = weight[0]
    assert (across[: SIDE // 2] == 0).all(), "known ground is never led"
    assert across[SIDE // 2] < 0.1, "what touches it hardly"
    assert (np.diff(across) >= 0).all()
    assert (across[SIDE // 2 + round(FAR + START) :] == 1).all()
    half = lead_weight(made, foreign, 0.5, np.zeros(made.shape, np.float32))
    np.testing.assert_allclose(half, weight / 2)


def test_in_a_narrow_mask_the_prompt_still_leads_in_the_middle() -> None:
    made = np.zeros((SIDE, SIDE), bool)
    made[12:18, 12:18] = True
    weight = lead_weight(made, ~made, 1.0, np.zeros(made.shape, np.float32))
    assert weight[14:16, 14:16].min() > 0.9
    assert weight[12, 12] < weight[14, 14], "least in its corners"


def test_the_border_wanders_by_seed_and_place_and_fits_from_window_to_window() -> None:
    whole = course_at(7, -20, 5, 64, 48)
    assert np.array_equal(course_at(7, 0, 10, 32, 32), whole[5:37, 20:52])
    assert not np.array_equal(course_at(8, -20, 5, 64, 48), whole)
    large = course_at(3, 0, 0, 400, 400)
    assert abs(large.mean()) < 0.1
    assert large.std() == pytest.approx(1, abs=0.1)
    assert np.abs(np.diff(large, axis=0)).max() < 1, "it is smooth"
    made, foreign = halves()
    weight = lead_weight(made, foreign, 1.0, course_at(7, 0, 0, SIDE, SIDE))
    border = (weight > 0.5).argmax(axis=1)
    assert border.max() - border.min() >= 2, "no ruler's line"


def test_ground_that_agrees_or_no_wish_to_follow_needs_no_second_prediction() -> None:
    made, foreign = halves()
    assert lead_in(made, np.zeros_like(made), 1.0, 0, 0, 0) is None
    assert lead_in(made, foreign, 0.0, 0, 0, 0) is None
    lead = lead_in(made, foreign, 1.0, 0, 0, 0)
    assert lead is not None
    assert [lead.in_step(step, 4) for step in range(4)] == [True, True, False, False]


def calls_of(model: Text2Earth, monkeypatch: pytest.MonkeyPatch, lead: Lead | None) -> tuple[list[float], torch.Tensor]:
    """Share of the window that the network is told to make, of each prediction; and what came out."""
    told, predict = [], Stepper._predict

    def watch(self, latents, t, scale, mixed, mask, *rest):
        told.append(float(mask.mean()))
        return predict(self, latents, t, scale, mixed, mask, *rest)

    monkeypatch.setattr(Stepper, "_predict", watch)
    made, _ = halves()
    known = model.encode(np.full((8 * SIDE, 8 * SIDE, 3), 60, np.uint8))
    out = model.denoise(
        "a desert", SETTINGS, known=known, mask=torch.from_numpy(made.astype(np.float32)),
        noise=world_noise(1, 0, 0, SIDE, SIDE), lead=lead
    )  # fmt: skip
    monkeypatch.undo()
    return told, out


def test_a_led_window_is_predicted_twice_in_the_first_half_without_the_ground(model, monkeypatch) -> None:
    made, foreign = halves()
    led, out = calls_of(model, monkeypatch, lead_in(made, foreign, 1.0, 1, 0, 0))
    plain, before = calls_of(model, monkeypatch, None)
    assert led == [0.5, 1.0, 0.5, 1.0, 0.5, 0.5]
    assert plain == [0.5] * 4
    known = torch.from_numpy(~made)
    assert torch.equal(out[:, known], before[:, known])
    assert not torch.allclose(out[:, ~known], before[:, ~known], atol=1e-3)


def test_where_the_prompt_leads_alone_the_ground_has_no_say(model) -> None:
    """With all steps led and a weight of one everywhere, two grounds give one estimate."""
    made, foreign = halves()
    lead = Lead(*(torch.from_numpy(part.astype(np.float32))[None, None] for part in (made, foreign)))
    mask, noise = torch.from_numpy(made.astype(np.float32))[None, None], world_noise(1, 0, 0, SIDE, SIDE)[None]
    stepper, seen = Stepper(model, ["a desert"], SETTINGS), []
    for level in (30, 220):
        known = model.encode(np.full((8 * SIDE, 8 * SIDE, 3), level, np.uint8))[None]
        _, estimate = stepper.step(0, noise, known, mask, torch.ones(1, 1), lead=lead)
        seen.append(estimate[0, :, :, -4:])  # further than the margin's correction reaches
    assert (seen[0] - seen[1]).abs().max() < 0.05 * (seen[0].abs().max())


def test_a_window_that_is_not_led_does_not_notice_others_in_its_batch_that_are(model) -> None:
    made, foreign = halves()
    lead = lead_in(made, foreign, 1.0, 1, 0, 0)
    assert lead is not None
    both = Lead(*(torch.cat([part, torch.zeros_like(part)]) for part in (lead.weight, lead.foreign)))
    known = torch.stack([model.encode(np.full((8 * SIDE, 8 * SIDE, 3), level, np.uint8)) for level in (60, 200)])
    mask = torch.from_numpy(made.astype(np.float32)).expand(2, 1, SIDE, SIDE)
    noise = torch.stack([world_noise(seed, 0, 0, SIDE, SIDE) for seed in (1, 2)])
    stepper = Stepper(model, ["a desert"], SETTINGS)
    together = stepper.denoise(noise, known, mask, torch.ones(2, 1), None, None, both)
    for number, own in enumerate((lead, None)):
        one = slice(number, number + 1)
        alone = stepper.denoise(noise[one], known[one], mask[one], torch.ones(1, 1), None, None, own)
        torch.testing.assert_close(together[one], alone, rtol=1e-4, atol=1e-4)


def test_inpainting_follows_its_prompt_by_default_and_checks_the_number(model) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8))
    mask = Image.fromarray(np.pad(np.full((32, 32), 255, np.uint8), 48))
    options = {"resolution": 1.0, "steps": 2, "feather": 4}
    led, explicit, ground, plain = (
        np.asarray(model.inpaint(image, mask, prompt, follow=follow, **options))
        for prompt, follow in (("a lake", None), ("a lake", 1), ("a lake", 0), ("", None))
    )
    assert np.array_equal(led, explicit)
    assert not np.array_equal(led, ground)
    assert np.array_equal(plain, np.asarray(model.inpaint(image, mask, "", follow=0, **options)))
    for wrong in (-0.1, 1.5, "much"):
        with pytest.raises(Text2EarthError, match="0 \\(continue the ground\\) to 1"):
            model.inpaint(image, mask, "a lake", follow=wrong)
