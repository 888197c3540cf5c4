"""Denoising a batch of windows, all steps at once or one at a time.

One step at a time is for areas larger than a window, where other windows are stepped in between: the caller owns the
noisy latents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from text2earth_core.modalities import RGB, get_modality
from text2earth_core.networks.thumbnail_vae import COLOURS
from text2earth_core.prompts import split_level
from text2earth_core.sampling.conditioning import (
    guidance_at,
    inpainting_input,
    level_of,
    masked_latents,
    predict_guided,
)
from text2earth_core.sampling.control import Control
from text2earth_core.sampling.joining import join, told_mask
from text2earth_core.sampling.leading import Lead
from text2earth_core.sampling.model_view import ModelView
from text2earth_core.sampling.path import noise_path
from text2earth_core.sampling.settings import QUALITY, Sampling

StepCallback = Callable[[int, int, Tensor], None]
"""(step from 1, number of steps, estimate of the clean latents); raise `Cancelled` in it to stop.

The estimate is (B, 4, h, w), or (4, h, w) where one window is denoised.
"""


class Stepper:
    """Steps windows under one set of prompts and settings. Holds no latents; safe to use from several threads.

    Of a modality with a single band it is known that it has no colour: where the latent has a thumbnail, every estimate
    is told so, and none can creep in from window to window.

    Attributes:
        looks_back: whether a step wants to know the estimate of the step before.

    Args:
        prompts: what may be mixed in a window, by `weights` in `step`; a Google level before one is taken off it.
        sampling: its resolution goes before such a level; its seed and `follow` are not looked at, for noise and lead
            are passed in.
        control: what steers the network by conditions, which `step` is given then; the layer's adapter is not used, for
            a control makes its modality by itself.

    Raises:
        Text2EarthError: the model cannot sample like that, or a prompt is no text.
    """

    def __init__(
        self,
        model: ModelView,
        prompts: Sequence[str],
        sampling: Sampling,
        control: Control | None = None,
    ) -> None:
        self._model, self._control = model, control
        settled = model.settled(sampling if control is None else replace(sampling, layer=RGB))
        self.steps, self._guidance = settled.steps, settled.guidance
        self._unet = model.unet_of(settled.sampler, settled.adapters)
        self._colourless = model.facts.thumbnail and get_modality(sampling.layer).channels == 1
        self._device = self._unet.device
        self._path = noise_path(model.scheduler, self.steps, model.facts, settled.sampler)
        # The student's steps are jumps of its own.
        self.looks_back = model.facts.multistep and settled.sampler == QUALITY
        texts, asked = zip(*map(split_level, prompts), strict=True)
        # The text tower may have stayed in main memory.
        self._prompts = model.text.embed(list(texts)).to(self._device)
        self._null = model.text.embed([split_level(sampling.negative_prompt)[0]]).to(self._device)
        self._level = level_of(next((metres for metres in (sampling.resolution, *asked) if metres is not None), None))
        self._grey = model.codec.grey.to(self._device)

    def amplitudes(self, step: int) -> tuple[float, float]:
        """(a, s) of what step `step` (from 0) starts from: noisy latents are a z + s e; (1, 0) after the last step."""
        if step == 0:
            return 0.0, 1.0  # sampling starts from pure noise, whatever the schedule
        return (1.0, 0.0) if step == self.steps else (self._path.signal[step], self._path.noise[step])

    def left(self, step: int) -> float:
        """How much of the process lies ahead of step `step`, in steps of equal shares."""
        return self._path.left[step]

    def denoise(
        self,
        noise: Tensor,
        known: Tensor | None,
        mask: Tensor,
        weights: Tensor,
        masked: Tensor | None,
        callback: StepCallback | None = None,
        lead: Lead | None = None,
        condition: Tensor | None = None,
    ) -> Tensor:
        """Take all steps from noise (B, 4, h, w), standard normal; the other arguments are those of `step`.

        At each step the clean estimate is joined to the known latents *before* it is noised again, so that what is
        generated always sees its true surroundings.

        Returns:
            Clean latents, float32 on the CPU, equal to `known` bit for bit where the mask is 0.
        """
        latents, estimate = noise, None
        for step in range(self.steps):
            latents, estimate = self.step(step, latents, known, mask, weights, masked, estimate, lead, condition)
            if callback is not None:
                callback(step + 1, self.steps, estimate)
        return latents if known is None else torch.where(mask.to(latents) > 0.5, latents, known.to(latents))

    @torch.no_grad()
    def step(
        self,
        step: int,
        latents: Tensor,
        known: Tensor | None,
        mask: Tensor,
        weights: Tensor,
        masked: Tensor | None = None,
        before: Tensor | None = None,
        lead: Lead | None = None,
        condition: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Take step number `step` (from 0).

        Args:
            latents: (B, 4, h, w) noisy. known: clean latents of the same shape, read where the mask is 0; None composes
                nothing. mask: (B, 1, h, w), 1 = generate; what lies between 0 and 1 is the share of the clean estimate
                in a mixture with what is known. weights: (B, prompts), rows that sum to 1; embeddings are
                mixed by them. masked: see `Text2Earth.denoise`. before: the estimate of the step before, where
                `looks_back`, NaN where there was none; None takes this step as DDIM does. lead: where the prompt rather
                than the ground decides; None leaves all to the network. condition: (B, c, h, w), what the control is
                shown of each window.

        Returns:
            (latents one step cleaner, estimate of the clean ones), float32 on the CPU. A window's result does not
            depend on the others in its batch beyond rounding, and not at all as long as the batch stays the same.
        """
        latents, mask = (part.to(self._device, torch.float32) for part in (latents, mask))
        known = None if known is None else known.to(latents)
        condition = None if condition is None or self._control is None else condition.to(latents)
        mixed = torch.einsum("bp,ptd->btd", weights.to(self._prompts), self._prompts)
        t = torch.tensor(self._path.timesteps[step], device=self._device)
        scale = guidance_at(step, self.steps, self._guidance, self._model.facts.guidance_rise)
        if lead is None or not lead.in_step(step, self.steps) or not self._model.info.inpaints:
            output = self._predict(latents, t, scale, mixed, mask, known, masked, condition)
        else:
            # Beside the ground nothing is asked for but to go on with it, so that the border lies where the lead passes
            # to the prompt and not, as straight as a frame, where the known ground ends.
            nothing = self._null.expand_as(mixed)
            output = self._predict(latents, t, 1.0, nothing, mask, known, masked, condition)
            weight, foreign = (part.to(latents) for part in (lead.weight, lead.foreign))
            # A window in which the prompt never leads is asked as ever, with all its ground in sight.
            led = weight.amax((1, 2, 3), keepdim=True) > 0
            weight, foreign = torch.where(led, weight * (mask > 0), 1), foreign * led
            hidden = None if masked is None else masked_latents(masked.to(latents), foreign, self._grey)
            own = self._predict(latents, t, scale, mixed, torch.maximum(mask, foreign), known, hidden, condition)
            output = torch.lerp(output, own, weight)
        estimate = self._path.clean(output, latents, step)
        if self._colourless:
            estimate[:, COLOURS] = self._grey[COLOURS, None, None]
        if self._control is not None and condition is not None:
            estimate = self._control.hold(estimate, condition)
        if known is not None:
            estimate = join(estimate, known, mask)
        before = before.to(latents) if before is not None and self.looks_back and step > 0 else None
        stepped = self._path.advance(latents, estimate, step, step + 1, before)
        return stepped.cpu(), estimate.cpu()

    def _predict(
        self,
        latents: Tensor,
        t: Tensor,
        scale: float,
        mixed: Tensor,
        mask: Tensor,
        known: Tensor | None,
        masked: Tensor | None,
        condition: Tensor | None,
    ) -> Tensor:
        """What the network, shown the windows of the batch as they are known, predicts of each."""
        inputs = latents
        if self._model.info.inpaints:
            if masked is None:
                told = told_mask(mask)
                masked = masked_latents(torch.zeros_like(latents) if known is None else known, told, self._grey)
            else:
                told = (mask > 0).to(mask)
            inputs = inpainting_input(latents, told, masked.to(latents))
        levels = torch.full((len(latents),), self._level, device=self._device)
        beside = None
        if self._control is not None and condition is not None:
            beside = partial(self._control.residuals, condition=condition)
        return predict_guided(self._unet, inputs, t, mixed, levels, self._null, scale, beside)
