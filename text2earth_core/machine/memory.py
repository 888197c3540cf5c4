"""How much memory a device has, and how much of it is free."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import torch

_CONTROL_GROUP = Path("/sys/fs/cgroup")


def free_and_total(device: torch.device) -> tuple[int, int]:
    """Bytes of a device that are free, and all there are; those of a container where it may use fewer."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return int(free), int(total)
    machine = psutil.virtual_memory()
    free, total = int(machine.available), int(machine.total)
    limit = _number(_CONTROL_GROUP / "memory.max")
    if limit is not None and limit < total:
        used = _number(_CONTROL_GROUP / "memory.current") or 0
        free, total = min(free, max(0, limit - used)), limit
    return free, total


def _number(path: Path) -> int | None:
    """What a control group's file says; None where there is none, or it says "max"."""
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return None
