"""Seam metrics: what is planted is found, and what is not there is not."""

import cv2
import numpy as np
import pytest

from benchmarks.measures.drift import copying, drift
from text2earth_core.evaluation.bootstrap import bootstrap
from text2earth_core.evaluation.lines import (
    CLEARANCE,
    HALF,
    LENGTH,
    Line,
    SeamScene,
    cut_strips,
    lines_through,
    off_seam_lines,
    pieces,
    usable,
)
from text2earth_core.evaluation.patch_distance import (
    laplacian_pyramid,
    nearest_patch_distance,
    sliced_wasserstein,
)
from text2earth_core.evaluation.seam_detector import COUNTS, area_under_curve, detector_auc, fit_logistic
from text2earth_core.evaluation.seams import (
    SIDE,
    band_energy_ratio,
    collect,
    grid_energy,
    grid_spectrum_ratio,
    low_frequency_step_ratio,
    measure_seams,
    order_difference,
    seam_gradient_ratio,
    style_step_ratio,
    texture_distance_ratio,
)

STRIDE = 128


def smooth_noise(height, width, rng, sigma=2.0, mean=(120, 130, 100)):
    noise = rng.normal(0, 1, (height, width, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), sigma)
    return (np.array(mean) + 25 * blurred / blurred.std()).clip(0, 255).astype(np.uint8)


def scenes_of(make, count=10, width=5 * STRIDE):
    """Scenes 128 px high with vertical seams every 128 px, each drawn by `make(rng, width)`."""
    seams = tuple(line for at in range(STRIDE, width, STRIDE) for line in pieces(True, at, 0, 128))
    return [SeamScene(make(np.random.default_rng(seed), width), seams) for seed in range(count)]


def one_piece(rng, width):
    return smooth_noise(128, width, rng)


