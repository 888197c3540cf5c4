"""Training the text encoder and the towers with contrastive losses (this model's Git-RSCLIP).

The towers can go on learning beside a locked text encoder (Zhai et al. 2022, "LiT", with the other tower locked): a
diffusion model that was trained on the encoder's states stays valid.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from open_clip.loss import SigLipLoss
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextModel, CLIPTokenizer

from text2earth_core.alignment import IMAGE_TOWER, AlignmentTowers, zero_shot
from text2earth_core.data.captions import all_texts, class_of, clean, name_class
from text2earth_core.data.corpus import Picture, load_corpus, random_crop, scene_sets
from text2earth_core.errors import Text2EarthError
from text2earth_core.folder import load_text, load_tokenizer
from text2earth_core.networks.build import build_text_encoder
from text2earth_core.networks.presets import get_preset
from text2earth_core.networks.tokens import WORDS_FILE, count_words, train_tokenizer
from text2earth_core.networks.towers import TEST_SIDE, TRAIN_SIDE, Towers, text_states, tokens
from text2earth_core.training.loop import Objective, Schedule, fit

KEPT_SIDE = 96
"""Shorter side, in px, at which images are kept in memory: enough for crops from 60 % of an image."""

SMALLEST_CROP = 0.6
"""Of an image's shorter side."""

CAPTIONS_A_STEP = 512
"""Captions without their images in a step beside a locked encoder, whose states are computed only once."""


