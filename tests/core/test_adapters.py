"""Adapters are checked when they are added, make what stock diffusers makes of them, and leave the base untouched."""

import json
import shutil
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from tests.adapters import write_adapter
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.adapters import folding
from text2earth_core.adapters.manifest import MANIFEST_FILE, RANK
from text2earth_core.facts import WEIGHTS_FILE
from text2earth_core.folder import load_unet
from text2earth_core.modalities import MODALITIES
from text2earth_core.networks.thumbnail_vae import COLOURS
from text2earth_core.sampling.noise import world_noise
from text2earth_core.sampling.settings import Sampling


@pytest.fixture
def model(adapted_folder):
    return Text2Earth.from_pretrained(adapted_folder, device="cpu", dtype="float32")


def made(model, sampler="quality", **options):
    steps = None if sampler == "fast" else 2
    return np.asarray(model.generate("forest", seed=3, steps=steps, sampler=sampler, **options)[0])


def test_a_model_finds_its_own_adapters(model):
    found = [(info.name, info.modality, info.rank, info.shipped) for info in model.adapters]
    assert found == [(name, name, RANK, True) for name in ("nir", "pan", "sar")]
    assert len({info.fingerprint for info in model.adapters}) == 3


@pytest.mark.parametrize("sampler", ["quality", "fast"])
def test_every_modality_differs_and_rgb_is_bit_identical_after_any_other(model, style_folder, sampler):
    before = made(model, sampler)
    others = [made(model, sampler, modality=name) for name in ("nir", "pan")]
    model.load_adapter(style_folder)
    styled = made(model, sampler, adapters={"autumn": 1.0})
    assert np.array_equal(made(model, sampler), before)
    assert np.array_equal(made(model, sampler, modality="nir"), others[0])
    model.unload_adapter("autumn")
    assert np.array_equal(made(model, sampler), before)
    assert all(one.shape == (64, 64) for one in others)
    assert not np.array_equal(*others)
    assert styled.shape == (64, 64, 3)
    assert not np.array_equal(styled, before)


def test_a_folded_adapter_computes_what_stock_diffusers_computes(adapted_folder, style_folder, tmp_path):
    pattern = write_adapter(
        tmp_path / "pattern", adapted_folder, seed=9, rank=8, lora_alpha=4, use_rslora=True,
        target_modules=["to_q", "conv1", "proj_in"], alpha_pattern={"attn1.to_q": 2},
    )  # fmt: skip
    stock = load_unet(adapted_folder)
    inputs = torch.randn(2, 9, 8, 8), torch.tensor(500), torch.randn(2, 16, 32), torch.tensor([0.0, 17.0])
    model = Text2Earth.from_pretrained(adapted_folder, device="cpu", dtype="float32")
    for folder, name in ((style_folder, "a"), (pattern, "b")):
        stock.load_lora_adapter(folder, prefix=None, adapter_name=name, weight_name=WEIGHTS_FILE)
        model.load_adapter(folder, name)
    stock.set_adapters(["a", "b"], [0.5, -1.0])
    settled = model.settled(Sampling(adapters=(("a", 0.5), ("b", -1.0))))
    ours = model.unet_of("quality", settled.adapters)
    with torch.no_grad():
        theirs, mine, plain = (unet(*inputs[:3], class_labels=inputs[3]).sample for unet in (stock, ours, model.unet))
    assert (theirs - mine).abs().max() < 1e-5
    assert (plain - mine).abs().max() > 1e-2


def test_modality_adapters_swap_hot_in_stock_diffusers(adapted_folder):
    unet = load_unet(adapted_folder)
    inputs = torch.randn(1, 9, 8, 8), torch.tensor(500), torch.randn(1, 16, 32)
    found = []
    for name, options in (("nir", {}), ("pan", {"hotswap": True})):
        unet.load_lora_adapter(
            adapted_folder / "adapters" / name, prefix=None, adapter_name="it", weight_name=WEIGHTS_FILE, **options
        )
        with torch.no_grad():
            found.append(unet(*inputs, class_labels=torch.tensor([17.0])).sample)
    assert not torch.equal(*found)


def test_a_single_band_has_no_colour_in_its_latents_and_known_ground_stays(model):
    known, mask = model.encode(np.full((64, 64, 1), 90, np.uint8)), torch.zeros(8, 8)
    mask[:, 4:] = 1
    sampling = Sampling(layer="nir", steps=2, resolution=0.5)
    latents = model.denoise("forest", sampling, known=known, mask=mask, noise=world_noise(1, 0, 0, 8, 8))
    assert torch.equal(latents[:, :, :4], known[:, :, :4])
    assert (latents[COLOURS] - known[COLOURS]).abs().max() < 1e-5
    assert model.decode(latents, "nir").shape == (64, 64, 1)


