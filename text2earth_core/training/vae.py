"""Training the autoencoder: first fidelity (distances alone), then texture (the decoder, adversarially)."""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.data.corpus import Picture, load_corpus, random_crop
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import load_thumbnail_vae
from text2earth_core.networks.discriminator import TextureDiscriminator
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.thumbnail_vae import (
    CELL,
    YCBCR,
    build_thumbnail_vae,
    decode,
    keep_thumbnail_fixed,
    project,
    repeat_borders,
    thumbnail,
)
from text2earth_core.training.checkpoint import module_tensors, optimizer_tensors, restore_module, restore_optimizer
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Objective, Schedule, fit

CROP = 96

LEAST_DEVIATION = 0.01
"""Of Y, Cb and Cr, whose values go from 0 to 1: well below that of colour photographs, a few steps of 8 bits."""

SHOWN = 12
"""Held-back images in the grid."""

BALANCE = 0.25
"""Weight of the error of the Laplacian energies' ratio; four times as much fills busy places with salt and pepper."""


def train_vae(
    preset: str,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    stage: str = "fidelity",
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train `out/vae`.

    Args:
        stage: "fidelity" trains encoder and decoder on distances; "texture" refines the decoder of an existing
            `out/vae` adversarially while the encoder, and so every stored latent, stays as it is.
        limit: at most so many images of each file (for trials).
    """
    width = get_preset(preset).decoder_width
    if width is None:
        raise Text2EarthError(f'The preset "{preset}" uses the official autoencoder, which is not trained here.')
    corpus = _large_enough(load_corpus(data, limit=limit))
    held_back = _large_enough(load_corpus(data, "val", limit=SHOWN))
    shown = held_back[:: -(-len(held_back) // SHOWN)]
    objective: AutoencoderObjective
    if stage == "texture":
        objective = TextureObjective(load_thumbnail_vae(out), corpus, shown)
        # A long decay: while the decoder still swings, its average is softer than it is at any moment.
        schedule = Schedule(
            minutes, samples, batch=12, learning_rate=2e-4, betas=(0.5, 0.99), ema=10_000, warmup=1_000, decay=0.7
        )
    else:
        mean, std = cell_statistics(corpus)
        vae = build_thumbnail_vae(width, mean, std)
        objective = FidelityObjective(vae, corpus, shown)
        schedule = Schedule(minutes, samples, batch=16, learning_rate=1e-3, ema=10_000, warmup=2_000, decay=0.4)
    return fit(objective, out, schedule, resume, device)


def _large_enough(pictures: list[Picture]) -> list[Picture]:
    found = [picture for picture in pictures if min(picture.pixels.shape[:2]) >= CROP]
    if not found:
        raise Text2EarthError(f"All images are too small: crops of {CROP} px are needed, and none is enlarged.")
    return found


def cell_statistics(corpus: list[Picture]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of Y, Cb and Cr over the 8x8 px cells of about 2,000 images.

    What hardly varies, as the colours of panchromatic and radar images, counts as varying by `LEAST_DEVIATION`: the
    latent is divided by it, and must stay of use for the image that does have a colour.
    """
    cells = []
    for picture in corpus[:: -(-len(corpus) // 2_000)]:
        height, width = (side - side % CELL for side in picture.pixels.shape[:2])
        means = picture.pixels[:height, :width].reshape(height // CELL, CELL, width // CELL, CELL, 3).mean((1, 3)) / 255
        cells.append(means.reshape(-1, 3) @ YCBCR.numpy().T)
    values = torch.from_numpy(np.concatenate(cells)).float()
    return values.mean(0), values.std(0).clamp_min(LEAST_DEVIATION)


class AutoencoderObjective(Objective):
    """What both stages share: native crops in, reconstructions to look at, `out/vae` written."""

    def __init__(self, vae: AutoencoderTiny, corpus: list[Picture], shown: list[Picture]):
        self.trainable = Autoencoder(vae)
        self.corpus, self.shown = corpus, shown
        self.sources = sorted({picture.source for picture in corpus})

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """Native crops, uint8 (B, CROP, CROP, 3), and the number of the data set that each is from."""
        chosen = [self.corpus[number] for number in rng.integers(len(self.corpus), size=size)]
        crops = np.stack([random_crop(picture, CROP, rng, native=True)[0] for picture in chosen])
        sources = torch.tensor([self.sources.index(picture.source) for picture in chosen])
        return {"crops": torch.from_numpy(crops), "sources": sources}

    def grid(self, averaged: "Autoencoder") -> Image.Image:
        return _reconstructions(averaged, self.shown)

    def export(self, averaged: "Autoencoder", out: Path, seen: int) -> None:
        averaged.standardised().save_pretrained(out / "vae")


class FidelityObjective(AutoencoderObjective):
    """Encoder and decoder on L1 and squared error, with a little noise on the latent so that the decoder is robust."""

    name = "vae-fidelity"

    def __init__(self, vae: AutoencoderTiny, corpus: list[Picture], shown: list[Picture]):
        keep_thumbnail_fixed(vae)
        super().__init__(vae, corpus, shown)

    def loss(self, batch: dict[str, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        target = _to_unit(batch["crops"], self.trainable)
        latents = self.trainable.encode(target, learn=True)
        noise = torch.randn_like(latents) * 0.1 * torch.rand(len(latents), 1, 1, 1, device=latents.device)
        raw, output = self.trainable.decode(latents + noise, thumbnail(self.trainable.vae, latents))
        squared = F.mse_loss(output, target)
        distance = F.l1_loss(output, target) + F.l1_loss(raw, target) + 10 * squared
        return distance, {"psnr": -10 * squared.log10().item()}


class Autoencoder(nn.Module):
    """The stock autoencoder with its learned latent channel standardised on the fly while it is being trained."""

    mean: Tensor
    variance: Tensor

    def __init__(self, vae: AutoencoderTiny):
        super().__init__()
        self.vae = vae
        repeat_borders(vae)
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("variance", torch.ones(()))

    def encode(self, pixels: Tensor, learn: bool = False) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 4, H/8, W/8), each channel of about unit variance over real images."""
        latents = self.vae.encode(pixels * 2 - 1).latents.float()
        learned = latents[:, 3:]
        if learn:
            with torch.no_grad():
                self.mean.lerp_(learned.mean(), 0.01)
                self.variance.lerp_(learned.var(), 0.01)
            learned = (learned - learned.mean()) / (learned.var() + 1e-6).sqrt()
        else:
            learned = (learned - self.mean) / (self.variance + 1e-6).sqrt()
        return torch.cat([latents[:, :3], learned], 1)

    def decode(self, latents: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
        """The decoder's own output and its projection onto the cell means, both (B, 3, H, W).

        Both are trained: were only the projection scored, the decoder would leave its cells' colours to the
        projection, which then shows as a pattern of blocks, and stock programs would see wrong colours.
        """
        raw = decode(self.vae, latents)
        return raw, project(raw, means)

    def standardised(self) -> AutoencoderTiny:
        """Return a stock autoencoder with the standardisation written into the encoder's last layer."""
        vae = AutoencoderTiny.from_config(self.vae.config)
        vae.load_state_dict(self.vae.state_dict())
        last, scale = vae.encoder.layers[-1], (self.variance + 1e-6).sqrt()
        with torch.no_grad():
            last.weight[3] /= scale
            last.bias[3] = (last.bias[3] - self.mean) / scale
        return vae


class TextureObjective(AutoencoderObjective):
    """The decoder against a conditional patch discriminator; the encoder is frozen.

    Distances alone leave a few per cent of the real Laplacian energy (the picture looks out of focus). The
    discriminator brings texture back, and the band-energy term keeps its amount right place by place. Alone it leaves
    too little of the finest detail: what cannot be known is best guessed at the median of the logarithm, but energies
    have long tails. The balance of sums over many batches brings their mean back, for each data set by itself: were
    only the whole right, a sharpened one would get too little and the others too much.
    """

    name = "vae-texture"

    def __init__(self, vae: AutoencoderTiny, corpus: list[Picture], shown: list[Picture]):
        vae.encoder.requires_grad_(False)
        super().__init__(vae, corpus, shown)
        self.trainable.variance.fill_(1 - 1e-6)  # the encoder on disk is standardised already
        self.discriminator = TextureDiscriminator()
        self.optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=4e-4, betas=(0.5, 0.99))
        self.sums = torch.full((2, len(self.sources)), 1e-2)  # running Laplacian energies: of what is made, and real

    def loss(self, batch: dict[str, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        target = _to_unit(batch["crops"], self.trainable)
        self.discriminator.to(target.device)
        with torch.no_grad():
            latents = self.trainable.encode(target)
            means = thumbnail(self.trainable.vae, latents)
        raw, output = self.trainable.decode(latents, means)
        critic = self._train_discriminator(target, output.detach(), means)
        self.discriminator.requires_grad_(False)
        adversarial = -sum(score.mean() for score in self.discriminator(output, means)) / 2
        self.discriminator.requires_grad_(True)
        distance = F.l1_loss(output, target) + F.l1_loss(_chroma(output), _chroma(target)) + F.l1_loss(raw, target)
        energy = band_energy_distance(output, target)
        balance = self.balance(output, target, batch["sources"])
        figures = {
            "distance": distance.item(),
            "critic": critic,
            "energy": energy.item(),
        }
        for source, ratio in zip(self.sources, self.sums[0] / self.sums[1], strict=True):
            figures[f"laplacian_{source}"] = ratio.item()
        return distance + 0.05 * adversarial + 0.05 * energy + BALANCE * balance, figures

    def balance(self, output: Tensor, target: Tensor, sources: Tensor) -> Tensor:
        """Has the slope of half the squared error of ours / theirs, summed over data sets.

        The ratio is that of running sums, since one batch's says little. sources: (B,), numbers of `self.sources`.
        """
        self.sums = self.sums.to(output.device)
        share = F.one_hot(sources.to(output.device), len(self.sources)) / len(output)
        ours, theirs = (_laplacian(image).square().mean((1, 2, 3)) @ share for image in (output, target))
        self.sums += 0.03 * (torch.stack([ours.detach(), theirs]) - self.sums)
        return ((self.sums[0] / self.sums[1] - 1) * ours / self.sums[1]).sum()

    def _train_discriminator(self, real: Tensor, fake: Tensor, means: Tensor) -> float:
        both = self.discriminator(torch.cat([real, fake]), torch.cat([means, means]))
        loss = torch.zeros((), device=real.device)
        for score in both:
            on_real, on_fake = score.float().chunk(2)
            loss = loss + F.relu(1 - on_real).mean() + F.relu(1 + on_fake).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item() / len(both)

    def extras(self) -> dict[str, Tensor]:
        critic = module_tensors(self.discriminator, "critic") | optimizer_tensors(self.optimizer, "critic_optimizer")
        return critic | {"sums": self.sums}

    def restore_extras(self, tensors: dict[str, Tensor]) -> None:
        restore_module(self.discriminator, tensors, "critic")
        restore_optimizer(self.optimizer, tensors, "critic_optimizer")
        sums = tensors.get("sums")
        if sums is None or sums.shape != self.sums.shape:
            raise Text2EarthError("The checkpoint is of a run on other data sets: train on the same, or delete it.")
        self.sums = sums


def band_energy_distance(output: Tensor, target: Tensor) -> Tensor:
    """Mean |log ratio| of local luma energy in three octaves: how much texture there is, not where it lies."""
    total = torch.zeros((), device=output.device)
    ours, theirs = _luma(output.float()), _luma(target.float())
    for _ in range(3):
        bands = []
        for image in (ours, theirs):
            low = F.interpolate(F.avg_pool2d(image, 2), scale_factor=2, mode="bilinear", align_corners=False)
            bands.append(F.avg_pool2d((image - low).square(), 16 if image.shape[-1] >= 32 else image.shape[-1]))
        total = total + (torch.log(bands[0] + 1e-5) - torch.log(bands[1] + 1e-5)).abs().mean()
        ours, theirs = F.avg_pool2d(ours, 2), F.avg_pool2d(theirs, 2)
    return total / 3


def _luma(pixels: Tensor) -> Tensor:
    return torch.einsum("c,bchw->bhw", YCBCR[0].to(pixels), pixels)[:, None]


def _chroma(pixels: Tensor) -> Tensor:
    return torch.einsum("rc,bchw->brhw", YCBCR[1:].to(pixels), pixels)


def _laplacian(pixels: Tensor) -> Tensor:
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=pixels.device)[None, None]
    return F.conv2d(_luma(pixels.float()), kernel)


def _to_unit(batch: Tensor, module: nn.Module) -> Tensor:
    return batch.to(next(module.parameters()).device).permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def _reconstructions(autoencoder: Autoencoder, shown: list[Picture]) -> Image.Image:
    rows = []
    for picture in shown:
        side = min(picture.pixels.shape[:2]) // CELL * CELL
        pixels = torch.from_numpy(picture.pixels[None, :side, :side])
        target = _to_unit(pixels, autoencoder)
        latents = autoencoder.encode(target)
        _, output = autoencoder.decode(latents, thumbnail(autoencoder.vae, latents))
        rows += [picture.pixels[:side, :side], (output[0].clamp(0, 1).permute(1, 2, 0).cpu().numpy() * 255).round()]
    return tile_images(rows, columns=6)
