"""`Text2Earth`: one object that holds a model and does what a model can do."""

import shutil
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from PIL import Image
from torch import Tensor

from text2earth_core.adapters.library import OWN, SHIPPED, AdapterInfo, Chosen, Library
from text2earth_core.device import DTYPES, pick_device
from text2earth_core.errors import Text2EarthError
from text2earth_core.facts import FAST_STEPS, MAX_SIDE, MAX_STEPS, SIDE_STEP, ModelFacts, mini_facts
from text2earth_core.folder import STUDENT, load_parts, locate, save_part, write_facts
from text2earth_core.machine.fit import fit_model
from text2earth_core.machine.footprint import footprint
from text2earth_core.machine.settle import settle, settle_unet
from text2earth_core.modalities import RGB, get_modality
from text2earth_core.model_info import ModelInfo
from text2earth_core.networks.codec import Codec
from text2earth_core.networks.lexicon import EMPTY, load_lexicon
from text2earth_core.networks.student import Student
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.networks.tokens import PromptReport, load_words, save_words
from text2earth_core.pictures import picture_of
from text2earth_core.prompts import split_level
from text2earth_core.sampling.conditioning import TextConditioner
from text2earth_core.sampling.inpainting import inpaint_image
from text2earth_core.sampling.leading import Lead
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import FAST, QUALITY, Sampling, Settled
from text2earth_core.sampling.stepper import StepCallback, Stepper
from text2earth_core.speckle import filtered_cells, speckled
from text2earth_core.translation.translator import OWN as TRANSLATOR
from text2earth_core.translation.translator import Translators
from text2earth_core.untrained import untrained_parts


