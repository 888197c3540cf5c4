"""One door: official, shipped and own folders load alike, and sampling equals stock diffusers'."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.core.official_layout import LAYOUTS, write_official_layout
from tests.core.parity import difference
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.folder import load_thumbnail_vae, save_part
from text2earth_core.layouts import variant_of

SHIPPED = Path(__file__).parents[2] / "assets" / "models" / "text2earth-mini"

NEGATIVE = "dense forest"


@pytest.fixture(scope="module")
def text_to_image(tmp_path_factory):
    return write_official_layout(tmp_path_factory.mktemp("official"), 4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sampling_equals_the_stock_pipeline(tmp_path, layout):
    write, channels = LAYOUTS[layout]
    folder = write(tmp_path, channels)
    assert difference(folder, resolution=2.0, negative=NEGATIVE) < 1e-5


def test_a_model_comes_back_from_disk_as_it_was(tmp_path):
    model = Text2Earth.from_preset("tiny")
    model.save_pretrained(tmp_path)
    again = Text2Earth.from_pretrained(tmp_path, device="cpu", dtype="float32")
    before, after = (np.asarray(m.generate("a beach", resolution=1.0, seed=4)[0]) for m in (model, again))
    assert np.array_equal(before, after)
    assert again.check_prompt("a zorblax beach").unknown == ("zorblax",)


def test_fingerprint_follows_the_weights(tmp_path):
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        Text2Earth.from_preset("tiny", seed).save_pretrained(tmp_path / name)
    prints = [Text2Earth.from_pretrained(tmp_path / name).info.fingerprint for name in "abc"]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
def test_a_missing_part_is_named(text_to_image, tmp_path, part):
    folder = shutil.copytree(text_to_image, tmp_path / "model")
    shutil.rmtree(folder / part)
    with pytest.raises(Text2EarthError, match=f"lacks {part}/"):
        Text2Earth.from_pretrained(folder)


def test_damaged_weights_and_pickles_are_refused(text_to_image, tmp_path):
    folder = shutil.copytree(text_to_image, tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(Text2EarthError, match="cannot be loaded"):
        Text2Earth.from_pretrained(folder)
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(Text2EarthError, match=r"no \.safetensors weights"):
        Text2Earth.from_pretrained(folder)


@pytest.mark.parametrize("options", [{"variant": "fp16"}, {"max_shard_size": "1MB"},
                                     {"variant": "fp16", "max_shard_size": "1MB"}, {"variant": "non_ema"}])  # fmt: skip
def test_every_layout_that_diffusers_writes_is_loaded(tmp_path, options):
    model = Text2Earth.from_preset("tiny")
    model.save_pretrained(tmp_path)
    for part, module in (("unet", model.unet), ("vae", model.codec.vae), ("text_encoder", model.text.encoder)):
        for path in (tmp_path / part).glob("*.safetensors"):
            path.unlink()
        module.save_pretrained(tmp_path / part, **options)
    again = Text2Earth.from_pretrained(tmp_path, device="cpu", dtype="float32")
    for (name, before), after in zip(model.unet.state_dict().items(), again.unet.state_dict().values(), strict=True):
        assert torch.equal(before, after), name


def test_plain_weights_come_before_variants(tmp_path):
    for name in ("model.fp16.safetensors", "model.non_ema.safetensors"):
        (tmp_path / name).touch()
    assert variant_of(tmp_path) == "fp16"
    (tmp_path / "model-00001-of-00002.safetensors").touch()
    assert variant_of(tmp_path) is None


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "model.onnx", "flax_model.msgpack"])
def test_weights_of_other_formats_are_refused_by_their_name(tmp_path, name):
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path)
    next((tmp_path / "unet").glob("*.safetensors")).rename(tmp_path / "unet" / name)
    with pytest.raises(Text2EarthError, match=rf"no \.safetensors weights but {name}"):
        Text2Earth.from_pretrained(tmp_path)


def test_a_checkpoint_in_one_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "v1.safetensors").touch()
    with pytest.raises(Text2EarthError, match="one file: convert it to a model folder"):
        Text2Earth.from_pretrained(tmp_path / "v1.safetensors")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_facts_that_another_systems_editor_wrote_are_read(tmp_path, encoding):
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path)
    facts = tmp_path / "text2earth.json"
    facts.write_text(facts.read_text(), encoding=encoding)
    assert Text2Earth.from_pretrained(tmp_path, device="cpu").info.window == 64


def test_parts_that_do_not_fit_are_told(text_to_image, tmp_path):
    folder = shutil.copytree(text_to_image, tmp_path / "model")
    Text2Earth.from_preset("mini").text.encoder.save_pretrained(folder / "text_encoder")
    with pytest.raises(Text2EarthError, match="expects text of width 32"):
        Text2Earth.from_pretrained(folder)


def test_the_fingerprint_follows_the_way_of_sampling(tmp_path):
    model = Text2Earth.from_preset("tiny")
    model.save_pretrained(tmp_path)
    facts = json.loads((tmp_path / "text2earth.json").read_text())
    prints = set()
    for way in (
        {"multistep": True},
        {"multistep": False},
        {"noise_kept": 0.0},
        {"noise_kept": 0.02},
        {"guidance_rise": 0.1},
    ):
        (tmp_path / "text2earth.json").write_text(json.dumps(facts | way))
        prints.add(Text2Earth.from_pretrained(tmp_path).info.fingerprint)
    assert len(prints) == 5


def test_a_newer_facts_file_is_told(tmp_path):
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path)
    facts = json.loads((tmp_path / "text2earth.json").read_text())
    (tmp_path / "text2earth.json").write_text(json.dumps(facts | {"version": 99}))
    with pytest.raises(Text2EarthError, match="version 99"):
        Text2Earth.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [{"window": "wide"}, {"window": 10**9}, {"steps": 0}, {"guidance": float("nan")}, {"multistep": 1},
     {"name": ["mini"]}, {"resolutions": [1.0, "fine"]}, {"resolution": [1.0]}, {"samples": -1}],
)  # fmt: skip
def test_facts_that_cannot_be_are_refused(tmp_path, damage):
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path)
    facts = json.loads((tmp_path / "text2earth.json").read_text())
    (tmp_path / "text2earth.json").write_text(json.dumps(facts | damage))
    with pytest.raises(Text2EarthError, match=f'damaged: "{next(iter(damage))}" cannot be'):
        Text2Earth.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("place", "damage", "wrong"),
    [
        ("text2earth.json", "[" * 200_000, "not readable JSON"),
        ("text2earth.json", '{"version": 1, "thumbnail": true, "window": 100}', "multiple of 64"),
        ("text2earth.json", '{"version": 1, "thumbnail": false}', "do not fit"),
        ("tokenizer/words.txt", b"\xff\xfe", "UTF-8"),
        ("scheduler/scheduler_config.json", '{"beta_schedule": "nope"}', "cannot be used"),
        ("scheduler/scheduler_config.json", '{"num_train_timesteps": "x"}', "num_train_timesteps"),
        ("scheduler/scheduler_config.json", '{"num_train_timesteps": 100000000}', "num_train_timesteps"),
        ("scheduler/scheduler_config.json", '{"prediction_type": "nonsense"}', "prediction_type"),
    ],
)
def test_damage_is_told_where_the_model_is_loaded(tmp_path, place, damage, wrong):
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path)
    (tmp_path / place).write_bytes(damage if isinstance(damage, bytes) else damage.encode())
    with pytest.raises(Text2EarthError, match=wrong):
        Text2Earth.from_pretrained(tmp_path)


def test_a_model_in_the_place_of_another_leaves_nothing_of_it(tmp_path):
    """Neither the index of weights that lay in several files, nor the student of another UNet."""
    model = Text2Earth.from_preset("tiny")
    model.save_pretrained(tmp_path)
    save_part(model.unet, tmp_path / "unet", max_shard_size="1MB")
    (tmp_path / "student").mkdir()
    assert list((tmp_path / "unet").glob("*.index.json"))
    model.save_pretrained(tmp_path)
    assert Text2Earth.from_pretrained(tmp_path).info.samplers == ("quality",)


def test_training_reads_an_autoencoder_through_the_same_door(text_to_image, tmp_path):
    Text2Earth.from_preset("tiny").save_pretrained(tmp_path)
    weights = tmp_path / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(Text2EarthError, match="cannot be loaded"):
        load_thumbnail_vae(tmp_path)
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(Text2EarthError, match="cannot be loaded"):
        load_thumbnail_vae(tmp_path)
    with pytest.raises(Text2EarthError, match="no AutoencoderTiny"):
        load_thumbnail_vae(text_to_image)
    with pytest.raises(Text2EarthError, match="is missing"):
        load_thumbnail_vae(tmp_path / "nowhere")


def test_no_such_folder():
    with pytest.raises(Text2EarthError, match="no model folder"):
        Text2Earth.from_pretrained("/no/such/folder")


def test_a_copy_of_a_model_does_not_tell_where_the_model_lay(tiny_folder, tmp_path):
    Text2Earth.from_pretrained(tiny_folder, device="cpu").save_pretrained(tmp_path / "copy")
    for folder in (tmp_path / "copy", SHIPPED):
        for file in folder.rglob("*"):
            if file.suffix in (".json", ".safetensors"):
                told = file.read_bytes()
                assert not any(place in told for place in (str(tiny_folder).encode(), b"/tmp/", b"/home/", b"/root/"))
