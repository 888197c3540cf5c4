"""A model runs as its size and the free memory allow, and waiting in main memory changes none of its pixels."""

from pathlib import Path

import pytest
import torch

from tests.core.official_layout import write_official_layout
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.found import find_models
from text2earth_core.machine.fit import LAYERS, NOTHING, PARTS, Fit, fit_model
from text2earth_core.machine.footprint import Footprint, footprint
from text2earth_core.machine.memory import free_and_total
from text2earth_core.machine.settle import settle
from text2earth_core.sampling.settings import Sampling

OFFICIAL = Footprint(868_000_000, 84_000_000, 340_000_000, student=False)
GPU, CPU = torch.device("cuda"), torch.device("cpu")
GB = 10**9


def test_parameters_are_counted_without_loading(student_folder):
    model = Text2Earth.from_pretrained(student_folder, device="cpu")
    found = footprint(student_folder)
    counts = [sum(p.numel() for p in part.parameters()) for part in (model.unet, model.codec.vae, model.text.encoder)]
    assert [found.unet, found.text, found.student] == [counts[0], counts[2], True]
    assert found.vae >= counts[1]  # buffers are stored, too


@pytest.mark.parametrize(
    ("free", "waiting", "slicing"),
    [(24 * GB, NOTHING, False), (5 * GB, PARTS, True), (2 * GB, LAYERS, True)],
)
def test_an_accelerator_gets_what_it_can_hold(free, waiting, slicing):
    found = fit_model(OFFICIAL, GPU, "float16", free, spare=64 * GB)
    assert (found.waiting, found.slicing, found.dtype) == (waiting, slicing, torch.float16)
    assert found.needed <= free


def test_main_memory_takes_half_the_precision_before_it_refuses():
    assert fit_model(OFFICIAL, CPU, "float32", 64 * GB).dtype == torch.float32
    tight = fit_model(OFFICIAL, CPU, None, 6 * GB)
    assert tight.dtype == torch.bfloat16
    with pytest.raises(Text2EarthError, match=r"takes 5\.\d GB of memory, and 2\.0 GB are free on cpu"):
        fit_model(OFFICIAL, CPU, None, 2 * GB)
    with pytest.raises(Text2EarthError, match="neither the accelerator nor main memory"):
        fit_model(OFFICIAL, GPU, "float16", 2 * GB, spare=1 * GB)
    with pytest.raises(Text2EarthError, match="free on cuda"):
        fit_model(OFFICIAL, GPU, "float16", GB // 2, spare=64 * GB)


def test_this_machine_has_memory():
    free, total = free_and_total(CPU)
    assert 0 < free <= total


@pytest.mark.parametrize("slicing", [False, True])
def test_networks_that_wait_paint_the_same(tmp_path, slicing):
    """Of the official layout, an adapter folded in as well."""
    folder = write_official_layout(tmp_path, 9)
    models = [Text2Earth.from_pretrained(folder, device="cpu", dtype="float32") for _ in range(2)]
    waiting = models[1]
    settle(waiting.unet, waiting.codec.vae, waiting.text.encoder, Fit(CPU, torch.float32, LAYERS, slicing, 0, 0))
    assert waiting.unet.device == CPU
    pixels = torch.randint(0, 255, (64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).numpy()
    noise = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(1))
    made = []
    for model in models:
        known, mask = model.encode(pixels), torch.zeros(8, 8)
        mask[:, 4:] = 1
        sampling = Sampling(steps=2, guidance=2.0)
        latents = model.denoise("a river", sampling, known=known, mask=mask, noise=noise, masked=known)
        made.append(torch.from_numpy(model.decode(latents).astype("float32")))
    assert made[0].std() > 1
    assert (made[0] - made[1]).abs().max() <= 1


def test_models_are_found_where_they_lie(tmp_path, tiny_folder):
    mine, cache = tmp_path / "models", tmp_path / "cache"
    mine.mkdir()
    (mine / "my-model").symlink_to(tiny_folder)
    snapshot = cache / "models--lcybuaa--Text2Earth" / "snapshots" / "0123abc"
    for part in ("unet", "vae"):  # a download that was stopped
        (snapshot / part).mkdir(parents=True)
        (snapshot / part / "config.json").write_text("{}")
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text("0123abc")
    found = {one.name: one for one in find_models(mine, cache)}
    assert found["text2earth-mini"].where == "shipped"
    assert (found["my-model"].where, found["my-model"].problem) == ("data folder", None)
    assert found["lcybuaa/Text2Earth"].where == "hub cache"
    assert "lacks text_encoder/" in str(found["lcybuaa/Text2Earth"].problem) or "no .safetensors" in str(
        found["lcybuaa/Text2Earth"].problem
    )
    assert [one.where for one in find_models(Path("/none"), tmp_path / "nothing")] == ["shipped"]