def train_text(
    preset: str,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    locked: bool = False,
    without: Sequence[str] = (),
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train `out/text_encoder`, `out/tokenizer` and the towers `out/image_encoder`, which only evaluation uses.

    Args:
        locked: train only the towers, beside the text encoder that stands in `out`; it stays as it is, bit by bit.
        without: data sets that are left out.
    """
    there = scene_sets(data)
    files = [name for name in there if name not in without]
    if not files or not set(without) <= set(there):
        raise Text2EarthError(f"--without takes some, but not all, of {', '.join(there)}, not {', '.join(without)}.")
    if locked and not ((out / "text_encoder").is_dir() and (out / "tokenizer").is_dir()):
        raise Text2EarthError(f"{out} has no text encoder to lock: train one first, without --lock-text.")
    corpus = load_corpus(data, files=files, limit=limit, side=KEPT_SIDE)
    held_back = load_corpus(data, "val", files=files, limit=limit, side=KEPT_SIDE)
    texts = all_texts(corpus)
    torch.manual_seed(0)
    objective: TowersObjective
    if locked:
        tokenizer, encoder = load_text(out)
        read = LockedTexts(tokenizer, encoder.float(), texts)  # models are shipped in bfloat16
        objective = TowersObjective(tokenizer, encoder, read, corpus, held_back)
    else:
        if resume and (out / "tokenizer").is_dir():
            tokenizer = load_tokenizer(out)
        else:
            tokenizer = train_tokenizer(texts, get_preset(preset).tokens)
        encoder = build_text_encoder(get_preset(preset), tokenizer)
        objective = TextObjective(tokenizer, encoder, LearningTexts(tokenizer, encoder), corpus, held_back)
        objective.words = count_words(texts)
    schedule = Schedule(minutes, samples, batch=96, learning_rate=2e-3, weight_decay=0.05, decay=0.5, ema=5_000)
    return fit(objective, out, schedule, resume, device)


class Texts(Protocol):
    """How an objective reads texts."""

    captions_a_step: int

    def address(self, texts: list[str]) -> Tensor:
        """What `states` needs, prepared in the background."""

    def states(self, addressed: Tensor) -> Tensor:
        """(B, states) of B texts."""


class LearningTexts:
    """Texts through an encoder that learns."""

    captions_a_step = 0

    def __init__(self, tokenizer: CLIPTokenizer, encoder: CLIPTextModel):
        self.tokenizer, self.encoder = tokenizer, encoder

    def address(self, texts: list[str]) -> Tensor:
        return tokens(self.tokenizer, texts)

    def states(self, addressed: Tensor) -> Tensor:
        return text_states(self.encoder, addressed.to(self.encoder.device))


class LockedTexts:
    """Texts through an encoder that does not learn: all states are computed once."""

    captions_a_step = CAPTIONS_A_STEP

    @torch.no_grad()
    def __init__(self, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, texts: Sequence[str]):
        ordered = sorted(texts, key=len)  # texts of one length together waste the least on padding
        self._rows = {text: row for row, text in enumerate(ordered)}
        parts = [ordered[start : start + 256] for start in range(0, len(ordered), 256)]
        self._states = torch.cat([text_states(encoder.eval(), tokens(tokenizer, part)) for part in parts])

    def address(self, texts: list[str]) -> Tensor:
        return self._states[[self._rows[text] for text in texts]]

    def states(self, addressed: Tensor) -> Tensor:
        return addressed


class TowersObjective(Objective):
    """Images and captions meet in pairs, and both meet the names of the classes.

    Pairs: sigmoid loss (Zhai et al. 2023, eq. 1). Classes: cross-entropy over those of the image's own data set, since
    the sets divide the same ground differently (residential; dense, medium and sparse residential).
    """

    name = "towers"

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        encoder: CLIPTextModel,
        texts: Texts,
        corpus: list[Picture],
        held_back: list[Picture],
    ):
        self.tokenizer, self.encoder, self.texts = tokenizer, encoder, texts
        self.corpus, self.held_back = corpus, held_back
        self.classes = sorted({class_of(picture.label) for picture in corpus} - {""})
        if not self.classes:
            raise Text2EarthError("Towers learn from labels too, and no image has one: fill the column `label`.")
        self.labels = np.array([self._label(picture) for picture in corpus])
        self.sources = sorted({picture.source for picture in corpus})
        source = np.array([self.sources.index(picture.source) for picture in corpus])
        in_source = np.zeros((len(self.sources), len(self.classes)), bool)
        in_source[source[self.labels >= 0], self.labels[self.labels >= 0]] = True
        self.choices = in_source[source]
        self.captions = [(clean(c), index) for index, picture in enumerate(corpus) for c in picture.captions]
        self.trainable = nn.ModuleDict({"towers": Towers(2 * encoder.config.hidden_size)})
        self.pair_loss = SigLipLoss()

    def _label(self, picture: Picture) -> int:
        return self.classes.index(class_of(picture.label)) if picture.label else -1

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Tensor]:
        chosen = rng.integers(len(self.corpus), size=size)
        pictures = [self.corpus[index] for index in chosen]
        paired = [place for place, picture in enumerate(pictures) if picture.captions]
        texts = [_one_of(pictures[place].captions, rng) for place in paired]
        owners = [chosen[place] for place in paired]
        if self.captions and self.texts.captions_a_step:
            more = [self.captions[i] for i in rng.integers(len(self.captions), size=self.texts.captions_a_step)]
            texts += [text for text, _ in more]
            owners += [owner for _, owner in more]
        names = [name_class(name, rng) for name in self.classes]
        meeting = np.concatenate([chosen, np.array(owners, chosen.dtype)])
        return {
            "pixels": torch.from_numpy(np.stack([_crop(picture, rng) for picture in pictures])),
            "texts": self.texts.address(texts + names),
            "paired": torch.tensor(paired, dtype=torch.long),
            "labels": torch.from_numpy(self.labels[meeting]),
            "choices": torch.from_numpy(self.choices[meeting]),
        }

    def loss(self, batch: dict[str, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        towers = _towers_of(self.trainable)
        device = towers.bias.device
        images = towers.embed_image(batch["pixels"].to(device, non_blocking=True))
        embedded = towers.embed_text(self.texts.states(batch["texts"].to(device, non_blocking=True)))
        captions, names = embedded.split([len(embedded) - len(self.classes), len(self.classes)])
        scale, labels = towers.scale.exp(), batch["labels"].to(device)
        scores = (torch.cat([images, captions]) @ names.T * scale).float()
        scores = scores.masked_fill(~batch["choices"].to(device), -torch.inf)
        right = (scores.argmax(1) == labels).float()
        figures = {"image_accuracy": right[: len(images)].mean().item()}
        total = _cross_entropy(scores[: len(images)], labels[: len(images)])
        total = total + _cross_entropy(scores[len(images) :], labels[len(images) :])
        paired = batch["paired"].to(device)
        if len(paired):
            total = total + self.pair_loss(images[paired], captions[: len(paired)], scale, towers.bias)
            figures["caption_accuracy"] = right[len(images) :].mean().item()
        return total, figures

    def grid(self, averaged: nn.ModuleDict) -> Image.Image:
        """A small sheet that states the zero-shot accuracy on held-back images."""
        copy = deepcopy(averaged).cpu().eval()
        encoder = dict(copy.named_children()).get("text", self.encoder)
        assert isinstance(encoder, CLIPTextModel)
        towers = AlignmentTowers(self.tokenizer, encoder, _towers_of(copy))
        parts = [(name, [p for p in self.held_back if p.source == name]) for name in self.sources]
        found = [f"{name} {zero_shot(towers, pictures).accuracy:.1%}" for name, pictures in parts if pictures]
        text = "zero-shot accuracy on held-back images: " + ", ".join(found)
        sheet = Image.new("RGB", (640, 40), "white")
        ImageDraw.Draw(sheet).text((8, 12), text, fill="black")
        print(text, file=sys.stderr, flush=True)
        return sheet

    def export(self, averaged: nn.ModuleDict, out: Path, seen: int) -> None:
        (out / IMAGE_TOWER).mkdir(exist_ok=True)
        towers = _towers_of(averaged)
        weights = {name: tensor.cpu().contiguous() for name, tensor in towers.state_dict().items()}
        save_file(weights, out / IMAGE_TOWER / "model.safetensors")
        config = {"towers": towers.sizes, "side": TEST_SIDE, "data": self.sources, "samples": seen}
        (out / IMAGE_TOWER / "config.json").write_text(json.dumps(config, indent=1) + "\n")


class TextObjective(TowersObjective):
    """The same with a text encoder that learns as well."""

    name = "text"
    words: Sequence[str] = ()

    def __init__(self, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, *others: Any):
        super().__init__(tokenizer, encoder, *others)
        self.trainable["text"] = encoder

    def export(self, averaged: nn.ModuleDict, out: Path, seen: int) -> None:
        super().export(averaged, out, seen)
        encoder = averaged["text"]
        assert isinstance(encoder, CLIPTextModel)
        encoder.save_pretrained(out / "text_encoder")
        self.tokenizer.save_pretrained(out / "tokenizer")
        (out / "tokenizer" / WORDS_FILE).write_text("\n".join(self.words) + "\n", encoding="utf-8")


def _towers_of(parts: nn.ModuleDict) -> Towers:
    towers = parts["towers"]
    assert isinstance(towers, Towers)
    return towers


def _cross_entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Mean over those that have a label (not -1); zero where none has."""
    return F.cross_entropy(scores, labels, ignore_index=-1, reduction="sum") / (labels >= 0).sum().clamp(min=1)


def _one_of(captions: Sequence[str], rng: np.random.Generator) -> str:
    return clean(captions[int(rng.integers(len(captions)))])


def _crop(picture: Picture, rng: np.random.Generator) -> np.ndarray:
    """A random large part of an image, turned and mirrored, at the image tower's training size."""
    side = int(min(picture.pixels.shape[:2]) * rng.uniform(SMALLEST_CROP, 1.0))
    crop, _ = random_crop(picture, side, rng, native=True)
    return cv2.resize(crop, (TRAIN_SIDE, TRAIN_SIDE), interpolation=cv2.INTER_AREA)