def test_inpainting_a_single_band_keeps_what_lies_outside(model):
    grey = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 40:] = 255
    options = {"steps": 2, "feather": 4, "modality": "pan"}
    result = model.inpaint(Image.fromarray(grey), Image.fromarray(mask), "forest", **options)
    assert result.mode == "L"
    assert np.array_equal(np.asarray(result)[:, :36], grey[:, :36])
    assert not np.array_equal(np.asarray(result)[:, 40:], grey[:, 40:])


def test_a_settled_request_says_all_and_means_the_same_again(model, style_folder):
    model.load_adapter(style_folder)
    settled = model.settled(Sampling(layer="nir", adapters=(("autumn", 0.5),)))
    by_name = {info.name: info.fingerprint for info in model.adapters}
    assert dict(settled.adapters) == {by_name["nir"]: 1.0, by_name["autumn"]: 0.5}
    assert model.settled(settled) == settled
    assert model.settled(Sampling(adapters=(("autumn", 0.0),))).adapters == ()
    assert model.settled(Sampling(layer="nir", adapters=(("nir", 0.0),))).adapters == ((by_name["nir"], 0.0),)
    stored = json.loads(json.dumps(settled.as_dict()))
    assert Sampling.of(stored).adapters == settled.adapters
    assert Sampling.of(stored).layer == "nir"


