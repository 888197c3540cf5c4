"""How a model is run on a machine: in which precision, and what waits in main memory, by the memory that is free."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from text2earth_core.device import pick_dtype
from text2earth_core.errors import Text2EarthError
from text2earth_core.machine.footprint import Footprint
from text2earth_core.machine.memory import free_and_total

WORKING = 2 << 30
"""Most bytes that are counted for what is computed, beside the weights; for a small model what it weighs."""

NOTHING, PARTS, LAYERS = "nothing", "parts", "layers"
"""What waits in main memory: nothing, text encoder and autoencoder, or the layers of all networks."""

_WORDS = {
    NOTHING: "",
    PARTS: ", text encoder and autoencoder wait in main memory",
    LAYERS: ", all layers wait in main memory, which is slow",
}


@dataclass(frozen=True)
class Fit:
    """device, dtype: where and in which precision the UNet computes. waiting: `NOTHING`, `PARTS` or `LAYERS`.
    slicing: attention is computed in slices. needed: bytes on the device. free: bytes there were."""

    device: torch.device
    dtype: torch.dtype
    waiting: str
    slicing: bool
    needed: int
    free: int

    def words(self) -> str:
        """What a person wants to know of it."""
        precision = str(self.dtype).removeprefix("torch.")
        sliced = ", attention in slices" if self.slicing else ""
        return f"{precision} on {self.device}{_WORDS[self.waiting]}{sliced}"


def fit_model(
    size: Footprint, device: torch.device, dtype: str | None = None, free: int | None = None, spare: int | None = None
) -> Fit:
    """The fastest way to run a model of this size.

    Args:
        dtype: its name; None leaves it open. free, spare: bytes that are free on the device and in main memory, looked
            up unless they are given.

    Raises:
        Text2EarthError: memory does not suffice in any way, or there is no such precision.
    """
    wanted = pick_dtype(device, dtype)
    free = free_and_total(device)[0] if free is None else free
    if device.type == "cpu":
        precisions = [wanted] if dtype is not None or wanted == torch.bfloat16 else [wanted, torch.bfloat16]
        ways = [(precision, NOTHING, number > 0) for number, precision in enumerate(precisions)]
    else:
        ways = [(wanted, NOTHING, False), (wanted, PARTS, True), (wanted, LAYERS, True)]
    needed = 0
    for precision, waiting, slicing in ways:
        needed = _needed(size, precision, waiting)
        if needed <= free:
            if waiting != NOTHING:
                _check_main_memory(size, precision, spare)
            return Fit(device, precision, waiting, slicing, needed, free)
    raise Text2EarthError(
        f"This model takes {gigabytes(needed)} of memory, and {gigabytes(free)} are free on {device}: close other "
        "programs, or use a machine with more memory."
    )


def gigabytes(count: int) -> str:
    """Bytes as people read them."""
    return f"{count / 1e9:.1f} GB"


def _needed(size: Footprint, precision: torch.dtype, waiting: str) -> int:
    unet = size.unet * precision.itemsize * (1 + size.student)
    parts = size.vae * precision.itemsize + size.text * torch.float32.itemsize
    working = min(WORKING, unet + parts)
    match waiting:
        case "nothing":
            return unet + parts + working
        case "parts":
            return unet + working // 2
        case _:
            return working // 2


def _check_main_memory(size: Footprint, precision: torch.dtype, spare: int | None) -> None:
    spare = free_and_total(torch.device("cpu"))[0] if spare is None else spare
    weights = size.unet * precision.itemsize * (1 + size.student) + size.vae * precision.itemsize + size.text * 4
    if weights > spare:
        raise Text2EarthError(
            f"This model's weights take {gigabytes(weights)}, and neither the accelerator nor main memory "
            f"({gigabytes(spare)} free) holds them: close other programs, or use a machine with more memory."
        )
