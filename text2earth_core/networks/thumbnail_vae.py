"""The autoencoder of the `mini` and `tiny` models: stock AutoencoderTiny whose latent holds an exact thumbnail.

Three of the four latent channels are the means of Y, Cb and Cr over each 8x8 px cell, normalised; the fourth is
learned. Colour is then right by construction, a preview needs no decoder, and a decoded tile can be put back onto
its thumbnail, so that repeated decoding and encoding cannot drift.

The encoder is a strict 8x8 patch function: two space-to-depth steps, one 2x2 patch embedding and 1x1 layers, all
written into the 3x3 kernels of an unmodified `diffusers.AutoencoderTiny` (zero taps elsewhere), so a cell's latent
depends on that cell alone and the folder loads in stock diffusers.
"""

import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn
from torch.nn import functional as F

CELL = 8
"""Pixels along one side of a latent cell."""

COLOURS = slice(1, 3)
"""Channels of the latent that hold Cb and Cr."""

ENCODER_WIDTH = 48
"""3 colours x 4x4 px: what two space-to-depth steps need."""

YCBCR = torch.tensor(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=torch.float64
)
"""RGB in [0, 1] to Y in [0, 1], Cb and Cr in [-0.5, 0.5] (ITU-R BT.601, full range)."""


def build_thumbnail_vae(decoder_width: int, mean: Tensor, std: Tensor, seed: int = 0) -> AutoencoderTiny:
    """Return an untrained autoencoder whose first three latent channels are the normalised thumbnail.

    Args:
        decoder_width: channels of the decoder at every scale.
        mean, std: (3,) of Y, Cb, Cr over cell means of real images; latents are (value - mean) / std.
    """
    torch.manual_seed(seed)
    vae = AutoencoderTiny(
        encoder_block_out_channels=(ENCODER_WIDTH,) * 4,
        decoder_block_out_channels=(decoder_width,) * 4,
        num_encoder_blocks=(0, 0, 0, 2),
        num_decoder_blocks=(1, 1, 1, 0),
        latent_channels=4,
        scaling_factor=1.0,
    )
    with torch.no_grad():
        for parameter in vae.encoder.parameters():
            parameter.mul_(_trainable(vae, parameter))
        first, half, quarter, patch, *_blocks, last = vae.encoder.layers
        first.bias.zero_()
        for colour in range(3):
            first.weight[colour, colour, 1, 1] = 1.0
        for conv, channels in ((half, 3), (quarter, 12)):  # space to depth: output 4*c + 2*dy + dx
            for c in range(channels):
                for tap in range(4):
                    conv.weight[4 * c + tap, c, 1 + tap // 2, 1 + tap % 2] = 1.0
        for colour in range(3):
            patch.weight[colour, 16 * colour : 16 * (colour + 1), 1:, 1:] = 1 / 64
        matrix = (YCBCR / std.double()[:, None]).to(last.weight.dtype)
        last.weight[:3, :3, 1, 1] = matrix
        last.bias[:3] = (-mean / std).to(last.bias.dtype)
    return vae


def keep_thumbnail_fixed(vae: AutoencoderTiny) -> None:
    """Let gradients reach only the free taps of the encoder, so that training cannot touch the thumbnail."""
    for parameter in vae.encoder.parameters():
        mask = _trainable(vae, parameter)
        parameter.register_hook(lambda gradient, mask=mask: gradient * mask)


def _trainable(vae: AutoencoderTiny, parameter: Tensor) -> Tensor:
    """1 where a weight of the encoder may be learned, 0 where the thumbnail or the patch structure fixes it."""
    mask = torch.zeros_like(parameter)
    _first, _half, _quarter, patch, *blocks, last = vae.encoder.layers
    if parameter is patch.weight:
        mask[3:, :, 1:, 1:] = 1
    elif parameter is last.weight:
        mask[3:, :, 1, 1] = 1
    elif parameter is last.bias:
        mask[3:] = 1
    else:
        for block in blocks:
            *inner, final = (layer for layer in block.conv if isinstance(layer, nn.Conv2d))
            for conv in inner:
                if parameter is conv.weight:
                    mask[:, :, 1, 1] = 1
                elif parameter is conv.bias:
                    mask[:] = 1
            if parameter is final.weight:  # the block adds nothing to the three channels that carry the means
                mask[3:, :, 1, 1] = 1
            elif parameter is final.bias:
                mask[3:] = 1
    return mask


def encode(vae: AutoencoderTiny, pixels: Tensor) -> Tensor:
    """(B, 3, 8h, 8w) RGB in [0, 1] -> (B, 4, h, w) latents: what the stock encoder computes, many times faster.

    Its first four layers rearrange pixels and embed 8x8 px patches, and the rest sees one cell at a time, so they are
    applied as one strided convolution and 1x1 convolutions.
    """
    *_, patch, first_block, second_block, last = vae.encoder.layers
    # Input channel 16 c + 8 dy1 + 4 dx1 + 2 dy2 + dx2 and tap (dy4, dx4) read the pixel (4 dy4 + 2 dy2 + dy1, ...).
    kernel = patch.weight[:, :, 1:, 1:].unflatten(1, (3, 2, 2, 2, 2)).permute(0, 1, 6, 4, 2, 7, 5, 3)
    hidden = F.conv2d(pixels, kernel.reshape(-1, 3, CELL, CELL), stride=CELL)
    for block in (first_block, second_block):
        branch = hidden
        for layer in block.conv:
            branch = _pointwise(layer, branch) if isinstance(layer, nn.Conv2d) else layer(branch)
        hidden = F.relu(branch + hidden)
    return _pointwise(last, hidden)


def _pointwise(conv: nn.Conv2d, hidden: Tensor) -> Tensor:
    return F.conv2d(hidden, conv.weight[:, :, 1:2, 1:2], conv.bias)


def thumbnail(vae: AutoencoderTiny, latents: Tensor) -> Tensor:
    """Return the RGB cell means that latents hold: (B, 4, h, w) -> (B, 3, h, w) in [0, 1] (not clipped)."""
    last = vae.encoder.layers[-1]
    inverse = torch.linalg.inv(last.weight[:3, :3, 1, 1].double()).to(latents.dtype)
    offset = latents[:, :3].float() - last.bias[:3, None, None].float()
    return torch.einsum("rc,bchw->brhw", inverse.float(), offset)


def project(pixels: Tensor, means: Tensor) -> Tensor:
    """Shift every 8x8 px cell of `pixels` (B, 3, H, W) so that its mean is the thumbnail's (B, 3, H/8, W/8)."""
    difference = means - F.avg_pool2d(pixels, CELL)
    return pixels + F.interpolate(difference, scale_factor=CELL, mode="nearest")


def into_range(pixels: Tensor, means: Tensor) -> Tensor:
    """Bring `pixels` into [0, 1] such that every cell keeps its mean: clipping alone shifts bright and dark cells.

    What is cut off is spread over the rest of the cell; where that leaves the range again, the cell loses contrast.

    Args:
        pixels: (B, 3, H, W). means: (B, 3, H/8, W/8); those outside [0, 1] are taken for the nearest colour there is.
    """
    means = means.clamp(0, 1)
    for _ in range(2):
        pixels = project(pixels.clamp(0, 1), means)
    centre = F.interpolate(means, scale_factor=CELL, mode="nearest")
    deviation = pixels - centre
    room = torch.where(deviation > 0, 1 - centre, centre)
    kept = (room / deviation.abs().clamp(min=1e-6)).clamp(max=1)
    return centre + deviation * F.interpolate(-F.max_pool2d(-kept, CELL), scale_factor=CELL, mode="nearest")


HALO = 8
"""Receptive field of the decoder in latent cells: with this much context a part decodes as the whole does."""


def repeat_borders(vae: AutoencoderTiny) -> None:
    """Let the decoder repeat the border instead of padding with zeros, which would darken the edge of a picture."""
    for module in vae.decoder.modules():
        if isinstance(module, nn.Conv2d):
            module.padding_mode = "replicate"


def decode(vae: AutoencoderTiny, latents: Tensor) -> Tensor:
    """(B, 4, h, w) latents -> (B, 3, 8h, 8w) RGB in [0, 1] (not clipped), before projection.

    Computes what the stock decoder computes, at about half of its cost: its last two 3x3 convolutions have no
    activation between them and follow a nearest-neighbour enlargement, so they are one linear map from half
    resolution to pixels, applied here as a 3x3 convolution to 12 channels and a pixel shuffle.
    """
    layers = vae.decoder.layers
    hidden = layers[:-3](torch.tanh(latents / 3) * 3)
    with torch.autocast(latents.device.type, enabled=False):  # 8-bit pixels need more than bfloat16's 8 bits
        kernel, bias = _fold(layers[-2].weight.float(), layers[-1].weight.float(), layers[-1].bias.float())
        hidden = F.pad(hidden.float(), (1, 1, 1, 1), mode="replicate")
        return F.pixel_shuffle(F.conv2d(hidden, kernel, bias), 2)


def _fold(widen: Tensor, narrow: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Merge enlargement and two convolutions into a kernel (12, C, 3, 3) and a bias (12,) at half resolution."""
    both = F.conv_transpose2d(narrow, widen)  # (3, C, 5, 5)
    # Full-resolution tap d in -2..2 seen from sub-pixel s in {0, 1} reads half-resolution cell floor((s + d) / 2).
    taps = torch.zeros(2, 3, 5, dtype=both.dtype, device=both.device)
    for sub in range(2):
        for d in range(-2, 3):
            taps[sub, (sub + d) // 2 + 1, d + 2] = 1
    kernel = torch.einsum("rcuv,aiu,bjv->rabcij", both, taps, taps)
    return kernel.flatten(0, 2), bias.repeat_interleave(4)