def test_threads_with_different_adapters_do_not_disturb_each_other(model):
    alone = {name: made(model, modality=name) for name in MODALITIES}
    found = []

    def work(name):
        found.extend((name, made(model, modality=name)) for _ in range(3))

    threads = [threading.Thread(target=work, args=[name]) for name in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(np.array_equal(picture, alone[name]) for name, picture in found)


def test_few_networks_are_kept_and_share_what_is_not_adapted(model, style_folder):
    model.load_adapter(style_folder)
    networks = [
        model.unet_of("quality", model.settled(Sampling(adapters=(("autumn", 0.1 * n),))).adapters) for n in range(1, 9)
    ]
    assert len(model._library._folded._networks) == folding.KEPT
    assert networks[0].conv_in.weight is model.unet.conv_in.weight
    own = {name for name, tensor in networks[0].named_parameters() if tensor is not model.unet.get_parameter(name)}
    assert own == {f"{name}.weight" for name in load_layers(style_folder)}


def load_layers(folder):
    return {name.split(".lora_")[0] for name in load_file(folder / WEIGHTS_FILE)}


def test_a_loaded_adapter_comes_before_the_shipped_one(model, adapted_folder, tmp_path):
    mine = model.load_adapter(write_adapter(tmp_path / "mine", adapted_folder, "nir", seed=5))
    assert model.settled(Sampling(layer="nir")).adapters == ((mine.fingerprint, 1.0),)
    assert model.load_adapter(tmp_path / "mine") == mine
    with pytest.raises(Text2EarthError, match="adapter nir already"):
        model.load_adapter(tmp_path / "mine", "nir")
    model.unload_adapter("mine")
    with pytest.raises(Text2EarthError, match="no adapter mine here"):
        model.unload_adapter("mine")


def rewrite(folder, change):
    """Change an adapter's tensors in place."""
    save_file(change(load_file(folder / WEIGHTS_FILE)), folder / WEIGHTS_FILE)


def other_shapes(tensors):
    return {name: (tensor[:, :-1] if "lora_A" in name else tensor).contiguous() for name, tensor in tensors.items()}


def other_rank(tensors):
    return {n: (t[:8] if "lora_A" in n else t[:, :8]).contiguous() for n, t in tensors.items()}


DAMAGES = {
    "shape": (lambda folder: rewrite(folder, other_shapes), "made for another model"),
    "layer": (
        lambda folder: rewrite(folder, lambda t: {n.replace("blocks.1", "blocks.7"): v for n, v in t.items()}),
        'no layer "down_blocks.7',
    ),
    "rank": (lambda folder: rewrite(folder, other_rank), "says rank 16, but its weights have 8"),
    "numbers": (lambda folder: rewrite(folder, lambda t: {n: v * torch.nan for n, v in t.items()}), "no numbers"),
    "half": (
        lambda folder: rewrite(folder, lambda t: dict([*t.items()][:-1])), "the two halves of",
    ),
    "cut": (
        lambda folder: (folder / WEIGHTS_FILE).write_bytes((folder / WEIGHTS_FILE).read_bytes()[:900]),
        "is damaged or no safetensors file",
    ),
    "pickle in disguise": (
        lambda folder: torch.save({"a": torch.ones(1)}, folder / WEIGHTS_FILE), "is damaged or no safetensors file",
    ),
    "gone": (lambda folder: (folder / WEIGHTS_FILE).unlink(), "holds no .safetensors"),
    "text": (
        lambda folder: rewrite(folder, lambda t: t | {"text_encoder.q.lora_A.weight": torch.ones(1, 1)}),
        "text encoder",
    ),
    "no LoRA": (lambda folder: rewrite(folder, lambda t: {"weight": torch.ones(2, 2)}), "is no LoRA of a UNet"),
    "empty": (lambda folder: rewrite(folder, lambda t: {}), "holds no layer"),
    "settings": (
        lambda folder: save_file(
            load_file(folder / WEIGHTS_FILE), folder / WEIGHTS_FILE, {"lora_adapter_metadata": '{"lora_alpha": "x"}'}
        ),
        "its settings are not possible",
    ),
    "base": (lambda folder: say(folder, base="other", base_name="huge"), r"made for another model \(huge other\)"),
    "modality": (lambda folder: say(folder, modality="uv"), "the modality 'uv'"),
    "bands": (lambda folder: say(folder, bands=["red"]), "has other bands than red"),
    "manifest rank": (lambda folder: say(folder, rank=8), "have rank 16"),
    "manifest field": (lambda folder: say(folder, layers=3), 'its "layers" is not possible'),
    "newer": (lambda folder: say(folder, version=2), "update the program"),
    "no manifest": (lambda folder: (folder / MANIFEST_FILE).write_text("[1"), "is not the manifest of an adapter"),
}  # fmt: skip


def say(folder, **values):
    path = folder / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_refused_when_it_is_added(model, adapted_folder, tmp_path, damage):
    folder = shutil.copytree(adapted_folder / "adapters" / "nir", tmp_path / "new")
    change, sentence = DAMAGES[damage]
    change(folder)
    known = model.adapters
    with pytest.raises(Text2EarthError, match=sentence) as error:
        model.load_adapter(folder)
    assert "\n" not in str(error.value)
    assert model.adapters == known


def test_pickles_and_missing_files_are_refused(model, tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "style.bin")
    with pytest.raises(Text2EarthError, match="is a pickle"):
        model.load_adapter(tmp_path / "style.bin")
    with pytest.raises(Text2EarthError, match="cannot be read"):
        model.load_adapter(tmp_path / "nowhere.safetensors")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"layer": "uv"}, "one of rgb, pan, nir, sar"),
        ({"layer": "sar"}, "no adapter for sar"),
        ({"adapters": (("snow", 1.0),)}, "no adapter snow here"),
        ({"layer": "nir", "adapters": (("nir", 1.0), ("nir", 0.5))}, "named twice"),
        ({"layer": "pan", "adapters": (("nir", 1.0),)}, "makes nir, not pan"),
        ({"adapters": (("nir", 1.0),)}, "makes nir, not rgb"),
        ({"adapters": (("nir", 3.0),)}, "weight from -2 to 2"),
        ({"adapters": (("nir", float("nan")),)}, "weight from -2 to 2"),
        ({"adapters": "nir"}, "weight from -2 to 2"),
        ({"adapters": [["nir", 0.1]] * 9}, "up to 8 names"),
    ],
)
def test_impossible_wishes_are_one_sentence(model, settings, sentence):
    model.unload_adapter("sar")
    with pytest.raises(Text2EarthError, match=sentence) as error:
        model.settled(Sampling(**settings))
    assert "\n" not in str(error.value)


def test_a_model_of_another_base_does_not_find_what_was_shipped(adapted_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("text2earth_core.model.SHIPPED", adapted_folder / "adapters")
    same = Text2Earth.from_pretrained(adapted_folder)
    assert {info.name for info in same.adapters} == {"nir", "pan", "sar"}
    Text2Earth.from_preset("tiny", seed=1).save_pretrained(tmp_path / "other")
    assert Text2Earth.from_pretrained(tmp_path / "other").adapters == ()


def test_a_new_student_keeps_the_adapters(adapted_folder, tmp_path):
    folder = shutil.copytree(adapted_folder, tmp_path / "model", ignore=shutil.ignore_patterns("student"))
    without, with_ = (Text2Earth.from_pretrained(one) for one in (folder, adapted_folder))
    assert without.info.base == with_.info.base
    assert without.info.fingerprint != with_.info.fingerprint
    assert len(without.adapters) == 3
