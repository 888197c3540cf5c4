"""Networks with adapters folded in: their own weights where something is adapted, the base's everywhere else.

A network of its own for each set of adapters, and none that is switched: threads may ask for different sets at the same
time, the base stays what it was bit for bit, and a step costs what it costs without adapters. Only the adapted layers
take memory, so a few sets are kept and the others folded again when they are asked for, which takes milliseconds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from copy import deepcopy

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from text2earth_core.adapters.weights import Lora

KEPT = 4
"""Networks that are kept: two layers of a scene with both samplers."""


@torch.no_grad()
def fold(base: UNet2DConditionModel, chosen: Sequence[tuple[Lora, float]]) -> UNet2DConditionModel:
    """A network that computes what `base` does with adapters of these weights; it shares all other tensors with it."""
    shared = {id(tensor): tensor for tensor in (*base.parameters(), *base.buffers())}
    unet = deepcopy(base, shared)
    added: dict[str, Tensor] = {}
    for lora, weight in chosen:
        for name, (down, up, scale) in lora.layers.items():
            # In double precision no order of summing shows in the result: a request's pixels must not depend on how
            # many threads folded its adapter.
            change = up.double().flatten(1) @ down.double().flatten(1) * (scale * weight)
            added[name] = added[name] + change if name in added else change
    for name, change in added.items():
        layer = unet.get_submodule(name)
        old = layer.weight
        new = old.double().cpu() + change.view(old.shape)
        layer.weight = nn.Parameter(new.to(old.device, old.dtype), requires_grad=False)
    return unet


class Folded:
    """The networks asked for last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._networks: OrderedDict[Hashable, UNet2DConditionModel] = OrderedDict()

    def get(
        self, key: Hashable, base: UNet2DConditionModel, chosen: Sequence[tuple[Lora, float]]
    ) -> UNet2DConditionModel:
        """The network that `key` stands for: `base` with the adapters `chosen`."""
        with self._lock:
            if key not in self._networks:
                self._networks[key] = fold(base, chosen)
            self._networks.move_to_end(key)
            while len(self._networks) > KEPT:
                self._networks.popitem(last=False)
            return self._networks[key]

    def clear(self) -> None:
        """Forget them all; those at work go on."""
        with self._lock:
            self._networks.clear()
