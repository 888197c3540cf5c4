"""Evaluation: every figure is right where the truth is known."""

import json

import cv2
import numpy as np
import pytest
import torch

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.alignment import clip_score, load_towers
from text2earth_core.data.captions import spread_classes
from text2earth_core.data.corpus import Picture
from text2earth_core.evaluation.classifier import (
    FEATURES,
    TEST_SIDE,
    WEIGHTS,
    SceneClassifier,
    SceneNetwork,
    accuracy,
    shrink,
    train_classifier,
)
from text2earth_core.evaluation.frechet import compare, frechet_distance, kernel_distance
from text2earth_core.evaluation.generated import Wanted, generate_set
from text2earth_core.evaluation.neighbours import compare_distances, nearest, nearest_pixels, thumbnails
from text2earth_core.evaluation.outpainting import SIDES, half_mask, half_of, outpaint_set
from text2earth_core.evaluation.plan import Plan
from text2earth_core.evaluation.plots import Curve, plot_curves
from text2earth_core.evaluation.reconstruction import colour_drift, compare_images, laplacian_energy, psnr
from text2earth_core.evaluation.scale import (
    SIDE,
    centred_spearman,
    real_at_resolution,
    spearman,
    texture_scale,
)
from text2earth_core.evaluation.targets import check_all
from text2earth_core.sampling.feather import FEATHER
from text2earth_core.training.text import train_text


def ignore(what, done, total):
    """A progress callback for tests that do not look at it."""


def gaussian(rng, mean, scale, count=4000):
    return rng.normal(size=(count, len(mean))) * np.sqrt(scale) + mean


def blobs(rng, sigma, side=256):
    noise = cv2.GaussianBlur(rng.normal(size=(side, side, 3)).astype(np.float32), (0, 0), sigma)
    return (128 + 40 * noise / noise.std()).clip(0, 255).astype(np.uint8)


def labelled(rng, label, count, side=96):
    colour = {"forest": (40, 90, 40), "desert": (210, 180, 120), "beach": (90, 140, 190)}[label]
    noisy = (np.array(colour) + rng.normal(0, 25, (count, side, side, 3))).clip(0, 255).astype(np.uint8)
    return [Picture(pixels, label, (), None, "x") for pixels in noisy]


def test_frechet_distance_of_gaussians_is_the_closed_form():
    rng = np.random.default_rng(0)
    a, b = gaussian(rng, [0, 0, 0], [1, 4, 9]), gaussian(rng, [1, 0, 2], [1, 1, 16])
    expected = 1 + 4 + (1 - 1) ** 2 + (2 - 1) ** 2 + (3 - 4) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected, rel=0.05)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_sees_correlation():
    rng = np.random.default_rng(0)
    a = gaussian(rng, [0, 0], [1, 1])
    turned = a @ np.linalg.cholesky(np.array([[1, 0.8], [0.8, 1]])).T
    # tr(2 I + ...) - 2 tr sqrt(C) with eigenvalues 1.8 and 0.2 of C
    assert frechet_distance(a, turned) == pytest.approx(4 - 2 * (np.sqrt(1.8) + np.sqrt(0.2)), rel=0.1)


def test_kernel_distance_is_zero_for_equal_distributions_whatever_the_count():
    rng = np.random.default_rng(0)
    for count in (100, 800):
        same = [kernel_distance(*rng.normal(size=(2, count, 16)), subsets=10, size=300) for _ in range(5)]
        assert abs(np.mean(same)) < 0.02
    assert kernel_distance(rng.normal(size=(500, 16)), rng.normal(1, 1, (500, 16))) > 0.5


