"""What the measurements of one evaluation share: model, real images, networks and generated images, each made once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from text2earth_core.data.captions import caption_of, class_of, spread_classes
from text2earth_core.data.corpus import NEVER_TRAINED, SCENES, Picture, files_of, load_corpus
from text2earth_core.evaluation.classifier import SceneClassifier, train_classifier
from text2earth_core.evaluation.generated import NamedReport, Wanted, generate_set
from text2earth_core.evaluation.plan import Plan
from text2earth_core.model import Text2Earth
from text2earth_core.networks.thumbnail_vae import CELL
from text2earth_core.sampling.feather import FEATHER
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling

PROTOCOL_FILE = "rsicd"
"""The data set of the protocol; the feature network never sees it."""


class Context:
    """Shared inputs of the measurements; everything is loaded, trained or made when first asked for.

    Args:
        folder: of the model. networks: folder of trained networks, worth keeping between evaluations. out: folder of
            this evaluation. samplers: "quality", and "fast" where the student is measured. hub: published networks may
            be fetched. modalities: adapters are measured. translation: so is the translator.
    """

    def __init__(
        self, model: Text2Earth, folder: Path, data: Path, out: Path, networks: Path, plan: Plan,
        samplers: Sequence[str], hub: bool, progress: NamedReport, modalities: bool = False, translation: bool = False,
    ):  # fmt: skip
        self.model, self.folder, self.data, self.out = model, folder, data, out
        self.networks, self.plan, self.samplers, self.progress = networks, plan, tuple(samplers), progress
        self.hub, self.modalities, self.translation = hub, modalities, translation

    @cached_property
    def training(self) -> list[Picture]:
        """Real training images of the protocol's data set, in a fixed random order."""
        found = load_corpus(self.data, "train", [PROTOCOL_FILE], self.plan.limit)
        return [found[i] for i in np.random.default_rng(0).permutation(len(found))]

    @cached_property
    def held_back(self) -> list[Picture]:
        """Held-back real images of the protocol's data set, so ordered that any first few cover the classes."""
        return spread_classes(load_corpus(self.data, "val", [PROTOCOL_FILE], self.plan.limit))

    @cached_property
    def others_held_back(self) -> list[Picture]:
        """Held-back images of the other data sets, as large as the model's window, classes spread."""
        names = [name for name in SCENES if name != PROTOCOL_FILE]
        found = load_corpus(self.data, "val", names, self.plan.limit)
        return spread_classes([p for p in found if min(p.pixels.shape[:2]) >= self.model.info.window])

    @cached_property
    def features(self) -> SceneClassifier:
        """The feature network: trained on the real images of all other data sets, so that it knows none of these."""
        others = Loaded(self, [name for name in SCENES if name != PROTOCOL_FILE])
        return train_classifier(others, self.network("features"), self.plan.feature_samples)

    @cached_property
    def judge(self) -> SceneClassifier:
        """The feature network trained on: names the 30 classes of RSICD, from all of its training images."""
        place, samples = self.network("judge"), self.plan.judge_samples
        return train_classifier(self.training, place, samples, self.features, self.held_back)

    @cached_property
    def classes(self) -> list[str]:
        return sorted({class_of(picture.label) for picture in self.held_back})

    @property
    def count(self) -> int:
        """Images a side: what the plan wants, as far as two disjoint real sets of that size can be had."""
        return min(self.plan.images, len(self.training) // 2)

    @property
    def references(self) -> tuple[list[Picture], list[Picture]]:
        """Two disjoint sets of `count` real images: the one everything is compared with, and the other real one."""
        return self.training[: self.count], self.training[self.count : 2 * self.count]

    def wanted(self) -> list[Wanted]:
        """First captions of held-back images, again with other seeds when there are too few."""
        pictures = self.held_back
        return [
            Wanted(caption_of(pictures[i % len(pictures)]), class_of(pictures[i % len(pictures)].label), seed=i)
            for i in range(self.count)
        ]

    def generated(self, sampler: str) -> list[Picture]:
        """The model's answers to `wanted`."""
        folder = self.images / f"captions-{sampler}"
        return generate_set(self.model, self.wanted(), folder, self.progress, Sampling(sampler=sampler))

    @property
    def images(self) -> Path:
        """Where this model's images are kept."""
        return self.out / "images" / self.sampled_by

    def outpainted(self, sampler: str) -> Path:
        """Where outpainted images of a sampler are kept."""
        return self.images / f"outpainted-{sampler}-{FEATHER}"

    @property
    def sampled_by(self) -> str:
        """What determines image number n of a set: weights, sampling defaults, and what n stands for."""
        info, plan = self.model.info, self.plan
        drawn = f"{info.fingerprint}-{info.steps}-{info.guidance:g}"
        return f"{drawn}-{self.data_key}-{plan.limit or 'all'}-{plan.control_seeds}"

    @cached_property
    def data_key(self) -> str:
        """Of the real images: measured against others, a model has other figures."""
        tables = [path for name in (*SCENES, NEVER_TRAINED) for path in files_of(self.data, name)]
        told = [(path.name, path.stat().st_size) for path in tables]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:8]

    def random_images(self, count: int) -> Iterator[np.ndarray]:
        """The floor: what the decoder makes of random latents."""
        side = self.model.info.window // CELL
        for number in range(count):
            yield self.model.decode(world_noise(10_000 + number, 0, 0, side, side))

    def network(self, name: str) -> Path:
        """Where a measuring network that was trained on these data is kept."""
        return self.networks / f"{name}{self._suffix}"

    @property
    def _suffix(self) -> str:
        return f"-{self.data_key}" + ("" if self.plan.limit is None else f"-{self.plan.limit}")


class Loaded(Sequence[Picture]):
    """Training images that are read from disk only if somebody looks at them: a trained network needs none."""

    def __init__(self, context: Context, names: list[str]):
        self._context, self._names = context, names

    @cached_property
    def _pictures(self) -> list[Picture]:
        return load_corpus(self._context.data, "train", self._names, self._context.plan.limit)

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index):
        return self._pictures[index]
