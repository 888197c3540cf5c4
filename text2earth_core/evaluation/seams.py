"""Does a line where windows met look like any other line of the same scene? Every metric here compares the two.

Taken on off-seam lines of the same scenes, the comparison does not mistake "generated" or a wished change of land
cover for a seam. On real images, whose lines are all alike, each ratio is 1 and the detector's area is 0.5: that is
the target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from text2earth_core.evaluation.bootstrap import Interval, bootstrap
from text2earth_core.evaluation.lines import HALF, SeamScene, cut_strips, off_seam_lines, usable
from text2earth_core.evaluation.patch_distance import strip_distance
from text2earth_core.evaluation.seam_detector import detector_auc
from text2earth_core.sampling.feather import FEATHER

SIDE = FEATHER
"""Pixels on each side of a line within which texture and mean colours are compared: as far as the feather reaches."""

COMPARED = 400
"""Strips on each side of a patch distance, at most: more change nothing but the time it takes."""

Features = Callable[[np.ndarray], np.ndarray]
"""Pixels uint8 (H, W, 3) -> features float32 (C, H / s, W / s) for some stride s, as an autoencoder's encoder gives."""


@dataclass(frozen=True)
class LineStrips:
    """Strips around the seams of some scenes and around other lines of the same scenes.

    seams, others: uint8 (N, L, W, 3), (M, L, W, 3). seam_scenes, other_scenes: number of the scene of each.
    """

    seams: np.ndarray
    others: np.ndarray
    seam_scenes: np.ndarray
    other_scenes: np.ndarray

    @property
    def groups(self) -> tuple[np.ndarray, np.ndarray]:
        return self.seam_scenes, self.other_scenes


def collect(scenes: Sequence[SeamScene], each: int = 2, seed: int = 0) -> LineStrips:
    """Cut the strips of all seams, and of `each` times as many off-seam lines where there is room.

    Raises:
        ValueError: no scene has both a seam and an off-seam line with room around them.
    """
    strips: dict[str, list[np.ndarray]] = {"seams": [], "others": []}
    owners: dict[str, list[np.ndarray]] = {"seams": [], "others": []}
    for number, scene in enumerate(scenes):
        seams = usable(scene.seams, scene.pixels.shape)
        others = off_seam_lines(SeamScene(scene.pixels, tuple(seams)), each, seed + number)
        if not seams or not others:
            continue
        for name, lines in (("seams", seams), ("others", others)):
            strips[name].append(cut_strips(scene.pixels, lines))
            owners[name].append(np.full(len(lines), number))
    if not strips["seams"]:
        raise ValueError("no scene has a seam and an off-seam line with enough pixels around them")
    return LineStrips(
        np.concatenate(strips["seams"]), np.concatenate(strips["others"]),
        np.concatenate(owners["seams"]), np.concatenate(owners["others"]),
    )  # fmt: skip


def ratio_of(
    figure: np.ndarray, control: np.ndarray, groups: tuple[np.ndarray, np.ndarray], percentile: float | None = None
) -> Interval:
    """Mean (or percentile) of a figure on seams over that on other lines; members on the first axis."""

    def reduce(values: np.ndarray) -> float:
        return float(values.mean() if percentile is None else np.percentile(values, percentile))

    return bootstrap(lambda a, b: reduce(figure[a]) / max(reduce(control[b]), 1e-9), groups)


def line_roughness(strips: np.ndarray) -> np.ndarray:
    """Absolute second difference across the line, at the two pixels that touch it: float32 (N, L), grey levels."""
    pixels = strips[:, :, HALF - 2 : HALF + 2].astype(np.float32)
    return np.abs(np.diff(pixels, n=2, axis=2)).mean((2, 3))


def seam_gradient_ratio(strips: LineStrips, percentile: float | None = None) -> Interval:
    """`line_roughness` on seams over off-seam lines: above 1 is a visible line, below 1 a blurred one."""
    return ratio_of(line_roughness(strips.seams), line_roughness(strips.others), strips.groups, percentile)


