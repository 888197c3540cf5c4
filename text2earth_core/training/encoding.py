"""The frozen parts of a model while its UNet is trained: pixels to latents, and texts to embeddings."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderTiny
from torch import Tensor

from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import load_text, load_thumbnail_vae, load_vae, unet_channels
from text2earth_core.networks.thumbnail_vae import encode
from text2earth_core.sampling.conditioning import TextConditioner

REMEMBERED = 60_000
"""Texts whose embeddings are kept."""


class Encoder:
    """Autoencoder and text tower of a model folder.

    Attributes:
        inpaints: its UNet has the 9-channel input. null: (tokens, width), the embedding of the empty prompt.

    Args:
        any_autoencoder: take any, and a UNet of 4 channels; without it the only kind that is trained here.

    Raises:
        Text2EarthError: a part is missing, damaged or of another kind.
    """

    def __init__(self, folder: Path, any_autoencoder: bool = False):
        if not (folder / "vae").is_dir() or not (folder / "text_encoder").is_dir():
            raise Text2EarthError(
                f"{folder} lacks vae/ or text_encoder/: run `text2earth train vae` and `train text` first."
            )
        self.vae = (load_vae if any_autoencoder else load_thumbnail_vae)(folder).requires_grad_(False).eval()
        self.inpaints = not any_autoencoder or unet_channels(folder) == 9
        self.text = TextConditioner(*load_text(folder), remembered=REMEMBERED)
        self.null = self.text.embed([""])[0]

    @property
    def cellwise(self) -> bool:
        """The autoencoder sees one cell at a time: known ground of another picture can be put in as latents."""
        return isinstance(self.vae, AutoencoderTiny)

    def to(self, device: torch.device) -> None:
        """Bring autoencoder and text tower to a device."""
        self.vae.to(device)
        self.text.encoder.to(device)

    @torch.no_grad()
    def encode(self, pixels: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pixels (B, 3, H, W) in [0, 1] to latents (B, 4, H/8, W/8), float32, in the units of the UNet.

        Args:
            noise: like the latents, with which a KL autoencoder's are drawn; None draws it.
        """
        if isinstance(self.vae, AutoencoderTiny):
            return encode(self.vae, pixels).float()
        posterior = self.vae.encode(pixels * 2 - 1).latent_dist
        drawn = torch.randn_like(posterior.mean) if noise is None else noise
        return (posterior.mean + posterior.std * drawn).float() * self.vae.config.scaling_factor
