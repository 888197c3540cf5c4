"""Training windows: which pictures are drawn how often, and what they say of their resolution."""

import numpy as np
import pytest

from text2earth_core import Text2Earth
from text2earth_core.data.corpus import Picture
from text2earth_core.sampling.conditioning import NULL_LEVEL, level_of
from text2earth_core.training.windows import Windows


def picture(shade, label, resolution=None, captions=()):
    return Picture(np.full((128, 128, 3), shade, np.uint8), label, captions, resolution, "x")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("parts") / "model"
    Text2Earth.from_preset("tiny").save_pretrained(out)
    return out


def drawn(folder, corpus, size=400):
    """(shade, level) of each of `size` windows of 128 px."""
    batch = Windows(folder, corpus, 128).batch(size, np.random.default_rng(0))
    return batch["pixels"][:, 0, 0, 0].numpy(), batch["levels"].numpy()


def test_levels_are_true_or_null_for_a_class_known_at_several_resolutions(folder):
    corpus = [picture(10, "forest", 0.5), picture(20, "forest", 1.0), picture(30, "forest"), picture(40, "stadium")]
    shades, levels = drawn(folder, corpus)
    assert set(levels[shades == 10]) == {level_of(0.5)}
    assert set(levels[shades == 20]) == {level_of(1.0)}
    assert set(levels[shades == 30]) == {NULL_LEVEL}
    made_up = levels[(shades == 40) & (levels != NULL_LEVEL)]
    assert 0.1 < len(made_up) / (shades == 40).sum() < 0.4
    assert ((made_up >= level_of(1.0) - 1) & (made_up <= level_of(0.5))).all()


def test_without_any_known_resolution_every_level_is_null(folder):
    assert set(drawn(folder, [picture(10, "forest"), picture(20, "stadium")], 64)[1]) == {NULL_LEVEL}


def test_pictures_with_captions_or_a_resolution_are_drawn_twice_as_often(folder):
    corpus = [picture(10, "forest"), picture(20, "forest", captions=("many trees",)), picture(30, "forest", 0.5)]
    shades, _ = drawn(folder, corpus, 2000)
    counts = {shade: (shades == shade).mean() for shade in (10, 20, 30)}
    assert counts == pytest.approx({10: 0.2, 20: 0.4, 30: 0.4}, abs=0.03)