def band_energy_ratio(strips: LineStrips) -> Interval:
    """Second differences within `SIDE` px of the line, the line itself left out: below 1 where a blend blurs."""

    def energy(pixels: np.ndarray) -> np.ndarray:
        band = np.abs(np.diff(pixels[:, :, HALF - SIDE : HALF + SIDE].astype(np.float32), n=2, axis=2))
        return np.delete(band, [SIDE - 2, SIDE - 1], axis=2).mean((1, 2, 3))

    return ratio_of(energy(strips.seams), energy(strips.others), strips.groups)


def low_frequency_steps(strips: np.ndarray) -> np.ndarray:
    """CIELAB distance between the mean colours of the `SIDE` px left and right of each line: float32 (N,)."""
    steps = np.empty(len(strips), np.float32)
    for index, strip in enumerate(strips):
        lab = cv2.cvtColor(strip[:, HALF - SIDE : HALF + SIDE].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        steps[index] = np.linalg.norm(lab[:, :SIDE].mean((0, 1)) - lab[:, SIDE:].mean((0, 1)))
    return steps


def low_frequency_step_ratio(strips: LineStrips) -> Interval:
    """Step of the mean colour at seams over that at other lines."""
    return ratio_of(low_frequency_steps(strips.seams), low_frequency_steps(strips.others), strips.groups)


def gram(features: np.ndarray) -> np.ndarray:
    """Second moments between channels (C, C) of features (C, h, w): what is there, not where (Gatys et al. 2016)."""
    flat = features.reshape(len(features), -1).astype(np.float64)
    return flat @ flat.T / flat.shape[1]


def style_steps(strips: np.ndarray, features: Features) -> np.ndarray:
    """Relative Gram distance between the two sides of each line: float64 (N,)."""
    steps = np.empty(len(strips))
    for index, strip in enumerate(strips):
        left, right = (gram(features(np.ascontiguousarray(side))) for side in (strip[:, :HALF], strip[:, HALF:]))
        steps[index] = np.linalg.norm(left - right) / (np.linalg.norm(left) + np.linalg.norm(right) + 1e-12)
    return steps


def style_step_ratio(strips: LineStrips, features: Features) -> Interval:
    """Difference in style between the sides of a seam over that between the sides of other lines."""
    return ratio_of(style_steps(strips.seams, features), style_steps(strips.others, features), strips.groups)


def texture_distance_ratio(strips: LineStrips, repeats: int = 5, seed: int = 0) -> Interval:
    """Patch distance of seams to other lines over that of other lines among themselves; 1 is perfect.

    All three sets hold equally many lines of each scene: the distance of two finite sets is never zero, and scenes
    differ more than lines do. The bounds are those of repeated draws of the other lines.
    """
    rng = np.random.default_rng(seed)
    ratios = []
    for _ in range(repeats):
        seams, first, second = _balanced(strips, rng)
        between, within = strip_distance(seams, first), strip_distance(second, first)
        ratios.append(between / max(within, 1e-9))
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Interval(float(np.mean(ratios)), float(low), float(high))


def _balanced(strips: LineStrips, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Seams and two disjoint sets of other lines, the same number of each scene in all three, at most `COMPARED`."""
    chosen: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for scene in np.unique(strips.seam_scenes):
        seams = rng.permutation(np.flatnonzero(strips.seam_scenes == scene))
        others = rng.permutation(np.flatnonzero(strips.other_scenes == scene))
        count = min(len(seams), len(others) // 2)
        chosen.append((seams[:count], others[:count], others[count : 2 * count]))
    a, b, c = (np.concatenate(part) for part in zip(*chosen, strict=True))
    if not len(a):
        raise ValueError("too few lines: give a scene two off-seam lines for a seam")
    kept = rng.permutation(len(a))[:COMPARED]
    return strips.seams[a[kept]], strips.others[b[kept]], strips.others[c[kept]]


def grid_energy(pixels: np.ndarray, stride: int, vertical: bool = True, harmonics: int = 6) -> tuple[float, float]:
    """Spectral energy of the second differences at the stride of the windows, and beside it.

    Args:
        pixels: uint8 (H, W, 3), at least four strides long. stride: px between seams. vertical: the seams are
            vertical. harmonics: how many multiples of the fundamental count; those on the 8 px cell grid never do.

    Returns:
        Mean power in the bins of the comb, and in the bins halfway between them.
    """
    image = pixels if vertical else pixels.transpose(1, 0, 2)
    periods = image.shape[1] // stride
    if periods < 4:
        raise ValueError(f"{image.shape[1]} px hold fewer than four strides of {stride} px")
    rough = np.abs(np.diff(image.astype(np.float32), n=2, axis=1)).mean((0, 2))
    signal = rough[: periods * stride]
    signal = np.pad(signal, (0, periods * stride - len(signal)), mode="edge")
    power = np.abs(np.fft.rfft((signal - signal.mean()) * np.hanning(len(signal)))) ** 2
    comb = [k * periods for k in range(1, harmonics + 1) if 8 * k < stride]
    half = periods // 2
    return float(power[comb].mean()), float(power[[k + side for k in comb for side in (-half, half)]].mean())


def grid_spectrum_ratio(scenes: Sequence[SeamScene], stride: int, vertical: bool = True) -> Interval | None:
    """Energy at the tile stride over that of neighbouring bins, over all scenes that are long enough (else None)."""
    length = 1 if vertical else 0
    long_enough = [scene.pixels for scene in scenes if scene.pixels.shape[length] >= 4 * stride]
    if not long_enough:
        return None
    comb, beside = np.array([grid_energy(pixels, stride, vertical) for pixels in long_enough]).T
    groups = np.arange(len(comb))
    # The logarithm keeps one striped field from outweighing all other scenes.
    figure = np.log(comb / np.maximum(beside, 1e-12))
    return bootstrap(lambda a: float(np.exp(figure[a].mean())), (groups,))


def order_difference(a: np.ndarray, b: np.ndarray) -> int:
    """Largest difference of any pixel between two fill orders of one region (grey levels); 0 is invariance."""
    if a.shape != b.shape:
        raise ValueError(f"the two fills differ in size: {a.shape} and {b.shape}")
    return int(np.abs(a.astype(np.int16) - b.astype(np.int16)).max())


def measure_seams(
    scenes: Sequence[SeamScene], features: Features | None = None, stride: int | None = None
) -> dict[str, Interval]:
    """Every seam metric of some scenes by name; the target of each is its value on real images.

    Args:
        features: of the model's own autoencoder; without it the style step is left out. stride: px between the vertical
            seams where they are periodic; without it the grid spectrum is left out.
    """
    strips = collect(scenes)
    found = {
        "seam_gradient_mean": seam_gradient_ratio(strips),
        "seam_gradient_p99": seam_gradient_ratio(strips, percentile=99),
        "band_energy": band_energy_ratio(strips),
        "low_frequency_step": low_frequency_step_ratio(strips),
        "texture_distance": texture_distance_ratio(strips),
    }
    if features is not None:
        found["style_step"] = style_step_ratio(strips, features)
    if len(np.unique(strips.seam_scenes)) > 1:
        found["detector_auc"] = detector_auc(strips.seams, strips.others, strips.seam_scenes, strips.other_scenes)
    if stride is not None and (grid := grid_spectrum_ratio(scenes, stride)) is not None:
        found["grid_spectrum"] = grid
    return found


def line_count(scenes: Sequence[SeamScene]) -> int:
    """How many pieces of seam the metrics see."""
    return sum(len(usable(scene.seams, scene.pixels.shape)) for scene in scenes)
