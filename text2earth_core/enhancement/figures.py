"""How near an enhanced picture comes to the true one: by squares, and to eyes."""

from __future__ import annotations

import numpy as np
import torch

from text2earth_core.networks.eyes import Eyes


def psnr(made: np.ndarray, true: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of uint8 pictures of one shape."""
    error = np.mean((made.astype(np.float64) - true) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-12)))


@torch.no_grad()
def eyes_distance(eyes: Eyes, made: np.ndarray, true: np.ndarray) -> float:
    """Distance of uint8 (H, W, 3) pictures, sides multiples of 32, in the features of `Eyes`.

    At every place of every scale the features are scaled to the length 1; the squared distances are averaged over
    places and summed over scales (LPIPS, Zhang et al. 2018, equation 1, without learned weights). 0 for equal pictures.
    """
    both = torch.from_numpy(np.stack([made, true])).permute(0, 3, 1, 2).float() / 255
    total = 0.0
    for features in eyes(both):
        unit = features / (features.norm(dim=1, keepdim=True) + 1e-10)
        total += float((unit[0] - unit[1]).square().sum(0).mean())
    return total
