"""diffusers' own inpainting pipeline around a UNet with a level embedding: what our ways are compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    StableDiffusionInpaintPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from torch import Tensor


class StockInpainting:
    """StableDiffusionInpaintPipeline without text parts: it is given embeddings, and its UNet the level.

    Args:
        level: of the ground resolution; the unconditional half of a batch gets the null level, as in the official
            release.
    """

    def __init__(
        self, unet: UNet2DConditionModel, vae: AutoencoderKL | AutoencoderTiny, scheduler: DDIMScheduler, level: float
    ):
        # What the pipeline asks for in a deprecation warning; with trailing time steps the offset is not used.
        scheduler = DDIMScheduler.from_config(dict(scheduler.config) | {"steps_offset": 1, "clip_sample": False})
        self.pipeline = StableDiffusionInpaintPipeline(
            vae=vae, text_encoder=None, tokenizer=None, unet=unet, scheduler=scheduler, safety_checker=None,
            feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
        self.pipeline.set_progress_bar_config(disable=True)
        self.level = level
        # Stock pipelines do not know class labels; the UNet refuses to run without them.
        unet.register_forward_pre_hook(self._supply_level, with_kwargs=True)

    def __call__(
        self, embeddings: Tensor, null: Tensor, images: Sequence[np.ndarray], mask: np.ndarray, steps: int,
        guidance: float, seed: int,
    ) -> list[np.ndarray]:  # fmt: skip
        """Regenerate the masked part of images.

        Args:
            embeddings, null: (B, tokens, width) of the prompts and of the empty one. images: B of uint8 (H, W, 3).
            mask: boolean (H, W).
        """
        side = images[0].shape[0]
        result = self.pipeline(
            prompt_embeds=embeddings, negative_prompt_embeds=null, image=[Image.fromarray(image) for image in images],
            mask_image=[Image.fromarray(mask)] * len(images), height=side, width=side, num_inference_steps=steps,
            guidance_scale=guidance, strength=1.0, generator=torch.Generator().manual_seed(seed), output_type="np",
        )  # fmt: skip
        return [(image * 255).round().astype(np.uint8) for image in result.images]

    def _supply_level(self, _unet: UNet2DConditionModel, arguments: tuple, options: dict) -> tuple[tuple, dict]:
        half = len(arguments[0]) // 2
        levels = torch.tensor([0.0] * half + [self.level] * (len(arguments[0]) - half), device=arguments[0].device)
        return arguments, options | {"class_labels": levels}


def sd_size_vae(dtype: torch.dtype) -> AutoencoderKL:
    """An autoencoder of Stable Diffusion's size with random weights."""
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4,
    ).to(dtype).eval()  # fmt: skip
