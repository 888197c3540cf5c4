"""A scene classifier trained here on real images: the judge of whether generated images answer their prompts."""

from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from text2earth_core.data.captions import class_of
from text2earth_core.data.corpus import Picture, load_corpus, random_crop
from text2earth_core.training.grids import tile_images
from text2earth_core.training.loop import Objective, Schedule, fit
from text2earth_core.training.text import ImageEncoder

SIDE = 96
WIDTH = 24
MERGED = {
    "river and lake": "lake",
    "pond": "lake",
    "residential": "dense residential",
    "medium residential": "dense residential",
}
"""Classes that name the same thing in different data sets, so that the judge need not tell the data sets apart."""


def judged_class(label: str) -> str:
    """The class that a label of any data set stands for in the judge's vocabulary."""
    name = class_of(label)
    return MERGED.get(name, name)


class SceneClassifier:
    """Names the class of an image; sees it whole, at 96 px."""

    def __init__(self, network: nn.Module, classes: list[str]):
        self.network, self.classes = network.eval(), classes

    @torch.no_grad()
    def ranked(self, images: list[Image.Image]) -> list[list[str]]:
        """Class names for each image, most probable first."""
        pixels = np.stack([_shrink(np.asarray(image.convert("RGB"))) for image in images])
        order = self.network(_to_unit(torch.from_numpy(pixels))).argsort(1, descending=True)
        return [[self.classes[i] for i in row] for row in order.tolist()]

    def save(self, path: Path) -> None:
        save_file(self.network.state_dict(), path, metadata={"classes": "|".join(self.classes)})

    @classmethod
    def load(cls, path: Path) -> "SceneClassifier":
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            classes = file.metadata()["classes"].split("|")
        network = ImageEncoder(len(classes), WIDTH)
        network.load_state_dict(load_file(path))
        return cls(network, classes)


def train_classifier(data: Path, out: Path, minutes: float, limit: int | None = None) -> SceneClassifier:
    """Train on real training images; written to `out/classifier.safetensors`."""
    objective = ClassifierObjective(load_corpus(data, limit=limit))
    schedule = Schedule(minutes, None, batch=64, learning_rate=1e-3, weight_decay=0.05, ema=20_000)
    fit(objective, out, schedule, resume=True)
    return SceneClassifier.load(out / "classifier.safetensors")


def accuracy_on(classifier: SceneClassifier, held_back: list[Picture]) -> float:
    """Share of real images whose class the judge names first."""
    ranked = classifier.ranked([Image.fromarray(picture.pixels) for picture in held_back])
    return float(np.mean([names[0] == judged_class(p.label) for names, p in zip(ranked, held_back, strict=True)]))


class ClassifierObjective(Objective):
    """Cross-entropy with label smoothing over random resize crops of real images."""

    name = "classifier"

    def __init__(self, corpus: list[Picture]):
        self.corpus = corpus
        self.classes = sorted({judged_class(picture.label) for picture in corpus})
        torch.manual_seed(0)
        self.trainable: nn.Module = ImageEncoder(len(self.classes), WIDTH)

    def batch(self, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        chosen = [self.corpus[i] for i in rng.integers(len(self.corpus), size=size)]
        crops = []
        for picture in chosen:
            side = int(min(picture.pixels.shape[:2]) * rng.uniform(0.5, 1.0))
            crops.append(_shrink(random_crop(picture, side, rng, native=True)[0]))
        labels = [self.classes.index(judged_class(picture.label)) for picture in chosen]
        return torch.from_numpy(np.stack(crops)), torch.tensor(labels)

    def loss(self, batch: tuple[Tensor, Tensor], seen: int) -> tuple[Tensor, dict[str, float]]:
        device = next(self.trainable.parameters()).device
        scores = self.trainable(_to_unit(batch[0].to(device))).float()
        labels = batch[1].to(device)
        accuracy = (scores.argmax(1) == labels).float().mean().item()
        return F.cross_entropy(scores, labels, label_smoothing=0.1), {"accuracy": accuracy}

    def grid(self, averaged: nn.Module) -> Image.Image:
        return tile_images([_shrink(picture.pixels) for picture in self.corpus[:16]], columns=8)

    def export(self, averaged: nn.Module, out: Path, seen: int) -> None:
        SceneClassifier(averaged, self.classes).save(out / "classifier.safetensors")


def _shrink(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(np.ascontiguousarray(pixels), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _to_unit(pixels: Tensor) -> Tensor:
    return pixels.permute(0, 3, 1, 2).float() / 255