def test_sets_of_different_sizes_are_not_compared():
    with pytest.raises(ValueError, match="equally large"):
        compare(np.zeros((5, 2)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="N, D"):
        frechet_distance(np.zeros((1, 2)), np.zeros((4, 2)))


def test_a_classifier_learns_resumes_and_hands_on_its_features(tmp_path):
    rng = np.random.default_rng(0)
    corpus = [p for label in ("forest", "desert", "beach") for p in labelled(rng, label, 8)]
    held_back = [p for label in ("forest", "desert", "beach") for p in labelled(rng, label, 4)]
    first = train_classifier(corpus, tmp_path / "a", 64 * 12, held_back=held_back)
    assert first.classes == ["beach", "desert", "forest"]
    assert accuracy(first, held_back) >= 0.9
    written = (tmp_path / "a" / WEIGHTS).stat().st_mtime_ns
    again = train_classifier([], tmp_path / "a", 64 * 12)  # trained already: it does not even look at the pictures
    assert (tmp_path / "a" / WEIGHTS).stat().st_mtime_ns == written
    images = [p.pixels for p in held_back]
    np.testing.assert_array_equal(first.scores(images), again.scores(images))
    assert first.features(images).shape == (12, FEATURES)
    two = train_classifier(corpus[:16], tmp_path / "b", 64, start=first)
    assert two.classes == ["desert", "forest"]
    logged = [json.loads(line) for line in (tmp_path / "a" / "held_back.jsonl").read_text().splitlines()]
    assert logged[-1]["held_back_accuracy"] >= 0.9


def test_a_classifier_survives_saving(tmp_path):
    torch.manual_seed(0)
    classifier = SceneClassifier(SceneNetwork(2), ["a, b", "c|d"])
    classifier.save(tmp_path / WEIGHTS)
    loaded = SceneClassifier.load(tmp_path / WEIGHTS)
    image = blobs(np.random.default_rng(0), 3)
    assert loaded.classes == ["a, b", "c|d"]
    np.testing.assert_array_equal(loaded.scores([image]), classifier.scores([image]))


def test_halves_keep_their_shape_when_shrunk():
    assert shrink(np.zeros((256, 128, 3), np.uint8), TEST_SIDE).shape == (TEST_SIDE, TEST_SIDE // 2, 3)


def test_scale_doubles_when_the_picture_is_enlarged_by_two():
    rng = np.random.default_rng(0)
    for sigma in (2.0, 3.0):
        small = [blobs(rng, sigma) for _ in range(4)]
        large = [cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for image in small]
        ratio = np.mean([texture_scale(image) for image in large]) / np.mean([texture_scale(image) for image in small])
        assert ratio == pytest.approx(2, rel=0.08)
    assert np.isfinite(texture_scale(np.full((SIDE, SIDE, 3), 90, np.uint8)))


def test_real_images_are_shrunk_to_a_resolution_and_never_enlarged():
    pictures = [Picture(np.zeros((320, 320, 3), np.uint8), "forest", (), r, "x") for r in (0.28, 1.1)]
    assert [image.shape[0] for image in real_at_resolution(pictures, 0.56)] == [160]
    assert [image.shape[0] for image in real_at_resolution(pictures, 1.1)] == [320]
    assert real_at_resolution(pictures, 0.1) == []
    assert real_at_resolution(pictures[:1], 2.0) == []  # 45 px are too few


def test_rank_correlation():
    assert spearman([1, 2, 3, 4], [10, 20, 25, 100]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 2, 3], [1, 2, 2, 3]) == pytest.approx(1)
    assert spearman([1, 1], [1, 2]) == 0


def test_correlation_of_scales_is_about_resolution_not_about_classes():
    real = [{0.3: 8.0, 1.0: 4.0, 2.1: 2.0}, {0.3: 80.0, 1.0: 60.0, 2.1: 40.0}]
    follows = [{r: 3 * s**0.5 for r, s in one.items()} for one in real]
    ignores = [{0.3: 5.0, 1.0: 5.1, 2.1: 5.2}, {0.3: 70.0, 1.0: 71.0, 2.1: 72.0}]
    assert centred_spearman(follows, real) == pytest.approx(1)
    assert centred_spearman(ignores, real) < 0
    assert centred_spearman([{}], [{}]) == 0


def test_reconstruction_figures_of_known_changes():
    image = blobs(np.random.default_rng(0), 2)
    same = compare_images(image, image)
    assert same["psnr"] == 100
    assert same["ssim"] == pytest.approx(1, abs=1e-4)
    assert psnr(np.zeros(4), np.full(4, 0.1)) == pytest.approx(20)
    blurred = compare_images(image, cv2.GaussianBlur(image, (0, 0), 2))
    assert blurred["laplacian_copy"] < 0.5 * blurred["laplacian_original"]
    assert blurred["ssim"] < same["ssim"]
    grey = np.repeat(image.mean(2, keepdims=True), 3, 2).astype(np.uint8)
    assert compare_images(image, grey)["saturation_copy"] == 0
    assert compare_images(image, grey)["psnr_luma"] > compare_images(image, grey)["psnr_chroma"]
    assert laplacian_energy(np.full((16, 16), 0.5)) == 0


def test_colours_stay_where_they_are_over_many_rounds():
    model = Text2Earth.from_preset("tiny", seed=0)
    grey = np.full((64, 64, 3), 128, np.uint8)
    assert colour_drift(model, grey, rounds=3) <= 3 / 255


def test_a_copy_is_found_in_features_and_turned_in_pixels():
    rng = np.random.default_rng(0)
    training = [blobs(rng, 6) for _ in range(20)]
    fresh = [blobs(rng, 6) for _ in range(20)]
    copied = [np.rot90(training[7]), training[3][:, ::-1]]
    small = thumbnails(training)
    found = nearest_pixels(copied, small)
    assert found.index.tolist() == [7, 3]
    assert found.distance.max() < 1
    usual = nearest_pixels(fresh, small).distance
    assert compare_distances(found.distance, usual)["suspicious"] == 1
    assert compare_distances(usual, usual)["median_ratio"] == 1
    points = rng.normal(size=(50, 8))
    assert nearest(points[:5], points).index.tolist() == [0, 1, 2, 3, 4]


def test_halves_are_the_masked_ones():
    image = np.arange(64 * 64 * 3, dtype=np.int64).reshape(64, 64, 3)
    for side in SIDES:
        mask, half = half_mask(side, 64), half_of(image, side)
        assert half.shape == (64, 32, 3)
        assert set(half.ravel()) == set(image[mask].ravel())


def test_outpainting_resumes_and_keeps_what_was_known(tmp_path):
    tiny = Text2Earth.from_preset("tiny", seed=0)
    # With a window of 128 px, so that there is ground beyond the feather.
    model = Text2Earth.from_parts(tiny.unet, tiny.codec.vae, tiny.text, tiny.scheduler, window=128, steps=4)
    rng = np.random.default_rng(0)
    # Of two resolutions, thus in two batches: within one, how many there are shows in a window's rounding.
    asked = ((0.5, "left"), (1.0, "bottom"))
    tasks = [(Picture(blobs(rng, 3, 144), "forest", (), metres, "x"), side) for metres, side in asked]
    calls = []
    originals, results, sides = outpaint_set(model, tasks, tmp_path, lambda *step: calls.append(step))
    assert calls[-1][1:] == (2, 2)
    assert sides == ["left", "bottom"]
    known = 64 + FEATHER
    np.testing.assert_array_equal(originals[0][:, known:], results[0][:, known:])
    np.testing.assert_array_equal(originals[1][: 128 - known], results[1][: 128 - known])
    assert not np.array_equal(originals[0], results[0])
    (tmp_path / "00001.png").unlink()
    times = (tmp_path / "00000.png").stat().st_mtime_ns
    _, again, _ = outpaint_set(model, tasks, tmp_path, ignore)
    assert (tmp_path / "00000.png").stat().st_mtime_ns == times
    np.testing.assert_array_equal(again[1], results[1])


def test_generated_images_are_made_once(tmp_path):
    model = Text2Earth.from_preset("tiny", seed=0)
    wanted = [Wanted("a forest", "forest", 3), Wanted("a desert", "desert", 4, 0.5)]
    first = generate_set(model, wanted, tmp_path, ignore)
    (tmp_path / "00001.png").unlink()
    (tmp_path / "00002.part").write_bytes(b"what a killed run leaves")
    again = generate_set(model, wanted, tmp_path, ignore)
    assert [p.label for p in again] == ["forest", "desert"]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)


