"""A small scene classifier: the feature network, the judge of prompts, and what is trained for Cls-OA.

One architecture for all three. It trains on random crops at 64 px and looks at whole images at 80 px: crops enlarge
what they show, so the larger test size gives objects the size they were learned at (Touvron et al. 2019).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.data.captions import class_of
from text2earth_core.data.corpus import Picture, random_crop
from text2earth_core.networks.residual import residual_body
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Objective, Schedule, fit

TRAIN_SIDE, TEST_SIDE = 64, 80
FEATURES = 64
"""Dimensions of the features: a Fréchet distance of 2,000 images is hardly biased with so few."""

WEIGHTS = "classifier.safetensors"


class SceneNetwork(nn.Module):
    """A residual network: pixels in [0, 1] (B, 3, h, w) to logits (B, classes); 73 M multiplications at 64 px."""

    def __init__(self, classes: int, width: int = 32):
        super().__init__()
        self.body = residual_body(width)
        self.embed = nn.Linear(8 * width, FEATURES)
        self.head = nn.Linear(FEATURES, classes)

    def features(self, pixels: Tensor) -> Tensor:
        """(B, FEATURES)."""
        return self.embed(self.body((pixels - 0.4) / 0.2).mean((2, 3)))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(F.relu(self.features(pixels)))


class SceneClassifier:
    """A trained network with the names of its classes."""

    def __init__(self, network: SceneNetwork, classes: Sequence[str]):
        self.network, self.classes = network.eval().float(), list(classes)

    def features(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Features float32 (N, FEATURES) of uint8 (H, W, 3) images of about one shape, seen whole."""
        return self._run(self.network.features, images)

    def scores(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Logits float32 (N, classes)."""
        return self._run(self.network, images)

    def ranked(self, images: Iterable[np.ndarray]) -> list[list[str]]:
        """Class names for each image, most probable first."""
        return [[self.classes[i] for i in row] for row in np.argsort(-self.scores(images), axis=1)]

    @torch.no_grad()
    def _run(self, network: Callable[[Tensor], Tensor], images: Iterable[np.ndarray], batch: int = 128) -> np.ndarray:
        remaining, results = iter(images), []
        while part := list(islice(remaining, batch)):
            height, width = shrink(part[0], TEST_SIDE).shape[:2]
            small = [cv2.resize(np.ascontiguousarray(i), (width, height), interpolation=cv2.INTER_AREA) for i in part]
            pixels = np.stack(small)
            results.append(network(to_unit(torch.from_numpy(pixels))).numpy())
        return np.concatenate(results)

    def save(self, path: Path) -> None:
        save_file(self.network.state_dict(), path, metadata={"classes": json.dumps(self.classes)})

    @classmethod
    def load(cls, path: Path) -> SceneClassifier:
        with safe_open(path, "pt") as file:
            classes = json.loads(file.metadata()["classes"])
        network = SceneNetwork(len(classes))
        network.load_state_dict(load_file(path))
        return cls(network, classes)


def train_classifier(
    corpus: Sequence[Picture],
    out: Path,
    samples: int,
    start: SceneClassifier | None = None,
    held_back: Sequence[Picture] = (),
) -> SceneClassifier:
    """Train on labelled pictures until `samples` were seen; resumes, and returns at once what is trained already.

    Args:
        out: folder of weights, checkpoint and metrics. start: weights to begin with (its classes may be others).
        held_back: pictures on which the accuracy is logged whenever the run is saved.
    """
    finished = out / "trained.json"
    if finished.is_file() and json.loads(finished.read_text())["samples"] >= samples:
        return SceneClassifier.load(out / WEIGHTS)
    objective = ClassifierObjective(corpus, start, held_back)
    schedule = Schedule(
        None, samples, batch=64, learning_rate=2e-3, weight_decay=0.05, warmup=samples // 5, decay=0.8, ema=1_000
    )
    result = fit(objective, out, schedule, resume=True)
    finished.write_text(json.dumps({"samples": result["samples"]}))
    return SceneClassifier.load(out / WEIGHTS)


def accuracy(classifier: SceneClassifier, pictures: Sequence[Picture], among: int = 1) -> float:
    """Share of pictures whose class is among the classifier's first `among`."""
    ranked = classifier.ranked(picture.pixels for picture in pictures)
    return float(np.mean([class_of(p.label) in names[:among] for names, p in zip(ranked, pictures, strict=True)]))


class ClassifierObjective(Objective):
    """Cross-entropy with label smoothing over random resize crops, turned, mirrored and varied in brightness."""

    name = "classifier"

    def __init__(self, corpus: Sequence[Picture], start: SceneClassifier | None, held_back: Sequence[Picture] = ()):
        self.corpus, self.held_back = corpus, held_back
        self.classes = sorted({class_of(picture.label) for picture in corpus})
        self.labels = np.array([self.classes.index(class_of(picture.label)) for picture in corpus])
        torch.manual_seed(0)
        network = SceneNetwork(len(self.classes))
        if start is not None:
            kept = {name: w for name, w in start.network.state_dict().items() if not name.startswith("head.")}
            network.load_state_dict(kept, strict=False)
        self.trainable: nn.Module = network

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        chosen = rng.integers(len(self.corpus), size=size)
        crops = np.empty((size, TRAIN_SIDE, TRAIN_SIDE, 3), np.uint8)
        for index, i in enumerate(chosen):
            picture = self.corpus[i]
            side = int(min(picture.pixels.shape[:2]) * rng.uniform(0.55, 1.0))
            crops[index] = shrink(random_crop(picture, side, rng, native=True)[0], TRAIN_SIDE)
        return torch.from_numpy(crops), torch.from_numpy(self.labels[chosen])

    def loss(self, batch: tuple[Tensor, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        device = next(self.trainable.parameters()).device
        pixels, labels = to_unit(batch[0].to(device)), batch[1].to(device)
        gain = torch.empty(len(pixels), 1, 1, 1, device=device).uniform_(0.8, 1.2)
        scores = self.trainable(pixels * gain).float()
        right = (scores.argmax(1) == labels).float().mean().item()
        return F.cross_entropy(scores, labels, label_smoothing=0.1), {"accuracy": right}

    def grid(self, averaged: nn.Module) -> Image.Image:
        return tile_images([shrink(picture.pixels, TEST_SIDE) for picture in self.corpus[:16]], columns=8)

    def export(self, averaged: nn.Module, out: Path, seen: int) -> None:
        network = deepcopy(averaged).cpu()
        assert isinstance(network, SceneNetwork)
        classifier = SceneClassifier(network, self.classes)
        classifier.save(out / WEIGHTS)
        if self.held_back:
            line = {"samples": seen, "held_back_accuracy": round(accuracy(classifier, self.held_back), 4)}
            with (out / "held_back.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """Resize so that the longer side has `side` px."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 (B, H, W, 3) to float32 (B, 3, H, W) in [0, 1]."""
    return pixels.permute(0, 3, 1, 2).float() / 255