class Text2Earth:
    """A text-to-remote-sensing-image diffusion model: UNet, autoencoder, text tower and scheduler of one folder."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        codec: Codec,
        text: TextConditioner,
        scheduler: DDIMScheduler,
        facts: ModelFacts,
        fingerprint: str,
        words: frozenset[str] = frozenset(),
        student: Student | None = None,
        base: str = "in-memory",
    ):
        self.unet, self.codec, self.text, self.scheduler = unet, codec, text, scheduler
        self.facts, self.words, self.student, self.lexicon = facts, words, student, EMPTY
        limit = min(text.tokenizer.model_max_length, text.encoder.config.max_position_embeddings) - 2
        self.info = ModelInfo(
            facts.name, fingerprint, facts.window, CELL, 4, codec.halo, facts.resolutions, facts.resolution,
            facts.steps, facts.guidance, MAX_STEPS, limit, unet.config.in_channels == 9,
            unet.config.class_embed_type is not None,
            (QUALITY,) if student is None else (QUALITY, FAST), FAST_STEPS, str(unet.device),
            str(unet.dtype).removeprefix("torch."), base,
        )  # fmt: skip
        self._library, self.translators = Library(base, unet), Translators(base, unet, facts.thumbnail)

    @classmethod
    def from_pretrained(
        cls, folder_or_hub_id: str | Path, device: str | None = None, dtype: str | None = None
    ) -> "Text2Earth":
        """Load a model folder (official, shipped or your own) or fetch one from the hub.

        Args:
            device: "cpu", "cuda", ...; None takes the best one present.
            dtype: "float32", "bfloat16" or "float16"; None takes what is fast and fits into memory (`machine.fit`).

        Raises:
            Text2EarthError: a part is missing or damaged, the device is not there, or memory does not suffice.
        """
        place = pick_device(device)
        folder = locate(folder_or_hub_id)
        fit = fit_model(footprint(folder), place, dtype)
        parts = load_parts(folder)
        student = Student.load(folder / STUDENT, parts.unet) if (folder / STUDENT).is_dir() else None
        text_encoder = settle(parts.unet, parts.vae, parts.text_encoder, fit)
        if student is not None:
            settle_unet(student.unet, fit)
        made = Codec(parts.vae, parts.facts.thumbnail), TextConditioner(parts.tokenizer, text_encoder), parts.scheduler
        words = load_words(folder / "tokenizer")
        model = cls(parts.unet, *made, parts.facts, parts.fingerprint, words, student, parts.base)
        model.lexicon = load_lexicon(folder, words)
        model._library.find((folder / OWN, SHIPPED))
        model.translators.find(folder / TRANSLATOR)
        return model

    @classmethod
    def from_parts(
        cls,
        unet: UNet2DConditionModel,
        vae: AutoencoderTiny,
        text: TextConditioner,
        scheduler: DDIMScheduler,
        student: Student | None = None,
        **facts: Any,
    ) -> "Text2Earth":
        """Put a model together from parts in memory, as training does; `facts` are fields of `ModelFacts`."""
        facts_ = mini_facts(**facts)
        return cls(unet.eval(), Codec(vae, facts_.thumbnail), text, scheduler, facts_, "in-memory", student=student)

    @classmethod
    def from_preset(cls, name: str = "tiny", seed: int = 0) -> "Text2Earth":
        """A preset with random weights, reproducible by seed, for tests and trials."""
        parts, words = untrained_parts(name, seed)
        codec, text = Codec(parts.vae, parts.facts.thumbnail), TextConditioner(parts.tokenizer, parts.text_encoder)
        return cls(parts.unet, codec, text, parts.scheduler, parts.facts, parts.fingerprint, words, base=parts.base)

    def save_pretrained(self, folder: str | Path, dtype: str | None = None, max_shard_size: str = "10GB") -> None:
        """Write the model as a diffusers folder that `from_pretrained` and stock diffusers load.

        Args:
            dtype: precision of UNet, student and text tower on disk ("bfloat16" to ship); None keeps each part's own.
            max_shard_size: largest file of weights.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in (("unet", self.unet), ("text_encoder", self.text.encoder)):
            kept = part if dtype is None else deepcopy(part).to(DTYPES[dtype])
            save_part(kept, folder / name, max_shard_size=max_shard_size)
        self.codec.vae.save_pretrained(folder / "vae")
        save_words(folder / "tokenizer", self.text.tokenizer, self.words)
        self.lexicon.save(folder)
        self.scheduler.save_pretrained(folder / "scheduler")
        if self.student is None:
            shutil.rmtree(folder / STUDENT, ignore_errors=True)  # that of a model which stood here before
        else:
            self.student.save(folder / STUDENT, None if dtype is None else DTYPES[dtype])
        write_facts(folder, self.facts)

    @property
    def adapters(self) -> tuple[AdapterInfo, ...]:
        """Those it knows: the model's own, those shipped for its base, and those that were loaded since."""
        return self._library.known

    def load_adapter(self, folder_or_file: str | Path, name: str | None = None) -> AdapterInfo:
        """Add an adapter: one that makes a modality (a folder with its manifest), or a style (any LoRA that fits).

        Args:
            name: by which it is asked for; default: that of the folder, or of the file. The same file under the same
                name may be loaded again.

        Raises:
            Text2EarthError: it is damaged, a pickle, made for another model or of another rank, or the name is taken.
        """
        return self._library.add(Path(folder_or_file), name)

    def unload_adapter(self, name: str) -> None:
        """Forget an adapter; what is being made with it is finished. Text2EarthError where there is none."""
        self._library.remove(name)

    def check_prompt(self, text: str) -> PromptReport:
        """Say how long a prompt is, what of it does not fit, and which words the model has never seen."""
        return self.lexicon.check(self.text.tokenizer, self.words, split_level(text)[0])

    def encode(self, pixels: np.ndarray, modality: str = RGB) -> Tensor:
        """Pixels uint8 (H, W, 3), or (H, W, 1) of one band, sides multiples of 8, to latents float32 (4, H/8, W/8)."""
        height, width = pixels.shape[:2]
        if height % CELL or width % CELL:
            raise Text2EarthError(f"An image of {width}x{height} px cannot be encoded: use multiples of 8.")
        if get_modality(modality).speckled:
            pixels = filtered_cells(pixels, CELL)
        return self.codec.encode(pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2))

    def decode(self, latents: Tensor, modality: str = RGB, seed: int = 0, at: tuple[int, int] = (0, 0)) -> np.ndarray:
        """Latents (4, h, w) to pixels uint8 (8h, 8w, bands of the modality).

        Args:
            seed, at: of speckle, where the modality has it; x and y of the upper left pixel in the world.
        """
        chosen = get_modality(modality)
        bands = chosen.to_bands(self.codec.decode(latents))
        return speckled(bands, seed, *at) if chosen.speckled else bands

    def preview(self, latents: Tensor) -> np.ndarray:
        """Latents (4, h, w) to a small picture uint8 (h, w, 3), cheap enough for every step."""
        return self.codec.preview(latents)

    def denoise(
        self,
        prompt: str,
        sampling: Sampling,
        *,
        known: Tensor | None,
        mask: Tensor | None,
        noise: Tensor,
        masked: Tensor | None = None,
        lead: Lead | None = None,
        callback: StepCallback | None = None,
    ) -> Tensor:
        """Denoise one window of latents.

        Args:
            sampling: its seed and `follow` are not looked at: `noise` and `lead` are what they come to.
            known: float32 (4, h, w), read where the mask is 0; None composes nothing. mask: float32 (h, w), 1 =
                regenerate; None means a new window.
            noise: float32 (4, h, w) standard normal.
            masked: float32 (4, h, w), latents of the picture with the mask painted grey, for an autoencoder that looks
                beyond a cell; None takes them from `known`.
            lead: where the prompt decides and not the known ground (`text2earth_core.sampling.leading`).

        Returns:
            float32 (4, h, w) on the CPU, equal to `known` bit for bit where the mask is 0.

        Raises:
            Text2EarthError: a parameter is out of range. Cancelled: the callback raised it.
        """
        return Stepper(self, [prompt], sampling).denoise(
            noise[None],
            None if known is None else known[None],
            torch.ones_like(noise[None, :1]) if mask is None else mask[None, None],
            torch.ones(1, 1),
            None if masked is None else masked[None],
            None if callback is None else lambda step, total, estimate: callback(step, total, estimate[0]),
            lead,
        )[0]

    def unet_of(self, sampler: str, adapters: Chosen = ()) -> UNet2DConditionModel:
        """The network that a sampler of `info.samplers` asks, with adapters that `settled` has named."""
        base = self.student.unet if sampler == FAST and self.student is not None else self.unet
        return self._library.network(base, sampler, adapters)

    def settled(self, sampling: Sampling) -> Settled:
        """Settings with the sampler's defaults filled in, and all adapters by fingerprint, the modality's own as well.

        Raises:
            Text2EarthError: this model cannot take them, or does not know an adapter.
        """
        settled = sampling.settled(self.facts, self.info.samplers)
        return replace(settled, adapters=self._library.resolve(settled.layer, settled.adapters))

    def generate(
        self,
        prompts: str | Sequence[str],
        resolution: float | None = None,
        seed: int | Sequence[int] = 0,
        steps: int | None = None,
        guidance: float | None = None,
        negative_prompt: str = "",
        size: int | None = None,
        sampler: str = QUALITY,
        modality: str = RGB,
        adapters: Mapping[str, float] | None = None,
        callback: StepCallback | None = None,
    ) -> list[Image.Image]:
        """Text to images, one for each prompt.

        Args:
            prompts: one text or several. seed: one number, counted up for several prompts, or one for each.
            resolution: ground resolution in m/px; None leaves it to the prompt's Google level, else to the model.
            steps, guidance, negative_prompt, sampler: see `Sampling`. size: px a side, a multiple of 64; default the
                model's window.
            modality: see `text2earth_core.modalities`; a single band gives images of mode "L".
            adapters: names of `adapters` with weights, beside the modality's own.
        """
        texts = [self.lexicon.worded(text) for text in ([prompts] if isinstance(prompts, str) else prompts)]
        seeds = [seed + i for i in range(len(texts))] if isinstance(seed, int) else list(seed)
        if len(seeds) != len(texts):
            raise Text2EarthError(
                f"{len(texts)} prompts came with {len(seeds)} seeds: give one seed, or one for each prompt."
            )
        size = size or self.info.window
        if size % SIDE_STEP or not SIDE_STEP <= size <= MAX_SIDE:
            raise Text2EarthError(
                f"An image of {size} px cannot be made: use a multiple of {SIDE_STEP} up to {MAX_SIDE}."
            )
        chosen = tuple((adapters or {}).items())
        negative = self.lexicon.worded(negative_prompt)
        sampling = Sampling(negative, 0, steps, guidance, sampler, None, resolution, modality, chosen)
        images = []
        for text, number in zip(texts, seeds, strict=True):
            noise = world_noise(number, 0, 0, size // CELL, size // CELL)
            latents = self.denoise(text, sampling, known=None, mask=None, noise=noise, callback=callback)
            images.append(picture_of(self.decode(latents, modality, number)))
        return images

    def inpaint(
        self,
        image: Image.Image,
        mask: Image.Image,
        prompt: str,
        resolution: float | None = None,
        seed: int = 0,
        strength: float = 1.0,
        feather: int = 8,
        steps: int | None = None,
        guidance: float | None = None,
        negative_prompt: str = "",
        follow: float | None = None,
        sampler: str = QUALITY,
        modality: str = RGB,
        adapters: Mapping[str, float] | None = None,
        callback: StepCallback | None = None,
    ) -> Image.Image:
        """Regenerate the white part of a mask; pixels outside mask + feather stay bit-identical.

        Args:
            image: any size up to 2048 px, taken as 8-bit RGB and upright. mask: same size; white = regenerate, and
                transparent = keep. strength: how far it may go from what is there, up to 1 for anew.
            follow: from 0, the ground around the mask decides what grows there, to 1, the prompt does; None: the
                prompt, where there is one.
            feather: px over which new pixels fade into known ones, outside the mask.
            modality, adapters: see `generate`; of a picture in colours a single band is the luma.
        """
        chosen = tuple((adapters or {}).items())
        prompt, negative = map(self.lexicon.worded, (prompt, negative_prompt))
        sampling = Sampling(negative, seed, steps, guidance, sampler, follow, resolution, modality, chosen)
        return inpaint_image(self, image, mask, prompt, sampling, strength=strength, feather=feather, callback=callback)
