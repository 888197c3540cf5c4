"""The optimizer of the UNet: Muon for matrices and convolution kernels, AdamW for everything else.

AdamW scales every weight's step by itself; Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural
networks") makes all directions of a matrix' step equally long, so that rare ones are learned as fast as common ones.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

from text2earth_core.device import pick_dtype

LEAST = 32
"""Rows and columns from which a weight counts as a matrix; narrower ones have too few directions to balance."""

MOMENTUM = 0.95

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of a quintic that takes singular values from (0, 1] to about 1 in five rounds (Jordan et al. 2024)."""


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum where a weight is a matrix, AdamW where it is none.

    A convolution kernel (out, in, h, w) counts as a matrix (out, in h w). A matrix' step has the mean square of AdamW's
    (Liu et al. 2025, "Muon is scalable for LLM training"), so that one learning rate and one weight decay serve both.
    The state has AdamW's names and order: a run that was begun with AdamW can be resumed with this.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # nothing here scores a batch twice
        for group in self.param_groups:
            matrices: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = defaultdict(list)
            rest: list[tuple[Tensor, Tensor]] = []
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                shape = (weight.shape[0], weight[0].numel()) if weight.ndim > 1 else (1, weight.numel())
                (matrices[shape] if min(shape) >= LEAST else rest).append((weight, weight.grad))
            for shape, alike in matrices.items():
                self._step_matrices(alike, shape, group)
            self._step_rest(rest, group)

    def _step_matrices(self, alike: list[tuple[Tensor, Tensor]], shape: tuple[int, int], group: dict) -> None:
        """Weights of one shape together, each with its gradient: one by one, small matrices waste a processor."""
        directions = []
        for weight, gradient in alike:
            average = self._average(weight)
            for unused in ("exp_avg_sq", "step"):  # of a run begun with AdamW
                self.state[weight].pop(unused, None)
            average.lerp_(gradient, 1 - MOMENTUM)
            directions.append(gradient.lerp(average, MOMENTUM).reshape(shape))
        steps = orthogonalise(torch.stack(directions)) * (0.2 * max(shape) ** 0.5)
        for (weight, _), step in zip(alike, steps, strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(step.reshape(weight.shape), alpha=-group["lr"])

    def _step_rest(self, pairs: list[tuple[Tensor, Tensor]], group: dict) -> None:
        (first, second), rate = group["betas"], group["lr"]
        for weight, gradient in pairs:
            state, average = self.state[weight], self._average(weight)
            if "exp_avg_sq" not in state:
                state["exp_avg_sq"] = torch.zeros_like(weight)
                state["step"] = torch.zeros((), device=weight.device)
            state["step"] += 1
            average.lerp_(gradient, 1 - first)
            state["exp_avg_sq"].lerp_(gradient.square(), 1 - second)
            square = state["exp_avg_sq"] / (1 - second ** state["step"])
            weight.mul_(1 - rate * group["weight_decay"])
            weight.sub_(rate * average / (1 - first ** state["step"]) / (square.sqrt() + 1e-8))

    def _average(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(weight)
        return state["exp_avg"]


def orthogonalise(matrices: Tensor) -> Tensor:
    """Bring all singular values of (B, m, n) matrices near 1 by Newton-Schulz rounds; float32.

    The rounds bear bfloat16, but a processor without units for it takes twenty times as long with it as with float32.
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[1] > matrices.shape[2]
    x = (matrices.mT if tall else matrices).float()
    x = (x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)).to(pick_dtype(x.device)).contiguous()
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).float()
