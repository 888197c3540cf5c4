"""The measurements of an evaluation: each a function from the shared context to JSON-ready figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from text2earth_core.alignment import load_towers
from text2earth_core.data.captions import CLASSES, caption_of, class_of
from text2earth_core.data.corpus import Picture, load_corpus
from text2earth_core.errors import Text2EarthError
from text2earth_core.evaluation import neighbours, scale
from text2earth_core.evaluation.classifier import accuracy, train_classifier
from text2earth_core.evaluation.context import Context
from text2earth_core.evaluation.frechet import compare, frechet_distance
from text2earth_core.evaluation.generated import Wanted, generate_set, save_whole
from text2earth_core.evaluation.modalities import modalities
from text2earth_core.evaluation.outpainting import SIDES, measure_outpainting, outpaint_set
from text2earth_core.evaluation.plan import OMEGAS
from text2earth_core.evaluation.pretrained import Clip, Inception
from text2earth_core.evaluation.reconstruction import measure_reconstruction, middle
from text2earth_core.evaluation.speed import part_seconds, tile_seconds
from text2earth_core.evaluation.translation import translation
from text2earth_core.evaluation.zero_shot import measure_towers
from text2earth_core.networks.eyes import NAME, Eyes
from text2earth_core.sampling.settings import Sampling
from text2earth_core.structure.denoising import held_back_pictures, hold_back
from text2earth_core.structure.measures import FROM_NOISE_SHEET, measure_structure
from text2earth_core.training.grids import tile_images

Figures = dict[str, Any]


def networks(context: Context) -> Figures:
    """How good the measuring networks are themselves."""
    judge = context.judge
    return {
        "features": "scene classifier trained here on real images of RESISC, RSSCN7 and UC Merced, 64 dimensions",
        "judge_top1": accuracy(judge, context.held_back),
        "judge_top3": accuracy(judge, context.held_back, among=3),
        "classes": len(judge.classes),
        "held_back": len(context.held_back),
    }


def distances(context: Context) -> Figures:
    """Fréchet and kernel distance to real images, beside another real set (ceiling) and random latents (floor)."""
    reference, other = (context.features.features(_pixels(part)) for part in context.references)
    found = {"real": compare(reference, other)}
    for sampler in context.samplers:
        found[sampler] = compare(reference, context.features.features(_pixels(context.generated(sampler))))
    found["random"] = compare(reference, context.features.features(context.random_images(context.count)))
    return found


def eyes(context: Context) -> Figures:
    """As `distances`, in the features of a network that knows none of our data, at native size."""
    try:
        network = Eyes()
    except Text2EarthError as error:
        return {"missing": str(error)}
    window = context.model.info.window
    smallest = min(min(p.pixels.shape[:2]) for part in context.references for p in part)
    side = min(window, smallest) // 32 * 32

    def seen(images: Iterable[np.ndarray]) -> np.ndarray:
        return network.features(middle(image, side) for image in images)

    reference, other = (seen(_pixels(part)) for part in context.references)
    found: Figures = {"network": NAME, "side": side, "real": compare(reference, other)}
    for sampler in context.samplers:
        found[sampler] = compare(reference, seen(_pixels(context.generated(sampler))))
    return found


def structure(context: Context) -> Figures:
    """What the model knows of lines and layout: errors by noise level, from noise, lines in what it draws."""
    window = context.model.info.window
    pictures = held_back_pictures(context.data, window, context.plan.structure)
    if len(pictures) < 2:
        return {"missing": f"The data hold too few images of {window} px that were held back."}
    held = hold_back(context.model, pictures, window)
    drawn = max(2, context.plan.structure // 3)
    found, thumbnails = measure_structure(context.model, held, drawn)
    context.images.mkdir(parents=True, exist_ok=True)
    save_whole(tile_images(thumbnails, drawn), context.images / FROM_NOISE_SHEET)
    return found | {"images": len(pictures)}


def class_accuracy(context: Context) -> Figures:
    """Cls-OA: a classifier trained on generated images names real held-back ones, beside one trained on as many real.

    All start from the feature network, which has seen no image of this data set.
    """
    real, _ = context.references
    sets: dict[str, list[Picture]] = {"real": real}
    sets |= {sampler: context.generated(sampler) for sampler in context.samplers}
    labels = [want.label for want in context.wanted()]
    randoms = zip(labels, context.random_images(context.count), strict=True)
    sets["random"] = [Picture(pixels, label, (), None, "random") for label, pixels in randoms]
    found = {}
    for name, pictures in sets.items():
        own = f"real-{context.data_key}" if name == "real" else f"{name}-{context.sampled_by}"
        place = context.out / "networks" / f"accuracy-{own}-{context.count}"
        classifier = train_classifier(pictures, place, context.plan.accuracy_samples, context.features)
        found[name] = accuracy(classifier, context.held_back)
    return found | {"images": context.count}


def alignment(context: Context) -> Figures:
    """CLIP score with the model's own towers: generated, real with their own captions (ceiling), random (floor)."""
    try:
        own = load_towers(context.folder)
    except Text2EarthError as error:
        return {"missing": str(error)}
    texts = [want.prompt for want in context.wanted()]
    held_back = context.held_back[: context.count]
    found = {"real": own.score(_pixels(held_back), [caption_of(picture) for picture in held_back])}
    for sampler in context.samplers:
        found[sampler] = own.score(_pixels(context.generated(sampler)), texts)
    few = min(256, context.count)
    return found | {"random": own.score(list(context.random_images(few)), texts[:few]), "network": "own towers"}


