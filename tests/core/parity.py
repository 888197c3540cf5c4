"""How far our sampling is from stock diffusers' pipelines, for a model folder in any layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, StableDiffusionInpaintPipeline, StableDiffusionPipeline
from PIL import Image

from tests.core.official_layout import stock_parts
from text2earth_core import Text2Earth
from text2earth_core.sampling.settings import Sampling

PROMPT = "a river between green banks"
SIDE = 64


def difference(
    folder: Path,
    *,
    resolution: float = 1.0,
    steps: int = 6,
    guidance: float = 3.5,
    negative: str = "",
    spacing: str = "leading",
) -> float:
    """Largest difference of the final latents, of about unit variance; inpainting where the UNet has 9 channels.

    Args:
        spacing: the scheduler's way to choose timesteps, in diffusers' words.
    """
    scheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
    DDIMScheduler.from_config(scheduler.config, timestep_spacing=spacing).save_pretrained(folder / "scheduler")
    model = Text2Earth.from_pretrained(folder, device="cpu", dtype="float32")
    model.unet.double()  # as in LevelUNet
    sampling = Sampling(negative, resolution=resolution, steps=steps, guidance=guidance)
    parts = stock_parts(folder, level=float(17 - np.log2(resolution)))
    asked: dict[str, Any] = {
        "num_inference_steps": steps, "guidance_scale": guidance, "height": SIDE, "width": SIDE,
        "output_type": "latent", "negative_prompt": negative,
    }  # fmt: skip
    ours, theirs = (_inpainting if model.info.inpaints else _text_to_image)(model, parts, sampling, asked)
    assert theirs.std() > 0.1
    return float((ours - theirs).abs().max())


def _text_to_image(model: Text2Earth, parts: dict, sampling: Sampling, asked: dict) -> tuple[torch.Tensor, ...]:
    noise = torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=torch.Generator().manual_seed(3))
    stock = StableDiffusionPipeline(**parts)
    stock.set_progress_bar_config(disable=True)
    theirs = stock(PROMPT, latents=noise, **asked).images[0]
    return model.denoise(PROMPT, sampling, known=None, mask=None, noise=noise[0]), torch.as_tensor(theirs)


def _inpainting(model: Text2Earth, parts: dict, sampling: Sampling, asked: dict) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
    hole = np.zeros((SIDE, SIDE), np.uint8)
    hole[16:48, 24:] = 255
    stock = StableDiffusionInpaintPipeline(**parts)
    stock.set_progress_bar_config(disable=True)
    theirs = stock(
        PROMPT, image=image, mask_image=Image.fromarray(hole), strength=1.0,
        generator=torch.Generator().manual_seed(5), **asked,
    ).images[0]  # fmt: skip
    # The stock order at strength 1: the initial noise, then a sample of the masked image's posterior.
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(1, 4, SIDE // 8, SIDE // 8, generator=generator)[0]
    grey = np.where(hole[..., None] > 0, np.float32(127.5), np.asarray(image, np.float32))
    masked = model.codec.encode(grey, generator)
    ours = model.denoise(
        PROMPT, sampling, noise=noise, known=None, mask=torch.from_numpy(hole[::8, ::8] / 255.0), masked=masked
    )
    return ours, torch.as_tensor(theirs)
