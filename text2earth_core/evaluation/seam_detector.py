"""Can a detector tell seams from other lines? It learns on some scenes and is asked about others; 0.5 is perfect.

The detector is a penalised logistic regression on profiles across the line: how strong first and second differences
are at each distance from it, against the strip's own mean, and by how much colour and contrast differ between the two
sides. A line, a step, a blurred or a doubled band beside the line all show there. What it says counts only if it finds
the seams of naively tiled scenes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from text2earth_core.evaluation.bootstrap import Interval, bootstrap

COUNTS = 0.9
"""AUC on naively tiled scenes from which the detector is taken seriously."""

PENALTY = 10.0
FOLDS = 5


def detector_auc(
    seams: np.ndarray, others: np.ndarray, seam_scenes: np.ndarray, other_scenes: np.ndarray, seed: int = 0
) -> Interval:
    """Area under the ROC curve of a detector on scenes it has not learned from.

    Args:
        seams, others: strips uint8 (N, L, W, 3) and (M, L, W, 3). seam_scenes, other_scenes: (N,), (M,) scene of each.

    Raises:
        ValueError: there are fewer than two scenes, so that none can be held back.
    """
    scenes = np.unique(np.concatenate([seam_scenes, other_scenes]))
    if len(scenes) < 2:
        raise ValueError("the detector needs at least two scenes: one to learn from, one to be asked about")
    shuffled = np.random.default_rng(seed).permutation(scenes)
    fold_of = {scene: index % min(FOLDS, len(scenes)) for index, scene in enumerate(shuffled)}
    folds = [np.array([fold_of[scene] for scene in mine]) for mine in (seam_scenes, other_scenes)]
    features = [describe(strips) for strips in (seams, others)]
    scores = [np.zeros(len(strips)) for strips in features]
    for fold in range(min(FOLDS, len(scenes))):
        learn = [x[f != fold] for x, f in zip(features, folds, strict=True)]
        weights = fit_logistic(*learn)
        for which in range(2):
            held_back = folds[which] == fold
            scores[which][held_back] = weights(features[which][held_back])

    def mean_auc(chosen_seams: np.ndarray, chosen_others: np.ndarray) -> float:
        areas = []
        for fold in range(min(FOLDS, len(scenes))):
            yes = scores[0][chosen_seams[folds[0][chosen_seams] == fold]]
            no = scores[1][chosen_others[folds[1][chosen_others] == fold]]
            if len(yes) and len(no):
                areas.append(area_under_curve(yes, no))
        return float(np.mean(areas)) if areas else float("nan")

    return bootstrap(mean_auc, (seam_scenes, other_scenes), seed=seed)


def describe(strips: np.ndarray) -> np.ndarray:
    """Profiles across the line: float64 (N, D). Unchanged by the strip's own contrast, as land covers differ in it."""
    return np.concatenate([_describe(strips[start : start + 256]) for start in range(0, len(strips), 256)])


def _describe(strips: np.ndarray) -> np.ndarray:
    pixels = strips.astype(np.float32)
    across = np.abs(np.diff(pixels, axis=2)).mean((1, 3))
    second = np.abs(np.diff(pixels, n=2, axis=2)).mean((1, 3))
    along = np.abs(np.diff(pixels, axis=1)).mean((1, 3))
    middle = pixels.shape[2] // 2
    # A first difference k is the border k + 1; a second difference k is centred on the pixel k + 1.
    blocks = [
        _profile(across, middle - 1, symmetric=1),
        _profile(second, middle - 1, symmetric=0),
        _profile(along, middle, symmetric=0),
    ]
    contrast = np.log(across.mean(1, keepdims=True) + 1)
    for width in (2, 8, 16):
        left, right = pixels[:, :, middle - width : middle], pixels[:, :, middle : middle + width]
        step = np.abs(left.mean((1, 2)) - right.mean((1, 2)))
        blocks.append(np.log(step + 0.5) - contrast)
        sides = [np.log(side.std((1, 2)).mean(1, keepdims=True) + 1) for side in (left, right)]
        blocks.append(np.abs(sides[0] - sides[1]))
    return np.concatenate([*blocks, contrast], axis=1).astype(np.float64)


def _profile(values: np.ndarray, centre: int, symmetric: int) -> np.ndarray:
    """Logarithms relative to the strip's mean: pixel by pixel near the line, in means of 4 px further away."""
    near = values[:, centre - 8 : centre + 8 + symmetric]
    left, right = values[:, : centre - 8], values[:, centre + 8 + symmetric :]
    far = [
        part[:, start : start + 4].mean(1, keepdims=True)
        for part in (left, right)
        for start in range(0, part.shape[1] - 3, 4)
    ]
    profile = np.log(np.concatenate([near, *far], axis=1) + 0.5)
    return profile - np.log(values.mean(1, keepdims=True) + 0.5)


def fit_logistic(yes: np.ndarray, no: np.ndarray, penalty: float = PENALTY) -> Callable[[np.ndarray], np.ndarray]:
    """A logistic regression with a ridge penalty on standardised features; both classes weigh the same.

    Args:
        yes, no: float64 (N, D), (M, D).

    Returns:
        Features (K, D) to log odds (K,).
    """
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / penalty, class_weight="balanced", solver="newton-cholesky", tol=1e-6)
    )
    return model.fit(np.concatenate([yes, no]), np.repeat([1, 0], [len(yes), len(no)])).decision_function


def area_under_curve(yes: np.ndarray, no: np.ndarray) -> float:
    """Probability that a random `yes` (N,) scores above a random `no` (M,), ties counted half (Mann and Whitney 1947).

    From ranks: scikit-learn's `roc_auc_score` checks its input for 2 ms, which a bootstrap would wait for 2,000 times.
    """
    ranks = rankdata(np.concatenate([yes, no]))[: len(yes)]
    return float((ranks.mean() - (len(yes) + 1) / 2) / len(no))