def towers(context: Context) -> Figures:
    """What the model's own towers know: zero-shot classification of held-back images and of human captions."""
    try:
        own = load_towers(context.folder)
    except Text2EarthError as error:
        return {"missing": str(error)}
    return measure_towers(own, context.data, context.plan.limit)


def pretrained(context: Context) -> Figures:
    """Distance and CLIP score with published networks, where asked for and to be had."""
    if not context.hub:
        return {"missing": "not asked for: --pretrained fetches Inception-v3 and CLIP from the hub"}
    try:
        inception, clip = Inception(), Clip()
    except Text2EarthError as error:
        return {"missing": str(error)}
    reference, other = (inception.features(_pixels(part)) for part in context.references)
    real = {"frechet": frechet_distance(reference, other)}
    held_back = context.held_back[: context.count]
    real["clip"] = clip.score(_pixels(held_back), [caption_of(picture) for picture in held_back])
    found: Figures = {"networks": f"{inception.name}; {clip.name}", "real": real}
    for sampler in context.samplers:
        made = _pixels(context.generated(sampler))
        found[sampler] = {
            "frechet": frechet_distance(reference, inception.features(made)),
            "clip": clip.score(made, [want.prompt for want in context.wanted()]),
        }
    return found


def autoencoder(context: Context) -> Figures:
    """What the autoencoder keeps of held-back images at their native size."""
    plan = context.plan
    pictures = _pixels(context.held_back[: plan.reconstructed])
    return measure_reconstruction(context.model, pictures, context.features, plan.rounds, context.progress)


def copies(context: Context) -> Figures:
    """Nearest training images of generated ones, in features and in pixels, against held-back real ones."""
    generated, held_back = _pixels(context.generated(context.samplers[0])), _pixels(context.held_back)
    held_back = held_back[: max(100, context.count)]
    training = _pixels(context.training)
    known = context.features.features(training)
    by_feature = [neighbours.nearest(context.features.features(images), known) for images in (generated, held_back)]
    small = neighbours.thumbnails(training)
    by_pixel = [neighbours.nearest_pixels(images, small) for images in (generated, held_back)]
    closest = np.argsort(by_pixel[0].distance)[:8]
    return {
        "features": neighbours.compare_distances(by_feature[0].distance, by_feature[1].distance),
        "pixels": neighbours.compare_distances(by_pixel[0].distance, by_pixel[1].distance),
        "pairs": [[int(i), int(by_pixel[0].index[i]), float(by_pixel[0].distance[i])] for i in closest],
    }


def guidance(context: Context) -> Figures:
    """Omega 0 to 7: distance, how often the judge agrees, and CLIP score, each on the same prompts and seeds."""
    count = min(context.plan.sweep_images, context.count)
    wanted = context.wanted()[:count]
    reference = context.features.features(_pixels(context.references[0][:count]))
    try:
        own = load_towers(context.folder)
    except Text2EarthError:
        own = None
    found: Figures = {"omega": list(OMEGAS), "frechet": [], "kid": [], "top1": [], "clip": [], "images": count}
    for omega in OMEGAS:
        folder = context.images / f"omega-{omega}"
        made = generate_set(context.model, wanted, folder, context.progress, Sampling(guidance=1.0 + omega))
        distance = compare(reference, context.features.features(_pixels(made)))
        found["frechet"].append(distance["frechet"])
        found["kid"].append(distance["kid"])
        found["top1"].append(accuracy(context.judge, made))
        if own is not None:
            found["clip"].append(own.score(_pixels(made), [want.prompt for want in wanted]))
    return found


