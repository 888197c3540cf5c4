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
from diffusers import UNet2DConditionModel
from torch import Tensor

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.translation.condition import KNOWN, guessed_channels, held_channels
from text2earth_core.translation.first_guess import FirstGuess
from text2earth_core.translation.tasks import TASKS, Task
from text2earth_core.translation.trunk import WEIGHTS_FILE, Trunk
from text2earth_core.translation.veil import Veil

SHIPPED = Path(__file__).parent.parent.parent / "assets" / "translators"
OWN = "translator"
"""Folder of a model's own, in the model's folder."""

MANIFEST_FILE = "translator.json"


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


class Translator:
    """A trunk at work on one task: what `Stepper` asks of a control.

    Args:
        thumbnail: the latent's first channels are an exact thumbnail, see `ModelFacts`.
    """

    def __init__(self, trunk: Trunk, task: Task, thumbnail: bool) -> None:
        self._trunk, self._guess = trunk, trunk.guess_for(task)
        self._held, self._guessed = (held_channels(task), guessed_channels(task)) if thumbnail else (0, 0)

    def residuals(
        self, inputs: Tensor, t: Tensor, embeddings: Tensor, levels: Tensor, condition: Tensor
    ) -> tuple[Sequence[Tensor], Tensor]:
        """What is added to the UNet; `condition` is (n, CHANNELS, h, w), where n divides the batch."""
        given = condition.to(inputs).repeat(len(inputs) // len(condition), 1, 1, 1)
        return self._trunk(inputs, t, embeddings, given, levels)

    def hold(self, estimate: Tensor, condition: Tensor) -> Tensor:
        """An estimate of clean latents (B, 4, h, w) with what the source says of each cell it knows.

        That is what follows from it for certain, and what the first guess makes of it.
        """
        known, joined = condition[:, KNOWN : KNOWN + 1].to(estimate) == 1, estimate
        if self._guessed:
            guess = self._guess(condition.to(next(self._guess.parameters()))).to(estimate)
            joined = _replaced(joined, guess, known, self._guessed)
        return _replaced(joined, condition, known, self._held)


def _replaced(estimate: Tensor, by: Tensor, where: Tensor, channels: int) -> Tensor:
    """An estimate (B, 4, h, w) with the first channels of another where `where` (B, 1, h, w) says so."""
    replaced = torch.where(where, by[:, :channels].to(estimate), estimate[:, :channels])
    return torch.cat([replaced, estimate[:, channels:]], 1)


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
        self._trunk: Trunk | None = None
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
                whole = hashlib.sha256()
                for name in (WEIGHTS_FILE, FirstGuess.file, Veil.file):
                    place = self._folder / name
                    try:
                        with place.open("rb") as file:
                            whole.update(hashlib.file_digest(file, "sha256").digest())
                    except OSError as error:
                        raise Text2EarthError(f"{place} cannot be read: {error.strerror}.") from None
                self._fingerprint = whole.hexdigest()[:16]
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

    def use(self, trunk: Trunk, tasks: Sequence[str]) -> None:
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
                self._trunk = Trunk.load(self._folder).to(self._unet.device, self._unet.dtype).eval()
            return Translator(self._trunk, task, self._thumbnail)
