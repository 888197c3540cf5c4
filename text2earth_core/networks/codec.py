"""Between pixels and latents, whichever autoencoder a model has."""

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor

from text2earth_core.networks import thumbnail_vae

PREVIEW_FITTED = torch.tensor(
    [[0.298, 0.207, 0.208], [0.187, 0.286, 0.173], [-0.158, 0.189, 0.264], [-0.184, -0.271, -0.473]]
)
"""Rough linear map from the latent of Stable Diffusion's autoencoder to RGB in [-1, 1], for previews only."""


class Codec:
    """Encodes and decodes single images; owns the autoencoder's scaling.

    Latents are float32 (4, h, w) on the CPU in the units the UNet works in; pixels are uint8 (8h, 8w, 3).
    """

    def __init__(self, vae: AutoencoderKL | AutoencoderTiny, thumbnail: bool):
        self.vae, self.thumbnail = vae, thumbnail
        if thumbnail:
            thumbnail_vae.repeat_borders(vae)
        self.halo = thumbnail_vae.HALO if thumbnail else 16
        self.grey = self.encode(np.full((8, 8, 3), 127.5, np.float32))[:, 0, 0]

    @torch.no_grad()
    def encode(self, pixels: np.ndarray, generator: torch.Generator | None = None) -> Tensor:
        """Pixels (H, W, 3), sides multiples of 8, to latents; a KL autoencoder's mean, or sample if seeded."""
        image = (
            torch.from_numpy(np.ascontiguousarray(pixels)).to(self.vae.device, torch.float32).permute(2, 0, 1)[None]
            / 255
        )
        if self.thumbnail:
            latents = thumbnail_vae.encode(self.vae, image.to(self.vae.dtype))
        else:
            posterior = self.vae.encode((image * 2 - 1).to(self.vae.dtype)).latent_dist
            latents = posterior.mode() if generator is None else posterior.sample(generator)
        return (latents[0].float() * self.vae.config.scaling_factor).cpu()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> np.ndarray:
        """Latents (4, h, w) to pixels. With a thumbnail, every cell's mean colour is the latent's own."""
        batch = latents[None].to(self.vae.device)
        if self.thumbnail:
            pixels = thumbnail_vae.decode(self.vae, batch.to(self.vae.dtype)).float()
            means = thumbnail_vae.thumbnail(self.vae, batch)
            pixels = thumbnail_vae.into_range(thumbnail_vae.project(pixels, means), means)
        else:
            scaled = (batch / self.vae.config.scaling_factor).to(self.vae.dtype)
            pixels = self.vae.decode(scaled).sample.float() / 2 + 0.5
        return _to_bytes(pixels)

    @torch.no_grad()
    def preview(self, latents: Tensor) -> np.ndarray:
        """A picture at 1/8 size (h, w, 3) that costs no decoder."""
        if self.thumbnail:
            return _to_bytes(thumbnail_vae.thumbnail(self.vae, latents[None].to(self.vae.device)))
        rgb = torch.einsum("chw,cr->rhw", latents.cpu().float(), PREVIEW_FITTED)
        return _to_bytes(rgb[None] / 2 + 0.5)


def _to_bytes(pixels: Tensor) -> np.ndarray:
    return (pixels[0].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()