def text_control(context: Context) -> Figures:
    """One prompt for each class, several seeds: how often the judge names the prompted class."""
    wanted = control_prompts(context)
    found: Figures = {"seeds": context.plan.control_seeds, "prompts": len(context.classes)}
    for sampler in context.samplers:
        folder = context.images / f"prompts-{sampler}"
        made = generate_set(context.model, wanted, folder, context.progress, Sampling(sampler=sampler))
        ranked = context.judge.ranked(_pixels(made))
        first = [names[0] == want.label for names, want in zip(ranked, wanted, strict=True)]
        three = [want.label in names[:3] for names, want in zip(ranked, wanted, strict=True)]
        by_class = {
            label: float(np.mean([hit for hit, want in zip(first, wanted, strict=True) if want.label == label]))
            for label in context.classes
        }
        found[sampler] = {"top1": float(np.mean(first)), "top3": float(np.mean(three)), "by_class": by_class}
    return found


def control_prompts(context: Context) -> list[Wanted]:
    """Class by class: the wording by which people ask for it, with every seed."""
    return [
        Wanted(CLASSES.get(label, (label,))[0], label, seed)
        for label in context.classes
        for seed in range(context.plan.control_seeds)
    ]


def outpainting(context: Context) -> Figures:
    """Half of the window masked on held-back images of the other data sets, which are as large as the window."""
    if not context.model.info.inpaints:
        return {"missing": "This model has 4 input channels and cannot outpaint."}
    pictures, window = context.others_held_back, context.model.info.window
    masked, others = pictures[0::2], pictures[1::2]
    if len(others) < 2:
        return {"missing": f"The data hold too few images of {window} px that were held back."}
    count = min(context.plan.outpainted, len(SIDES) * len(others))
    # A picture that comes again loses another side: its halves are different samples.
    turns = [(number % len(others), SIDES[(number + number // len(others)) % len(SIDES)]) for number in range(count)]
    tasks = [(masked[index], side) for index, side in turns]
    reference = [middle(others[index].pixels, window) for index, _ in turns]
    found: Figures = {"images": count}
    for sampler in context.samplers:
        folder = context.outpainted(sampler)
        made = outpaint_set(context.model, tasks, folder, context.progress, sampler)
        found[sampler] = measure_outpainting(context.features, reference, *made)
    return found


def resolution(context: Context) -> Figures:
    """The same prompt at seven ground resolutions: do things scale as they do in real images of known m/px?

    With the student where it is measured: it is what the page asks by default.
    """
    pictures = load_corpus(context.data, "train", ["rsscn7", "ucm"], context.plan.limit)
    classes = sorted({class_of(p.label) for p in pictures if p.source == "rsscn7"})[: context.plan.scale_classes]
    real = [scale.class_scales(pictures, label) for label in classes]
    size = max(context.model.info.window, scale.SIDE)
    sampler = context.samplers[-1]
    found: Figures = {
        "classes": classes, "real": real, "made": [], "seeds": context.plan.scale_seeds, "sampler": sampler,
    }  # fmt: skip
    for label in classes:
        scales = {}
        for metres in scale.RESOLUTIONS:
            wanted = [
                Wanted(CLASSES.get(label, (label,))[0], label, seed, metres) for seed in range(context.plan.scale_seeds)
            ]
            folder = context.images / f"scale-{sampler}-{label.replace(' ', '-')}-{metres}"
            made = generate_set(context.model, wanted, folder, context.progress, Sampling(sampler=sampler), size)
            scales[metres] = scale.mean_scale(_pixels(made))
        found["made"].append(scales)
    common = [sorted(set(ours) & set(theirs)) for ours, theirs in zip(found["made"], real, strict=True)]
    found["by_class"] = [
        scale.spearman([ours[r] for r in both], [theirs[r] for r in both]) if len(both) > 1 else None
        for ours, theirs, both in zip(found["made"], real, common, strict=True)
    ]
    return found | {"spearman": scale.centred_spearman(found["made"], real)}


def speed(context: Context) -> Figures:
    """Seconds a tile on this machine, with each sampler's own steps."""
    tiles = {sampler: tile_seconds(context.model, sampler, context.plan.repeat) for sampler in context.samplers}
    found: Figures = {"tile": tiles, "part": part_seconds(context.model), "device": context.model.info.device}
    if "fast" in tiles:
        found["student_over_teacher"] = tiles["quality"] / tiles["fast"]
    return found


MEASUREMENTS: dict[str, Callable[[Context], Figures]] = {
    function.__name__: function
    for function in (
        networks, structure, distances, eyes, class_accuracy, towers, alignment, pretrained, autoencoder, copies,
        guidance, text_control, outpainting, resolution, modalities, translation, speed,
    )
}  # fmt: skip
"""In the order in which they run and are reported: what others rest on comes first."""


def _pixels(pictures: list[Picture]) -> list[np.ndarray]:
    return [picture.pixels for picture in pictures]