def test_the_first_pictures_cover_the_classes():
    pictures = [Picture(np.zeros((1, 1, 3), np.uint8), label, (), None, "x") for label in "aaabbc"]
    assert [p.label for p in spread_classes(pictures)] == ["a", "b", "c", "a", "b", "a"]


def test_clip_score_is_a_hundred_for_equal_directions():
    eye = np.eye(3, dtype=np.float32)
    assert clip_score(eye, eye) == pytest.approx(100)
    assert clip_score(eye, np.roll(eye, 1, 0)) == pytest.approx(0)
    with pytest.raises(ValueError, match="pairs"):
        clip_score(eye, eye[:2])


def test_training_the_text_tower_leaves_an_image_tower_to_measure_with(few_images, tmp_path):
    train_text("tiny", few_images, tmp_path, samples=96)
    towers = load_towers(tmp_path)
    images = towers.embed_images([blobs(np.random.default_rng(0), 3)] * 2)
    texts = towers.embed_texts(["a lake", "sand"])
    np.testing.assert_allclose(np.linalg.norm(images, axis=1), 1, atol=1e-5)
    assert images.shape == texts.shape
    with pytest.raises(Text2EarthError, match="train text"):
        load_towers(tmp_path / "nowhere")


def test_a_plan_shrinks_with_the_budget_and_says_so():
    first, second, full = Plan.within(3, 1.0), Plan.within(60, 1.0), Plan.within(10_000, 1.0)
    assert 30 <= first.images < second.images <= full.images == Plan().images
    assert first.below_protocol
    assert not full.below_protocol
    assert Plan.with_images(100).below_protocol


def test_requirements_are_judged_by_their_limits():
    figures = {
        "class_accuracy": {"real": 0.8, "quality": 0.61, "fast": 0.5},
        "distances": {
            "real": {"frechet": 1.0, "kid": 0.01},
            "quality": {"frechet": 2.9, "kid": 0.05},
            "fast": {"frechet": 3.1, "kid": 0.02},
        },
    }
    met = {check.name: check.met for check in check_all(figures, ["quality", "fast"])}
    assert met == {
        "Cls-OA of as many real images": True,
        "Cls-OA / real (quality)": True,
        "Cls-OA / real (fast)": False,
        "Cls-OA of student / teacher": False,
        "Fréchet distance (quality)": True,
        "KID (quality)": False,
        "Fréchet distance (fast)": False,
        "KID (fast)": True,
    }


def test_a_plot_is_one_svg_element_without_references_to_elsewhere():
    svg = plot_curves([Curve("a", [0, 1], [1, 2]), Curve("b", [0, 1], [3, 1], right=True)], "x", "y", "z")
    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    assert 'href="http' not in svg


def test_a_classifier_takes_images_of_slightly_different_shapes():
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (side, 96, 3), dtype=np.uint8) for side in (96, 92, 95)]
    classifier = SceneClassifier(SceneNetwork(2), ["a", "b"])
    assert classifier.features(images).shape == (3, FEATURES)
