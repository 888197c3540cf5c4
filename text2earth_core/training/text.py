"""Training the text tower beside a small image tower with a sigmoid contrastive loss (this model's Git-RSCLIP)."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from text2earth_core.data.captions import CLASSES, all_texts, class_of, describe
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.presets import Preset, get_preset
from text2earth_core.tokens import WORDS_FILE, count_words, train_tokenizer
from text2earth_core.training.loop import Objective, Schedule, fit

SIDE = 96
"""Pixels along the side of what the image tower sees."""

WIDTH = 128
"""Dimensions of the space in which images and texts meet."""

IMAGE_TOWER = "image_encoder"
"""Folder of the image tower beside the model's parts; sampling does not need it, evaluation does."""


def train_text(
    preset: str,
    data: Path,
    out: Path,
    *,
    minutes: float | None = None,
    samples: int | None = None,
    resume: bool = False,
    device: str | None = None,
    limit: int | None = None,
) -> dict:
    """Train `out/text_encoder` and `out/tokenizer` (and `out/image_encoder`, which only evaluation uses)."""
    corpus = load_corpus(data, limit=limit)
    texts = all_texts(corpus)
    if resume and (out / "tokenizer").is_dir():
        tokenizer = CLIPTokenizer.from_pretrained(out / "tokenizer", local_files_only=True)
    else:
        tokenizer = train_tokenizer(texts, get_preset(preset).tokens)
    held_back = load_corpus(data, "val", limit=limit)
    objective = ContrastiveObjective(get_preset(preset), tokenizer, count_words(texts), corpus, held_back)
    schedule = Schedule(minutes, samples, batch=96, learning_rate=1e-3, weight_decay=0.05, ema=20_000)
    return fit(objective, out, schedule, resume, device)


def build_text_encoder(preset: Preset, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Return an untrained CLIP text transformer for a tokenizer, with its own marks set."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=preset.text_width,
        intermediate_size=4 * preset.text_width,
        num_hidden_layers=preset.text_layers,
        num_attention_heads=max(1, preset.text_width // 48),
        max_position_embeddings=preset.tokens,
        projection_dim=preset.text_width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


class ImageEncoder(nn.Module):
    """A small residual network: uint8-like pixels (B, 3, 96, 96) in [0, 1] -> features (B, out)."""

    def __init__(self, out: int, width: int = 16):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 5, stride=2, padding=2), nn.GroupNorm(8, width), nn.SiLU())
        stages: list[nn.Module] = []
        for scale in range(3):
            before, after = width * 2**scale, width * 2 ** (scale + 1)
            stages += [_Residual(before, after, stride=2), _Residual(after, after, stride=1)]
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(width * 8 * 2, out)

    def forward(self, pixels: Tensor) -> Tensor:
        hidden = self.stages(self.stem((pixels - 0.4) / 0.2))
        return self.head(torch.cat([hidden.mean((2, 3)), hidden.amax((2, 3))], 1))


class _Residual(nn.Module):
    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.GroupNorm(8, after), nn.SiLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.GroupNorm(8, after),
        )  # fmt: skip
        self.skip = nn.Identity() if before == after else nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(before, after, 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.body(x) + self.skip(x))


class Towers(nn.Module):
    """Both towers with the temperature and bias of the sigmoid loss."""

    def __init__(self, text: CLIPTextModel, width: int):
        super().__init__()
        self.text, self.image = text, ImageEncoder(width)
        self.project = nn.Linear(text.config.hidden_size, width, bias=False)
        self.scale, self.bias = nn.Parameter(torch.tensor(10.0).log()), nn.Parameter(torch.tensor(-5.0))

    def embed_text(self, ids: Tensor) -> Tensor:
        return F.normalize(self.project(self.text(ids).pooler_output).float(), dim=-1)

    def embed_image(self, pixels: Tensor) -> Tensor:
        return F.normalize(self.image(pixels).float(), dim=-1)

    def logits(self, images: Tensor, texts: Tensor) -> Tensor:
        return images @ texts.T * self.scale.exp() + self.bias


