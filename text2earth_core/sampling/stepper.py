"""Denoising a batch of windows, all steps at once or one at a time.

One step at a time is for areas larger than a window, where other windows are stepped in between: the caller owns the
noisy latents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from text2earth_core.prompts import split_level
from text2earth_core.sampling.conditioning import (
    NULL_LEVEL,
    guidance_at,
    guide,
    inpainting_input,
    level_of,
    masked_latents,
)
from text2earth_core.sampling.joining import join, told_mask
from text2earth_core.sampling.leading import Lead
from text2earth_core.sampling.model_view import ModelView
from text2earth_core.sampling.path import QUALITY, noise_path

StepCallback = Callable[[int, int, Tensor], None]
"""(step from 1, number of steps, estimate of the clean latents); raise `Cancelled` in it to stop.

The estimate is (B, 4, h, w), or (4, h, w) where one window is denoised.
"""


class Stepper:
    """Steps windows under one set of prompts and settings. Holds no latents; safe to use from several threads.

    Attributes:
        looks_back: whether a step wants to know the estimate of the step before.

    Args:
        prompts: what may be mixed in a window, by `weights` in `step`; a Google level before one is taken off it.
        resolution: m/px, or None for what such a level says, or for unknown. steps, guidance: None takes the sampler's
            own. sampler: see `Text2Earth.denoise`.

    Raises:
        Text2EarthError: a setting is out of range, or a prompt is no text.
    """

    def __init__(
        self,
        model: ModelView,
        prompts: Sequence[str],
        *,
        negative_prompt: str = "",
        resolution: float | None,
        steps: int | None = None,
        guidance: float | None = None,
        sampler: str = QUALITY,
    ) -> None:
        self._model = model
        self.steps, self._guidance = model.check_settings(steps, guidance, sampler)
        self._unet = model.unet_of(sampler)
        self._device = self._unet.device
        self._path = noise_path(model.scheduler, self.steps, model.facts, sampler)
        self.looks_back = model.facts.multistep and sampler == QUALITY  # the student's steps are jumps of its own
        texts, asked = zip(*map(split_level, prompts), strict=True)
        self._prompts = model.text.embed(list(texts))
        self._null = model.text.embed([split_level(negative_prompt)[0]])
        self._level = level_of(resolution if resolution is not None else next(filter(None, asked), None))
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
    ) -> Tensor:
        """Take all steps from noise (B, 4, h, w), standard normal; the other arguments are those of `step`.

        At each step the clean estimate is joined to the known latents *before* it is noised again, so that what is
        generated always sees its true surroundings.

        Returns:
            Clean latents, float32 on the CPU, equal to `known` bit for bit where the mask is 0.
        """
        latents, estimate = noise, None
        for step in range(self.steps):
            latents, estimate = self.step(step, latents, known, mask, weights, masked, estimate, lead)
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
    ) -> tuple[Tensor, Tensor]:
        """Take step number `step` (from 0).

        Args:
            latents: (B, 4, h, w) noisy. known: clean latents of the same shape, read where the mask is 0; None composes
                nothing. mask: (B, 1, h, w), 1 = generate; what lies between 0 and 1 is the share of the clean estimate
                in a mixture with what is known. weights: (B, prompts), rows that sum to 1; embeddings are
                mixed by them. masked: see `Text2Earth.denoise`. before: the estimate of the step before, where
                `looks_back`, NaN where there was none; None takes this step as DDIM does. lead: where the prompt rather
                than the ground decides; None leaves all to the network.

        Returns:
            (latents one step cleaner, estimate of the clean ones), float32 on the CPU. A window's result does not
            depend on the others in its batch beyond rounding, and not at all as long as the batch stays the same.
        """
        latents, mask = (part.to(self._device, torch.float32) for part in (latents, mask))
        known = None if known is None else known.to(latents)
        mixed = torch.einsum("bp,ptd->btd", weights.to(self._prompts), self._prompts)
        t = torch.tensor(self._path.timesteps[step], device=self._device)
        scale = guidance_at(step, self.steps, self._guidance, self._model.facts.guidance_rise)
        if lead is None or not lead.in_step(step, self.steps) or not self._model.info.inpaints:
            output = self._predict(latents, t, scale, mixed, mask, known, masked)
        else:
            # Beside the ground nothing is asked for but to go on with it, so that the border lies where the lead passes
            # to the prompt and not, as straight as a frame, where the known ground ends.
            nothing = self._null.expand_as(mixed)
            output = self._predict(latents, t, 1.0, nothing, mask, known, masked)
            weight, foreign = (part.to(latents) for part in (lead.weight, lead.foreign))
            hidden = None if masked is None else masked_latents(masked.to(latents), foreign, self._grey)
            own = self._predict(latents, t, scale, mixed, torch.maximum(mask, foreign), known, hidden)
            output = torch.lerp(output, own, weight * (mask > 0))
        estimate = self._path.clean(output, latents, step)
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
    ) -> Tensor:
        """The guided prediction (paper, Algorithm 2) for each window of the batch."""
        unet, count = self._unet, len(latents)
        inputs = latents
        if self._model.info.inpaints:
            if masked is None:
                told = told_mask(mask)
                masked = masked_latents(torch.zeros_like(latents) if known is None else known, told, self._grey)
            else:
                told = (mask > 0).to(mask)
            inputs = inpainting_input(latents, told, masked.to(latents))
        inputs = inputs.to(unet.dtype)
        level = torch.full((count,), self._level, device=self._device)
        if scale == 1:
            return unet(inputs, t, mixed.to(unet.dtype), class_labels=level).sample.float()
        embeddings = torch.cat([self._null.expand(count, -1, -1), mixed]).to(unet.dtype)
        levels = torch.cat([torch.full_like(level, NULL_LEVEL), level])
        output = unet(torch.cat([inputs, inputs]), t, embeddings, class_labels=levels).sample.float()
        return guide(output[:count], output[count:], scale)
