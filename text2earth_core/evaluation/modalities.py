"""Other modalities against real pictures of them: distances, what classifiers make of them, and physics.

Real pictures of a modality are what there is: of all kinds for grey, of farmland, forest, towns and water of Sentinel-2
for near infrared, and of five scenes of Sentinel-1 for radar, fewer than distances ask for. So each is compared with as
many other real ones, and with what colours turned grey would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from text2earth_core.data.captions import CLASSES
from text2earth_core.data.corpus import SCENES, Picture
from text2earth_core.evaluation.classifier import SceneClassifier, accuracy, train_classifier
from text2earth_core.evaluation.context import PROTOCOL_FILE, Context, Loaded
from text2earth_core.evaluation.frechet import compare
from text2earth_core.evaluation.generated import Wanted, generate_set
from text2earth_core.modalities import ADAPTED, MODALITIES, RGB
from text2earth_core.sampling.settings import Sampling
from text2earth_core.simulation import figures
from text2earth_core.simulation.figures import PURE, WET
from text2earth_core.simulation.pairs import Pair, load_pairs

PROMPTS = ("dense green forest", "farmland", "a lake with green shores", "dense housing")
"""Of the grid: four of each modality (paper, Fig. 14)."""

VEGETATION = ("dense green forest", "a green meadow", "farmland")
WATER = ("a blue lake", "deep blue sea")
SEEDS = 8

GREEN = 0.4
"""NDVI above which a place is vegetation."""

LANDS = ("dense green forest", "farmland", "a green meadow", "a blue lake", "deep blue sea", "dense housing", "a river")
"""What the near infrared pairs show, as people ask for it."""

KINDS = 8
"""Groups of places by colour that the network for near infrared learns to tell apart: its pairs have no classes."""

Figures = dict[str, Any]


def modalities(context: Context) -> Figures:
    """Figures of every modality that the model has an adapter for, by sampler."""
    if not context.modalities:
        return {"missing": "not asked for: --modalities measures them"}
    there = layers_of(context)[1:]
    if not there:
        return {"missing": "This model has no adapters: make some with `text2earth train adapters`."}
    measures = {"pan": measure_pan, "nir": measure_nir, "sar": measure_sar}
    for sampler in context.samplers:
        grid(context, sampler)
    return {sampler: {name: measures[name](context, sampler) for name in there} for sampler in context.samplers}


def layers_of(context: Context) -> list[str]:
    """The modalities that the model can make."""
    there = {info.modality for info in context.model.adapters}
    return [RGB, *(name for name in ADAPTED if name in there)]


def grid(context: Context, sampler: str) -> list[tuple[str, list[np.ndarray]]]:
    """A row for each of `PROMPTS`: the same seed in every modality."""
    wanted = [Wanted(prompt, "", 0) for prompt in PROMPTS]
    layers = [made(context, sampler, name, "grid", wanted) for name in layers_of(context)]
    return [(prompt, [layer[row] for layer in layers]) for row, prompt in enumerate(PROMPTS)]


def made(context: Context, sampler: str, layer: str, name: str, wanted: Sequence[Wanted]) -> list[np.ndarray]:
    """The model's answers in one modality, uint8 (H, W, 3)."""
    sampling = Sampling(sampler=sampler, layer=layer)
    adapters = "".join(f"-{fingerprint}" for fingerprint, _ in context.model.settled(sampling).adapters)
    folder = context.images / f"{name}-{layer}-{sampler}{adapters}"
    return [one.pixels for one in generate_set(context.model, wanted, folder, context.progress, sampling)]


def measure_pan(context: Context, sampler: str) -> Figures:
    """As distances and Cls-OA of colours, all turned grey; `colours` are the model's own, turned grey."""
    others = Loaded(context, [name for name in SCENES if name != PROTOCOL_FILE])
    network = train_classifier(Grey(others), context.network("features-pan"), context.plan.feature_samples)
    pictures = made(context, sampler, "pan", "captions", context.wanted())
    colours = [grey(picture.pixels) for picture in context.generated(sampler)]
    reference, other = ([grey(p.pixels) for p in part] for part in context.references)
    found = _distances(network, reference, {"real": other, "made": pictures, "colours": colours})
    found["over_colours"] = found["made"]["frechet"] / max(found["colours"]["frechet"], 1e-9)
    found["equal_channels"] = float(np.mean([bool((p == p[..., :1]).all()) for p in pictures]))
    real = Grey(context.references[0])
    ours = [_labelled(picture, want.label) for picture, want in zip(pictures, context.wanted(), strict=True)]
    return found | {"accuracy": _accuracies(context, f"pan-{sampler}", network, real, ours, Grey(context.held_back))}