class ContrastiveObjective(Objective):
    """Sigmoid contrastive loss (Zhai et al. 2023, eq. 1), where a text that only names a class matches all of it."""

    name = "text"

    def __init__(
        self,
        preset: Preset,
        tokenizer: CLIPTokenizer,
        words: list[str],
        corpus: list[Picture],
        held_back: list[Picture],
    ):
        self.tokenizer, self.words = tokenizer, words
        torch.manual_seed(0)
        self.trainable = Towers(build_text_encoder(preset, self.tokenizer), WIDTH)
        self.corpus, self.held_back = corpus, held_back

    def batch(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        chosen = [self.corpus[i] for i in rng.integers(len(self.corpus), size=size)]
        described = [describe(picture, rng) for picture in chosen]
        classes = np.array([class_of(picture.label) for picture in chosen])
        names_class = np.array([only_class for _, only_class in described])
        matches = np.eye(size, dtype=bool) | ((classes[:, None] == classes[None]) & names_class[None])
        return {
            "pixels": torch.from_numpy(np.stack([_view(picture, rng) for picture in chosen])),
            "ids": self.tokens([text for text, _ in described]),
            "matches": torch.from_numpy(matches),
        }

    def tokens(self, texts: list[str]) -> Tensor:
        return self.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt").input_ids

    def loss(self, batch: dict[str, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        device = next(self.trainable.parameters()).device
        images = self.trainable.embed_image(batch["pixels"].to(device).permute(0, 3, 1, 2).float() / 255)
        texts = self.trainable.embed_text(batch["ids"].to(device))
        signs = batch["matches"].to(device).float() * 2 - 1
        return -F.logsigmoid(signs * self.trainable.logits(images, texts)).sum() / len(images), {}

    @torch.no_grad()
    def zero_shot(self, towers: Towers) -> float:
        """Share of held-back images whose class has the nearest text (mean over a class's wordings)."""
        names = sorted({class_of(picture.label) for picture in self.held_back})
        texts = [towers.embed_text(self.tokens(list(CLASSES.get(name, (name,))))).mean(0) for name in names]
        right = []
        for start in range(0, len(self.held_back), 64):
            part = self.held_back[start : start + 64]
            pixels = torch.from_numpy(np.stack([_view(picture) for picture in part])).permute(0, 3, 1, 2).float() / 255
            nearest = (towers.embed_image(pixels) @ torch.stack(texts).T).argmax(1)
            right += [names[n] == class_of(p.label) for n, p in zip(nearest.tolist(), part, strict=True)]
        return float(np.mean(right))

    def grid(self, averaged: Towers) -> Image.Image:
        """A small sheet that states the zero-shot accuracy on held-back images."""
        sheet = Image.new("RGB", (420, 40), "white")
        text = f"zero-shot accuracy on {len(self.held_back)} held-back images: {self.zero_shot(averaged.cpu()):.1%}"
        ImageDraw.Draw(sheet).text((8, 12), text, fill="black")
        print(text, file=sys.stderr, flush=True)
        return sheet

    def export(self, averaged: Towers, out: Path, seen: int) -> None:
        averaged.text.save_pretrained(out / "text_encoder")
        self.tokenizer.save_pretrained(out / "tokenizer")
        (out / "tokenizer" / WORDS_FILE).write_text("\n".join(self.words) + "\n", encoding="utf-8")
        (out / IMAGE_TOWER).mkdir(exist_ok=True)
        weights = {name: w.cpu().contiguous() for name, w in averaged.state_dict().items() if name[:5] != "text."}
        save_file(weights, out / IMAGE_TOWER / "model.safetensors")
        (out / IMAGE_TOWER / "config.json").write_text(json.dumps({"width": WIDTH, "side": SIDE}) + "\n")


def _view(picture: Picture, rng: np.random.Generator | None = None) -> np.ndarray:
    """The whole image, or a random large part of it, at the image tower's size."""
    pixels = picture.pixels
    if rng is not None:
        height, width = pixels.shape[:2]
        side = int(min(height, width) * rng.uniform(0.6, 1.0))
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        pixels = np.rot90(pixels[top : top + side, left : left + side], int(rng.integers(4)))
        pixels = pixels[:, ::-1] if rng.random() < 0.5 else pixels
    return cv2.resize(np.ascontiguousarray(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
