"""What the figures must reach, and whether they do. The measures and the limits stand here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from text2earth_core.evaluation.modalities import VEGETATION


@dataclass(frozen=True)
class Check:
    """One requirement: the figure, what it must be, and whether it is."""

    name: str
    value: str
    target: str
    met: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check_all(figures: dict[str, Any], samplers: list[str]) -> list[Check]:
    """Every requirement whose figures were measured.

    Args:
        figures: of the measurements, by name. samplers: "quality", "fast".
    """
    checks: list[Check] = []
    if "class_accuracy" in figures:
        checks += _class_accuracy(figures["class_accuracy"], samplers)
    if "distances" in figures:
        for sampler in samplers:
            checks += _distances(sampler, figures["distances"][sampler], figures["distances"]["real"])
    if "text_control" in figures:
        for sampler in samplers:
            found = figures["text_control"][sampler]
            checks.append(_least(f"prompted class first ({sampler})", found["top1"], 0.65))
            checks.append(_least(f"prompted class among three ({sampler})", found["top3"], 0.80))
    if "missing" not in figures.get("outpainting", {"missing": ""}):
        for sampler in samplers:
            checks += _outpainting(sampler, figures["outpainting"][sampler])
    if "accuracy" in figures.get("towers", {}).get("captions", {}):
        share = figures["towers"]["captions"]["accuracy"]
        checks.append(_least("human captions whose nearest class is right", share, 0.80))
    if "autoencoder" in figures:
        checks += _autoencoder(figures["autoencoder"])
    if "resolution" in figures:
        found = figures["resolution"]["spearman"]
        checks.append(_least("rank correlation of scales with real images", found, 0.8, share=False))
    if "missing" not in figures.get("modalities", {"missing": ""}):
        for sampler in samplers:
            for name, found in figures["modalities"][sampler].items():
                checks += _MODALITIES[name](sampler, found)
    if "speed" in figures:
        ratio = figures["speed"]["part"]["decode"] / figures["speed"]["part"]["unet"]
        checks.append(Check("decode / UNet forward", f"{ratio:.2f}", "at most 1", ratio <= 1))
    return checks


def _class_accuracy(found: dict[str, float], samplers: list[str]) -> Iterator[Check]:
    yield _least("Cls-OA of as many real images", found["real"], 0.70)
    for sampler in samplers:
        yield _least(f"Cls-OA / real ({sampler})", found[sampler] / max(found["real"], 1e-9), 0.75)
    if "fast" in samplers:
        yield _least("Cls-OA of student / teacher", found["fast"] / max(found["quality"], 1e-9), 0.95)


def _distances(name: str, made: dict[str, float], real: dict[str, float]) -> Iterator[Check]:
    for metric, title in (("frechet", "Fréchet distance"), ("kid", "KID")):
        met = made[metric] <= 3 * max(real[metric], 0.0)
        yield Check(f"{title} ({name})", f"{made[metric]:.4g}", f"at most 3 x {real[metric]:.4g}", met)


def _outpainting(sampler: str, found: dict[str, Any]) -> Iterator[Check]:
    yield from _distances(f"masked half, {sampler}", found["made"], found["real"])
    made, real = (found[name]["seam_gradient_mean"]["value"] for name in ("seams_made", "seams_real"))
    yield Check(
        f"seam gradient ratio ({sampler})", f"{made:.3f}", f"within 5 % of {real:.3f}", abs(made / real - 1) <= 0.05
    )


def _autoencoder(found: dict[str, float]) -> Iterator[Check]:
    energy, colour = found["laplacian_energy"], found["saturation_error"]
    yield Check("autoencoder: PSNR", f"{found['psnr']:.2f} dB", "at least 22 dB", found["psnr"] >= 22)
    yield Check("autoencoder: Laplacian energy", f"{energy:.0%}", "75 to 115 % of real", 0.75 <= energy <= 1.15)
    yield Check("autoencoder: saturation", f"{colour:+.1%}", "within 2 %", abs(colour) <= 0.02)
    drift, name = found["colour_drift"] * 255, f"autoencoder: cell colours after {found['rounds']:.0f} rounds"
    yield Check(name, f"{drift:.2f} / 255", "within 1 / 255", drift <= 1)


def _pan(sampler: str, found: dict[str, Any]) -> Iterator[Check]:
    yield _least(f"PAN: pictures with equal channels ({sampler})", found["equal_channels"], 1.0)
    ratio = found["over_colours"]
    name = f"PAN: Fréchet distance over that of colours turned grey ({sampler})"
    yield Check(name, f"{ratio:.2f}", "at most 1.15", ratio <= 1.15)


def _nir(sampler: str, found: dict[str, Any]) -> Iterator[Check]:
    yield _within(f"NIR: vegetation / water ({sampler})", found["ratio"], found["ratio_measured"])
    for prompt, index in found["ndvi"].items():
        positive = prompt in VEGETATION
        yield Check(
            f"NIR: NDVI of {prompt} ({sampler})", f"{index:+.2f}", "positive" if positive else "negative",
            (index > 0) == positive,
        )  # fmt: skip


def _sar(sampler: str, found: dict[str, Any]) -> Iterator[Check]:
    yield _within(f"SAR: equivalent number of looks ({sampler})", found["looks"], found["looks_measured"])
    ours, theirs = found["histogram_distance"], found["histogram_distance_of_colours"]
    name = f"SAR: histogram distance ({sampler})"
    yield Check(name, f"{ours:.3f}", f"below half of {theirs:.3f} (colours turned grey)", ours < theirs / 2)


_MODALITIES = {"pan": _pan, "nir": _nir, "sar": _sar}


def _within(name: str, value: float, real: float, share: float = 0.3) -> Check:
    return Check(name, f"{value:.2f}", f"within {share:.0%} of {real:.2f}", abs(value / real - 1) <= share)


def _least(name: str, value: float, limit: float, share: bool = True) -> Check:
    text = "{:.1%}" if share else "{:.2f}"
    return Check(name, text.format(value), "at least " + text.format(limit), value >= limit)