def naive_tiles(rng, width):
    tiles = [smooth_noise(128, STRIDE, rng, mean=rng.uniform(80, 160, 3)) for _ in range(width // STRIDE)]
    return np.concatenate(tiles, axis=1)


def thin_lines(rng, width):
    pixels = smooth_noise(128, width, rng).astype(int)
    pixels[:, STRIDE::STRIDE] += 12
    return pixels.clip(0, 255).astype(np.uint8)


def ghosted(rng, width):
    pixels, other = smooth_noise(128, width, rng).astype(float), smooth_noise(128, width, rng).astype(float)
    for at in range(STRIDE, width, STRIDE):
        pixels[:, at - SIDE : at + SIDE] = (pixels + other)[:, at - SIDE : at + SIDE] / 2
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def seamless():
    return scenes_of(one_piece)


@pytest.fixture(scope="module")
def tiled():
    return scenes_of(naive_tiles)


def test_every_metric_is_at_its_target_where_no_windows_met(seamless):
    found = measure_seams(seamless, features=lambda pixels: pixels.transpose(2, 0, 1) / 255, stride=STRIDE)
    assert set(found) == {
        "seam_gradient_mean", "seam_gradient_p99", "band_energy", "low_frequency_step", "texture_distance",
        "style_step", "detector_auc", "grid_spectrum",
    }  # fmt: skip
    for name in ("seam_gradient_mean", "seam_gradient_p99", "band_energy"):
        assert found[name].value == pytest.approx(1, abs=0.05), name
    assert found["low_frequency_step"].low < 1 < found["low_frequency_step"].high
    assert found["texture_distance"].value == pytest.approx(1, abs=0.3)
    assert found["grid_spectrum"].low < 1 < found["grid_spectrum"].high
    assert found["detector_auc"].low < 0.5 < found["detector_auc"].high


def test_a_step_between_tiles_is_found_by_every_metric(tiled):
    found = measure_seams(tiled, features=lambda pixels: pixels.transpose(2, 0, 1) / 255, stride=STRIDE)
    assert found["detector_auc"].value >= COUNTS
    assert found["seam_gradient_mean"].low > 2
    assert found["seam_gradient_p99"].low > 2
    assert found["low_frequency_step"].low > 2
    assert found["style_step"].low > 1.5
    assert found["texture_distance"].value > 1.3
    assert found["grid_spectrum"].low > 3


def test_a_thin_line_on_flat_ground_is_found(seamless):
    strips = collect(scenes_of(thin_lines))
    assert seam_gradient_ratio(strips).low > 1.3
    assert detector_auc(strips.seams, strips.others, *strips.groups).value > COUNTS
    assert grid_spectrum_ratio(scenes_of(thin_lines), STRIDE).low > 3


def test_a_blurred_band_without_a_line_is_found():
    strips = collect(scenes_of(ghosted))
    assert band_energy_ratio(strips).high < 0.9
    assert detector_auc(strips.seams, strips.others, *strips.groups).value > COUNTS


def test_horizontal_seams_are_measured_like_vertical_ones():
    def turn(scene):
        return SeamScene(
            np.ascontiguousarray(scene.pixels.transpose(1, 0, 2)),
            tuple(Line(False, line.at, line.start) for line in scene.seams),
        )

    upright = scenes_of(naive_tiles, count=2)
    a, b = collect(upright), collect([turn(scene) for scene in upright])
    np.testing.assert_array_equal(a.seams, b.seams)
    assert grid_energy(upright[0].pixels, STRIDE) == grid_energy(turn(upright[0]).pixels, STRIDE, vertical=False)


def test_off_seam_lines_keep_clear_of_seams_and_within_the_picture(tiled):
    scene = tiled[0]
    others = off_seam_lines(scene, each=2)
    assert len(others) == len(set(others)) > 0
    assert all(abs(line.at - seam.at) >= CLEARANCE for line in others for seam in scene.seams)
    assert usable(others, scene.pixels.shape) == others


def test_a_strip_has_its_line_in_the_middle():
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[:, 64:] = 200
    pixels[70:, :64] = 9
    (strip,) = cut_strips(pixels, [Line(True, 64, 0)])
    assert strip.shape == (LENGTH, 2 * HALF, 3)
    assert strip[0, HALF - 1, 0] == 0
    assert strip[0, HALF, 0] == 200
    (strip,) = cut_strips(pixels, [Line(False, 70, 0)])
    assert strip[0, HALF - 1, 0] == 0
    assert strip[0, HALF, 0] == 9
    assert usable([Line(True, 8, 0), Line(True, 64, 100)], pixels.shape) == []


def test_a_line_through_a_real_picture_lies_where_it_is_wanted():
    picture = np.zeros((200, 320, 3), np.uint8)
    assert lines_through(picture, True) == (Line(True, 160, 0), Line(True, 160, 64), Line(True, 160, 128))
    for place, at in ((0, HALF), (1, 320 - HALF)):
        lines = lines_through(picture, True, place)
        assert lines[0].at == at
        assert usable(lines, picture.shape) == list(lines)
    assert lines_through(picture, False)[0].vertical is False


def test_a_scene_without_room_is_refused():
    small = SeamScene(np.zeros((128, 96, 3), np.uint8), (Line(True, 48, 0),))
    with pytest.raises(ValueError, match="off-seam"):
        collect([small])
    with pytest.raises(ValueError, match="four strides"):
        grid_energy(np.zeros((64, 300, 3), np.uint8), 128)


def test_a_stronger_step_scores_higher():
    def stepped(size):
        def make(rng, width):
            offset = size * (np.arange(width) // STRIDE % 2)
            return (smooth_noise(128, width, rng) * 0.6 + offset[None, :, None]).clip(0, 255).astype(np.uint8)

        strips = collect(scenes_of(make, count=4))
        return low_frequency_step_ratio(strips).value, seam_gradient_ratio(strips).value

    (small_step, small_line), (large_step, large_line) = stepped(10), stepped(40)
    assert large_step > small_step
    assert large_line > small_line


def test_texture_on_the_seam_is_told_from_texture_beside_it():
    def sharpened(rng, width):
        pixels, fine = smooth_noise(128, width, rng), smooth_noise(128, width, rng, sigma=0.7)
        for at in range(STRIDE, width, STRIDE):
            pixels[:, at - 12 : at + 12] = fine[:, at - 12 : at + 12]
        return pixels

    assert texture_distance_ratio(collect(scenes_of(sharpened, count=4))).low > 1.5


def test_texture_is_compared_within_scenes():
    def of_its_own_kind(rng, width):
        return smooth_noise(128, width, rng, sigma=rng.uniform(0.6, 5), mean=rng.uniform(60, 190, 3))

    assert texture_distance_ratio(collect(scenes_of(of_its_own_kind))).value == pytest.approx(1, abs=0.15)


def test_a_change_of_style_across_the_line_is_found():
    def striped(rng, width):
        rough, smooth = smooth_noise(128, width, rng, sigma=0.8), smooth_noise(128, width, rng, sigma=4)
        return np.where((np.arange(width) // STRIDE % 2)[None, :, None] == 0, rough, smooth)

    def edges(pixels):
        gray = pixels.astype(np.float32).mean(2)
        return np.stack([cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)])

    strips = collect(scenes_of(striped, count=4))
    assert style_step_ratio(strips, edges).low > 2


def test_the_pyramid_adds_up_to_the_image():
    image = smooth_noise(64, 64, np.random.default_rng(0)).astype(np.float32)
    fine, coarse = laplacian_pyramid(image, 2)
    np.testing.assert_allclose(fine + cv2.pyrUp(coarse, dstsize=(64, 64)), image, atol=1e-3)


def test_sliced_wasserstein_grows_with_the_shift():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000, 12)).astype(np.float32)
    same, near, far = (sliced_wasserstein(a, b + shift) for shift in (0, 0.5, 1.5))
    assert same < 0.06
    assert same < near < far
    with pytest.raises(ValueError, match="paired"):
        sliced_wasserstein(a, b[:-1])


def test_area_under_the_curve_counts_pairs():
    assert area_under_curve(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert area_under_curve(np.array([1.0]), np.array([0.0, 1.0, 2.0])) == 0.5
    assert area_under_curve(np.array([0.0]), np.array([1.0, 2.0])) == 0


def test_logistic_regression_separates_what_is_separable():
    rng = np.random.default_rng(0)
    shift = np.array([1.5, 0, 0, 0, 0])
    model = fit_logistic(rng.normal(size=(80, 5)) + shift, rng.normal(size=(80, 5)))
    fresh = area_under_curve(model(rng.normal(size=(200, 5)) + shift), model(rng.normal(size=(200, 5))))
    assert fresh == pytest.approx(0.856, abs=0.06)  # Phi(1.5 / sqrt 2), the best possible


def test_an_interval_covers_the_truth_and_narrows_with_more_groups():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 3)
    values = np.repeat(rng.normal(5, 1, 200), 3)
    many = bootstrap(lambda i: float(values[i].mean()), (groups,))
    few = bootstrap(lambda i: float(values[:60][i].mean()), (groups[:60],))
    assert many.low < 5 < many.high
    assert many.high - many.low == pytest.approx(2 * 1.96 / np.sqrt(200), rel=0.25)  # not narrower by the repetition
    assert few.high - few.low > many.high - many.low


def test_drift_is_told_from_chance():
    def chain(seed, darkening):
        rng = np.random.default_rng(seed)
        return [(smooth_noise(64, 64, rng).astype(float) * (1 - darkening * hop)).astype(np.uint8) for hop in range(12)]

    steady = drift([chain(seed, 0) for seed in range(10)])
    falling = drift([chain(seed, 0.03) for seed in range(10)])
    assert all(change.low < 0.02 and change.high > -0.02 for change in steady.values())
    assert falling["mean"].value == pytest.approx(0.71 / 0.97 - 1, abs=0.02)
    assert falling["high_frequency"].high < -0.3
    with pytest.raises(ValueError, match="too short"):
        drift([chain(0, 0)[:4]])


def test_a_chain_that_repeats_itself_is_told_from_one_that_goes_on():
    rng = np.random.default_rng(0)
    fresh = [[smooth_noise(64, 64, rng) for _ in range(3)] for _ in range(8)]
    real = [(smooth_noise(64, 64, rng), smooth_noise(64, 64, rng)) for _ in range(12)]
    repeated = [[chain[0], np.roll(chain[0], 8, 1), chain[0]] for chain in fresh]
    assert copying(fresh, real).value == pytest.approx(1, abs=0.1)
    assert copying(repeated, real).high < 0.5
    assert nearest_patch_distance(fresh[0][0], fresh[0][0]) == pytest.approx(0, abs=0.1)


def test_two_orders_are_compared_pixel_by_pixel():
    a = np.full((8, 8, 3), 250, np.uint8)
    b = a.copy()
    b[3, 3] = 1
    assert order_difference(a, a) == 0
    assert order_difference(a, b) == 249
    with pytest.raises(ValueError, match="size"):
        order_difference(a, a[:4])
