"""The residual network by which small images are looked at: image tower and scene classifier are built on it."""

from torch import Tensor, nn


def residual_body(width: int) -> nn.Sequential:
    """An untrained network from (B, 3, h, w) to (B, 8 width, h/16, w/16), normalised over the batch."""
    layers: list[nn.Module] = [_convolution(3, width, 5, stride=2)]
    for scale in range(3):
        after = width * 2 ** (scale + 1)
        layers += [_convolution(after // 2, after, 3, stride=2), _Residual(after)]
    return nn.Sequential(*layers)


def _convolution(before: int, after: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(_convolution(width, width, 3), _convolution(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)
