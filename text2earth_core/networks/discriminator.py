"""A small conditional patch discriminator: does this texture look real, given the colours it should have?"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


class TextureDiscriminator(nn.Module):
    """Scores patches of an image at full and at half size, seeing the image beside its enlarged thumbnail.

    forward: pixels (B, 3, H, W) in [0, 1] and cell means (B, 3, H/8, W/8) -> two score maps; higher is more real.
    """

    def __init__(self, width: int = 48):
        super().__init__()
        self.fine, self.coarse = _patches(width), _patches(width)

    def forward(self, pixels: Tensor, means: Tensor) -> list[Tensor]:
        colours = F.interpolate(means, size=pixels.shape[-2:], mode="bilinear", align_corners=False)
        seen = torch.cat([pixels - colours, colours - 0.5], 1) * 4
        return [self.fine(seen), self.coarse(F.avg_pool2d(seen, 2))]


def _patches(width: int) -> nn.Sequential:
    shapes = [(6, width, 2), (width, 2 * width, 2), (2 * width, 2 * width, 1)]
    layers: list[nn.Module] = []
    for before, after, stride in shapes:
        layers += [spectral_norm(nn.Conv2d(before, after, 4 if stride == 2 else 3, stride, 1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(2 * width, 1, 3, padding=1)))
