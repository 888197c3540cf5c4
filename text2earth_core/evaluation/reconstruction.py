"""What the autoencoder keeps: distances, colour and texture of decoded images, and whether repeating it drifts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from text2earth_core.evaluation.classifier import TEST_SIDE, SceneClassifier
from text2earth_core.evaluation.frechet import compare
from text2earth_core.model import Text2Earth
from text2earth_core.networks.thumbnail_vae import CELL


def measure_reconstruction(
    model: Text2Earth,
    images: Sequence[np.ndarray],
    network: SceneClassifier,
    rounds: int,
    progress: Callable[[str, int, int], None],
) -> dict[str, float]:
    """Encode and decode real images.

    Args:
        images: uint8 (H, W, 3) of one shape, at their native size. network: its features of native crops tell
            textures apart. rounds: of decoding and encoding one image, to see whether colour drifts.
    """
    figures: list[dict[str, float]] = []
    originals, copies = [], []
    for number, image in enumerate(images):
        image = image[: image.shape[0] // CELL * CELL, : image.shape[1] // CELL * CELL]
        copy = model.decode(model.encode(image))
        figures.append(compare_images(image, copy))
        originals.append(middle(image, TEST_SIDE))
        copies.append(middle(copy, TEST_SIDE))
        progress("reconstructing", number + 1, len(images))
    means = {name: float(np.mean([f[name] for f in figures])) for name in figures[0]}
    distance = compare(network.features(originals), network.features(copies))
    # Energies and saturation compare sums, so that a plain image does not count as much as a busy one.
    means["laplacian_energy"] = means.pop("laplacian_copy") / max(means.pop("laplacian_original"), 1e-9)
    means["saturation_error"] = means.pop("saturation_copy") / max(means.pop("saturation_original"), 1e-9) - 1
    drift = colour_drift(model, images[0], rounds) if rounds else 0.0
    return means | {"frechet": distance["frechet"], "images": len(images), "colour_drift": drift, "rounds": rounds}


def compare_images(original: np.ndarray, copy: np.ndarray) -> dict[str, float]:
    """PSNR of all, luma and chroma (dB), SSIM of luma, and energies of both; uint8 (H, W, 3) each."""
    a, b = (_ycc(image) for image in (original, copy))
    x, y = (torch.from_numpy(image[..., 0])[None, None] for image in (a, b))
    return {
        "psnr": psnr(original / np.float32(255), copy / np.float32(255)),
        "psnr_luma": psnr(a[..., 0], b[..., 0]),
        "psnr_chroma": psnr(a[..., 1:], b[..., 1:]),
        "ssim": float(_value(structural_similarity_index_measure(y, x, data_range=1.0))),
        "laplacian_original": laplacian_energy(a[..., 0]),
        "laplacian_copy": laplacian_energy(b[..., 0]),
        "saturation_original": float(np.ptp(original, axis=2).mean()),
        "saturation_copy": float(np.ptp(copy, axis=2).mean()),
    }


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of values in [0, 1] in dB; 100 where they are (nearly) equal."""
    return float(-10 * np.log10(max(float(np.square(a - b).mean()), 1e-10)))


def laplacian_energy(luma: np.ndarray) -> float:
    """Mean square of the 3x3 Laplacian of luma (H, W) in [0, 1]: how much finest detail there is."""
    return float(np.square(cv2.Laplacian(luma.astype(np.float32), cv2.CV_32F)[1:-1, 1:-1]).mean())


def colour_drift(model: Text2Earth, image: np.ndarray, rounds: int) -> float:
    """Largest change of any 8x8 px cell's mean colour after so many rounds of decoding and encoding, in [0, 1]."""
    image = image[: image.shape[0] // CELL * CELL, : image.shape[1] // CELL * CELL]
    first = pixels = model.decode(model.encode(image))
    for _ in range(rounds):
        pixels = model.decode(model.encode(pixels))
    return float(np.abs(_cell_means(first) - _cell_means(pixels)).max() / 255)


def middle(image: np.ndarray, side: int) -> np.ndarray:
    """The square of `side` px in the middle."""
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[top : top + side, left : left + side]


def _cell_means(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[0] // CELL, pixels.shape[1] // CELL
    return pixels.reshape(height, CELL, width, CELL, 3).astype(np.float64).mean((1, 3))


def _ycc(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb)


def _value(found: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """torchmetrics returns the image of similarities as well when asked to; it is not asked here."""
    return found[0] if isinstance(found, tuple) else found