def measure_nir(context: Context, sampler: str) -> Figures:
    """Distances, brightness of vegetation over that of water, and NDVI with the colours of the same seed."""
    training, held_back = (load_pairs(context.data, "nir", split) for split in ("train", "val"))
    network = train_classifier(
        [_labelled(stacked(pair), str(kind)) for pair, kind in zip(training, kinds(training), strict=True)],
        context.network("features-nir"), context.plan.feature_samples,
    )  # fmt: skip
    count = min(len(held_back) // 2, context.plan.images)
    wanted = [Wanted(LANDS[n % len(LANDS)], "", n, 10.0) for n in range(count)]
    sets = {
        "real": [stacked(pair) for pair in held_back[1::2][:count]],
        "made": made(context, sampler, "nir", "lands", wanted),
        "colours": [grey(picture) for picture in made(context, sampler, RGB, "lands", wanted)],
    }
    found = _distances(network, [stacked(pair) for pair in held_back[0::2][:count]], sets)
    return found | physics(context, sampler, [*training, *held_back])


def physics(context: Context, sampler: str, pairs: Sequence[Pair]) -> Figures:
    """Mean near infrared of vegetation and water, made and measured, and NDVI by prompt.

    Measured are places that are all vegetation or all water. `wet_pixels` are those of the prompts for water that are
    water by NDVI, against those of all pairs: what is made for such prompts shows shores as well. `coupled` tells how
    far the borders of near infrared and colours of one seed lie in the same places, against those of two seeds.
    """
    seeds = min(SEEDS, context.plan.images)
    found: Figures = {"ndvi": {}}
    coupled: list[float] = []
    chance: list[float] = []
    brightness: dict[str, list[float]] = {"vegetation": [], "water": [], "wet": []}
    for group, prompts in (("vegetation", VEGETATION), ("water", WATER)):
        for prompt in prompts:
            wanted = [Wanted(prompt, "", seed) for seed in range(seeds)]
            name = f"physics-{prompt.replace(' ', '-')}"
            infrared = [p[..., 0] for p in made(context, sampler, "nir", name, wanted)]
            reds = [p[..., 0] for p in made(context, sampler, RGB, name, wanted)]
            colours = [grey(p)[..., 0] for p in made(context, sampler, RGB, name, wanted)]
            coupled += [figures.coupling(*both) for both in zip(infrared, colours, strict=True)]
            chance += [figures.coupling(*both) for both in zip(infrared, [*colours[1:], colours[0]], strict=True)]
            indices = [figures.vegetation_index(*both) for both in zip(infrared, reds, strict=True)]
            found["ndvi"][prompt] = float(np.mean(indices))
            brightness[group] += [float(band.mean()) for band in infrared]
            if group == "water":
                wet = [band[index < WET] for band, index in zip(infrared, indices, strict=True)]
                brightness["wet"] += [float(part.mean()) for part in wet if part.size]
    ours = {name: float(np.mean(values)) if values else float("nan") for name, values in brightness.items()}
    theirs = measured_brightness(pairs)
    return found | {
        "vegetation": ours["vegetation"], "water": ours["water"], "wet_pixels": ours["wet"],
        "vegetation_measured": theirs["vegetation"], "water_measured": theirs["water"],
        "wet_pixels_measured": theirs["wet"], "ratio": ours["vegetation"] / ours["water"],
        "ratio_measured": theirs["vegetation"] / theirs["water"], "ratio_of_water": ours["vegetation"] / ours["wet"],
        "ratio_of_water_measured": theirs["vegetation"] / theirs["wet"],
        "coupled": float(np.mean(coupled)), "coupled_by_chance": float(np.mean(chance)),
    }  # fmt: skip


def measured_brightness(pairs: Sequence[Pair]) -> dict[str, float]:
    """Mean near infrared of real pictures that are all vegetation, or all water, and of every pixel of water."""
    values: dict[str, list[float]] = {"vegetation": [], "water": [], "wet": []}
    for pair in pairs:
        index = figures.vegetation_index(pair.measured, pair.picture[..., 0])
        if (index > GREEN).mean() >= PURE:
            values["vegetation"].append(float(pair.measured.mean()))
        if (index < WET).mean() >= PURE:
            values["water"].append(float(pair.measured.mean()))
        values["wet"] += pair.measured[index < WET].tolist()
    return {name: float(np.mean(found)) if found else float("nan") for name, found in values.items()}


def measure_sar(context: Context, sampler: str) -> Figures:
    """Distances, Cls-OA over the classes of the pairs, grey values, looks and spectrum; `colours` are turned grey."""
    training, held_back = (
        [pair for pair in load_pairs(context.data, "sar", split) if pair.label] for split in ("train", "val")
    )
    real = [_labelled(stacked(pair), pair.label) for pair in training]
    network = train_classifier(real, context.network("features-sar"), context.plan.feature_samples)
    count = min(len(held_back) // 2, context.plan.images)
    wanted = [
        Wanted(CLASSES.get(pair.label, (pair.label,))[0], pair.label, n)
        for n, pair in enumerate(held_back[1::2][:count])
    ]
    reference, other = ([stacked(pair) for pair in held_back[start::2][:count]] for start in (0, 1))
    pictures = made(context, sampler, "sar", "scenes", wanted)
    colours = [grey(picture) for picture in made(context, sampler, RGB, "scenes", wanted)]
    found = _distances(network, reference, {"real": other, "made": pictures, "colours": colours})
    ours = [_labelled(picture, want.label) for picture, want in zip(pictures, wanted, strict=True)]
    tested = [_labelled(stacked(pair), pair.label) for pair in held_back]
    bands = [pair.measured for pair in held_back]
    single, plain = ([picture[..., 0] for picture in some] for some in (pictures, colours))
    small = [picture[: bands[0].shape[0], : bands[0].shape[1]] for picture in single]
    return found | {
        "accuracy": _accuracies(context, f"sar-{sampler}", network, real[:: max(1, len(real) // count)], ours, tested),
        "looks": figures.number_of_looks(single), "looks_measured": figures.number_of_looks(bands),
        "looks_of_colours": figures.number_of_looks(plain),
        "histogram_distance": figures.histogram_distance(single, bands),
        "histogram_distance_of_colours": figures.histogram_distance(plain, bands),
        "spectrum_distance": figures.spectrum_distance(small, bands),
    }  # fmt: skip


class Grey(Sequence[Picture]):
    """Pictures turned grey when they are looked at."""

    def __init__(self, pictures: Sequence[Picture]):
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Grey(self._pictures[index])
        picture = self._pictures[index]
        return Picture(grey(picture.pixels), picture.label, picture.captions, picture.resolution, picture.source)


def grey(pixels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) as the panchromatic band, three times."""
    pan = MODALITIES["pan"]
    return pan.to_rgb(pan.to_bands(pixels))


def stacked(pair: Pair) -> np.ndarray:
    """What was measured, uint8 (H, W, 3)."""
    return np.repeat(pair.measured[..., None], 3, axis=2)


def kinds(pairs: Sequence[Pair]) -> np.ndarray:
    """The group of each place, by mean and spread of its colours."""
    from sklearn.cluster import KMeans

    told = np.stack([np.concatenate([p.picture.mean((0, 1)), p.picture.std((0, 1))]) for p in pairs])
    return KMeans(min(KINDS, len(pairs)), n_init=4, random_state=0).fit_predict(told / 255)


def _distances(network: SceneClassifier, reference: list[np.ndarray], sets: dict[str, list[np.ndarray]]) -> Figures:
    seen = network.features(reference)
    return {name: compare(seen, network.features(pictures)) for name, pictures in sets.items()}


def _accuracies(
    context: Context, name: str, start: SceneClassifier, real: Sequence[Picture], ours: Sequence[Picture],
    tested: Sequence[Picture],
) -> Figures:  # fmt: skip
    """Cls-OA: classifiers trained on what was made and on as many real pictures name real held-back ones."""
    found = {}
    for kind, pictures in (("real", real), ("made", ours)):
        place = context.out / "networks" / f"accuracy-{name}-{kind}-{context.sampled_by}-{len(pictures)}"
        found[kind] = accuracy(train_classifier(pictures, place, context.plan.accuracy_samples, start), tested)
    return found


def _labelled(pixels: np.ndarray, label: str) -> Picture:
    return Picture(pixels, label, (), None, "modality")
