"""How much an evaluation does: the protocol's counts, or as much of them as a time budget allows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

PROTOCOL_IMAGES = 2_000
"""Images a side from which a Fréchet distance counts."""

OMEGAS = tuple(range(8))
"""Guidance omega = s - 1 of the sweep."""

GENERATING, TRAINING = 0.55, 0.25
"""Shares of a time budget."""

TRAINING_RATE = 200.0
"""Samples a second that the classifier trains with on two cores; only used to divide a time budget."""


@dataclass(frozen=True)
class Plan:
    """Counts of one evaluation.

    images: generated and real images a side for distances and Cls-OA. feature_samples, judge_samples: training of the
    two networks. accuracy_samples: training of each classifier for Cls-OA. control_seeds: seeds for each of the 30
    prompts. sweep_images: for each omega. outpainted: halves. scale_seeds: for each class and resolution.
    scale_classes: how many classes at most. reconstructed: images through the autoencoder. rounds: of decoding and
    encoding. limit: real training images of each file (None: all). repeat: timings.
    """

    images: int = PROTOCOL_IMAGES
    feature_samples: int = 150_000
    judge_samples: int = 150_000
    accuracy_samples: int = 100_000
    control_seeds: int = 8
    sweep_images: int = 128
    outpainted: int = PROTOCOL_IMAGES
    scale_seeds: int = 32
    scale_classes: int = 7
    reconstructed: int = 512
    rounds: int = 30
    structure: int = 72
    limit: int | None = None
    repeat: int = 3

    @classmethod
    def with_images(cls, images: int) -> Plan:
        """The protocol with another number of images a side."""
        return replace(cls(), images=images, outpainted=min(images, PROTOCOL_IMAGES))

    @classmethod
    def within(cls, minutes: float, seconds_per_image: float, samplers: int = 1) -> Plan:
        """What fits into a time budget, shrunk evenly, but never so far that a measurement says nothing at all.

        Args:
            seconds_per_image: of the teacher on this machine. samplers: 2 when the student is measured as well; its
                images cost a fraction, its classifier as much as any.
        """
        full = cls()
        images = full.images + 30 * full.control_seeds + len(OMEGAS) * full.sweep_images + full.outpainted
        images += full.scale_seeds * full.scale_classes * 7
        share = min(1.0, GENERATING * 60 * minutes / (images * seconds_per_image * (1 + 0.3 * (samplers - 1))))
        samples = full.feature_samples + full.judge_samples + (2 + samplers) * full.accuracy_samples
        training = min(1.0, TRAINING * 60 * minutes * TRAINING_RATE / samples)
        return cls(
            images=max(30, int(full.images * share)),
            feature_samples=max(2_000, int(full.feature_samples * training)),
            judge_samples=max(2_000, int(full.judge_samples * training)),
            accuracy_samples=max(1_000, int(full.accuracy_samples * training)),
            control_seeds=max(1, int(full.control_seeds * share)),
            sweep_images=max(3, int(full.sweep_images * share)),
            outpainted=max(8, int(full.outpainted * share)),
            scale_seeds=max(1, int(full.scale_seeds * share)),
            scale_classes=2 if share < 0.05 else full.scale_classes,
            structure=72 if share > 0.2 else 12,
            reconstructed=max(16, int(full.reconstructed * min(1.0, 4 * share))),
            limit=None if share > 0.2 else 400,
            repeat=full.repeat if share > 0.05 else 1,
        )

    @property
    def below_protocol(self) -> bool:
        """Whether the counts are too small for figures that others may be compared with."""
        full = Plan()
        return self.limit is not None or any(
            getattr(self, name) < getattr(full, name)
            for name in ("images", "control_seeds", "scale_seeds", "outpainted", "judge_samples", "feature_samples")
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
