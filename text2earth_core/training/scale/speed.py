"""Throughput of a training: samples a second, and which share of what the machine can multiply that uses."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

BACKWARD = 2
"""A backward pass costs twice the forward pass; what checkpointing computes again does not count as useful."""

_SIDE, _REPEAT = 2048, 5


def operations(forward: Callable[[], object]) -> int:
    """Floating-point operations of training on what `forward` computes."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        forward()
    return (1 + BACKWARD) * counter.get_total_flops()


def peak_operations(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large product of matrices on this device: measured, as no table knows every machine."""
    side = _SIDE if device.type == "cuda" else _SIDE // 4
    one = torch.randn(side, side, device=device, dtype=dtype)
    best = 0.0
    for _ in range(_REPEAT):
        _wait(device)
        started = time.perf_counter()
        one @ one
        _wait(device)
        best = max(best, 2 * side**3 / (time.perf_counter() - started))
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
