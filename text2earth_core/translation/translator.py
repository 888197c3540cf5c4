"""A translator: a trainable copy of the UNet's encoder beside the frozen model (ControlNet, Zhang et al. 2023).

One trunk for all tasks and for both samplers. It makes the target's modality by itself, without the modality's adapter:
the condition says all that an adapter would, and the trunk then works with every base and student it was trained with,
whatever adapters there are.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.translation.condition import CHANNELS, KNOWN, held_channels
from text2earth_core.translation.tasks import TASKS, Task

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "translators"
OWN = "translator"
"""Folder of a model's own, in the model's folder."""

MANIFEST_FILE = "translator.json"
WEIGHTS_FILE = "diffusion_pytorch_model.safetensors"

EMBEDDING = (128,)
"""Channels between the condition and the trunk's first layer. One number: the condition is at the latent's resolution
already, and a second would halve it."""


@dataclass(frozen=True)
class Manifest:
    """`translator.json`: tasks that the trunk has learned, `ModelInfo.base` of its model, and how it came about."""

    tasks: tuple[str, ...]
    base: str
    base_name: str
    samples: int = 0
    data: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    version: int = 1

    def write(self, folder: Path) -> None:
        """Write it into the translator's folder."""
        (folder / MANIFEST_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a translator's folder; Text2EarthError where it is missing, damaged or newer."""
    place = folder / MANIFEST_FILE
    try:
        found = json.loads(place.read_bytes())
        known = {name: found[name] for name in Manifest.__dataclass_fields__ if name in found}
        manifest = Manifest(**known | {"tasks": tuple(found["tasks"])})
        if manifest.version != Manifest.version:
            raise ValueError(f"it has version {manifest.version}: update the program")
        if not all(isinstance(text, str) for text in (manifest.base, manifest.base_name, *manifest.tasks)):
            raise ValueError("a name in it is no text")
    except FileNotFoundError:
        raise Text2EarthError(f"{folder} holds no translator: {MANIFEST_FILE} is missing.") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Text2EarthError(f"{place} cannot be used: {reason_of(error)}.") from None
    return manifest


def new_trunk(unet: UNet2DConditionModel) -> ControlNetModel:
    """A trunk that leaves what `unet` predicts as it is, bit for bit, until it is trained.

    Its outputs are zero at first, its view of the condition is not: with both at zero nothing would be learned of the
    condition until the outputs have grown.
    """
    trunk = ControlNetModel.from_unet(
        unet, conditioning_channels=CHANNELS, conditioning_embedding_out_channels=EMBEDDING
    )
    trunk.controlnet_cond_embedding.conv_out.reset_parameters()
    return cast_levels(trunk)


def cast_levels(trunk: ControlNetModel) -> ControlNetModel:
    """Bring the embedded level to the trunk's precision, as the UNet does and stock ControlNetModel forgets to."""
    if trunk.class_embedding is not None:
        trunk.class_embedding.register_forward_pre_hook(lambda module, given: (given[0].to(trunk.dtype), *given[1:]))
    return trunk


class Translator:
    """A trunk at work on one task: what `Stepper` asks of a control.

    Args:
        thumbnail: the latent's first channels are an exact thumbnail, see `ModelFacts`.
    """

    def __init__(self, trunk: ControlNetModel, task: Task, thumbnail: bool) -> None:
        self._trunk, self._held = trunk, held_channels(task) if thumbnail else 0

    def residuals(
        self, inputs: Tensor, t: Tensor, embeddings: Tensor, levels: Tensor, condition: Tensor
    ) -> tuple[Sequence[Tensor], Tensor]:
        """What is added to the UNet; `condition` is (n, CHANNELS, h, w), where n divides the batch."""
        given = condition.to(inputs).repeat(len(inputs) // len(condition), 1, 1, 1)
        return self._trunk(
            inputs, t, embeddings, controlnet_cond=given, class_labels=levels, return_dict=False
        )  # fmt: skip

    def hold(self, estimate: Tensor, condition: Tensor) -> Tensor:
        """An estimate of clean latents (B, 4, h, w) with what the source says for certain of each cell it knows."""
        if not self._held:
            return estimate
        certain = condition[:, KNOWN : KNOWN + 1].to(estimate) == 1
        held = torch.where(certain, condition[:, : self._held].to(estimate), estimate[:, : self._held])
        return torch.cat([held, estimate[:, self._held :]], 1)


class Translators:
    """The translator of a model, loaded when it is first asked for. Safe to use from several threads.

    Args:
        base: `ModelInfo.base` of the model. unet: its network, for device and precision.
    """

    def __init__(self, base: str, unet: UNet2DConditionModel, thumbnail: bool) -> None:
        self._base, self._unet, self._thumbnail = base, unet, thumbnail
        self._lock = threading.Lock()
        self._manifest: Manifest | None = None
        self._folder: Path | None = None
        self._trunk: ControlNetModel | None = None
        self._fingerprint = ""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Those that it has learned; none where there is no translator."""
        return tuple(name for name in TASKS if self._manifest and name in self._manifest.tasks)

    @property
    def fingerprint(self) -> str:
        """Hash of the weights, by which requests name it; empty where there is none."""
        with self._lock:
            if not self._fingerprint and self._folder is not None:
                try:
                    with (self._folder / WEIGHTS_FILE).open("rb") as file:
                        self._fingerprint = hashlib.file_digest(file, "sha256").hexdigest()[:16]
                except OSError as error:
                    raise Text2EarthError(f"{self._folder / WEIGHTS_FILE} cannot be read: {error.strerror}.") from None
            return self._fingerprint

    def find(self, own: Path, shipped: Path = SHIPPED) -> None:
        """Take the model's own, or else a shipped one that was made for its base."""
        for place in (own, *sorted(shipped.glob("*"))):
            if (place / MANIFEST_FILE).is_file() and read_manifest(place).base == self._base:
                self.load(place)
                return

    def load(self, folder: str | Path) -> None:
        """Use the translator in a folder from now on.

        Raises:
            Text2EarthError: it is missing, damaged or made for another model.
        """
        place = Path(folder).expanduser()
        manifest = read_manifest(place)
        if manifest.base != self._base:
            raise Text2EarthError(
                f"{place} was made for another model ({manifest.base_name} {manifest.base}): this one is {self._base}."
            )
        with self._lock:
            self._manifest, self._folder, self._trunk, self._fingerprint = manifest, place, None, ""

    def use(self, trunk: ControlNetModel, tasks: Sequence[str]) -> None:
        """Use a trunk in memory, as training does."""
        with self._lock:
            self._manifest, self._folder = Manifest(tuple(tasks), self._base, ""), None
            self._trunk, self._fingerprint = trunk, "in-memory"

    def get(self, task: Task) -> Translator:
        """The translator for a task; Text2EarthError where the model has none, or one that has not learned it."""
        if task.name not in self.tasks:
            there = ", ".join(self.tasks)
            raise Text2EarthError(
                f"This model cannot do {task.name}: "
                + (f"its translator knows {there}." if there else "train a translator for it with `text2earth train "
                   "translator`, or load one that was made for it.")
            )  # fmt: skip
        with self._lock:
            if self._trunk is None:
                assert self._folder is not None  # `use` and `load` leave one or the other
                self._trunk = load_trunk(self._folder).to(self._unet.device, self._unet.dtype).eval()
            return Translator(self._trunk, task, self._thumbnail)


def load_trunk(folder: Path) -> ControlNetModel:
    """The trunk in a folder, in its stored precision; Text2EarthError where it is damaged or of another make."""
    try:
        trunk = ControlNetModel.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    except Exception as error:
        raise Text2EarthError(f"The translator in {folder} cannot be loaded: {reason_of(error)}.") from None
    if trunk.config.conditioning_channels != CHANNELS:
        raise Text2EarthError(
            f"The translator in {folder} sees {trunk.config.conditioning_channels} channels, not {CHANNELS}: train it "
            "anew."
        )
    return cast_levels(trunk.requires_grad_(False))
