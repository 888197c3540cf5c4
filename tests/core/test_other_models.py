"""Models that others trained: 4 channels, no level, and LoRA files of other trainers."""

import numpy as np
import pytest
import torch
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from PIL import Image
from safetensors.torch import save_file

from app.work import prompt_notes
from canvas.geometry import Rect
from canvas.paint.painter import Painter
from canvas.scene import Scene
from tests.core.official_layout import write_official_layout, write_stable_diffusion_layout
from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.adapters.weights import read_lora
from text2earth_core.sampling.settings import Sampling


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """The layout of the official text-to-image model."""
    folder = write_official_layout(tmp_path_factory.mktemp("four"), 4)
    return Text2Earth.from_pretrained(folder, device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The layout of Stable Diffusion 1.5."""
    folder = write_stable_diffusion_layout(tmp_path_factory.mktemp("plain"), 4, 1)
    return Text2Earth.from_pretrained(folder, device="cpu", dtype="float32")


def test_a_model_of_four_channels_edits_and_leaves_the_rest(four):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (128, 128, 3), np.uint8)
    mask = np.zeros((128, 128), np.uint8)
    mask[32:96, 64:] = 255
    made = np.asarray(four.inpaint(Image.fromarray(image), Image.fromarray(mask), "a river", steps=3, feather=8))
    changed = (made != image).any(2)
    assert changed[40:88, 72:].mean() > 0.9
    reach = np.zeros_like(changed)
    reach[24:104, 56:] = True
    assert not (changed & ~reach).any()


def test_what_it_makes_depends_on_the_ground_beside_it(four):
    """Known latents are composed at each step: other ground, other pixels in the middle of the new part."""
    mask, noise = torch.zeros(16, 16), torch.randn(4, 16, 16, generator=torch.Generator().manual_seed(2))
    mask[:, 8:] = 1
    sampling = four.settled(Sampling(steps=4))
    made = [
        four.denoise("forest", sampling, known=torch.full((4, 16, 16), shade), mask=mask, noise=noise)
        for shade in (-1.0, 1.0)
    ]
    assert torch.equal(made[0][:, :, :8], torch.full((4, 16, 8), -1.0))
    assert (made[0][:, :, 8] - made[1][:, :, 8]).abs().mean() > 1e-3


def test_a_scene_grows_with_it(four, tmp_path):
    with Scene.create(tmp_path / "s.t2e", 1.0) as scene:
        painter = Painter(four)
        for x in (0, 128):
            request = painter.request(scene, Rect(x, 0, 256, 256), "forest", seed=1, steps=2)
            scene.accept(painter.paint(scene, request))
        assert scene.bounds == Rect(0, 0, 384, 256)


def test_a_model_without_levels_says_so(four, plain):
    assert (four.info.levels, plain.info.levels) == (True, False)
    assert (four.info.window, plain.info.window) == (256, 64)
    assert plain.info.resolutions == ()
    one, other = (np.asarray(plain.generate("forest", resolution=metres, steps=2)[0]) for metres in (1.0, 8.0))
    assert (one == other).all()
    (note,) = prompt_notes(plain, "forest", 2.0)
    assert "knows no ground resolution" in note
    assert prompt_notes(plain, "15_GOOGLE_LEVEL_forest", None) == [note]
    assert prompt_notes(four, "forest", 2.0) == []


def test_loras_of_other_trainers_are_read(plain, tmp_path):
    """Under their names, with their alpha, and folded to what the factors say."""
    names = ("down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q", "down_blocks_0_resnets_0_conv1",
             "down_blocks_0_attentions_0_proj_in", "mid_block_resnets_0_conv2")  # fmt: skip
    generator, tensors, wanted = torch.Generator().manual_seed(0), {}, {}
    modules = {name.replace(".", "_"): (name, module) for name, module in plain.unet.named_modules()}
    for name in names:
        path, layer = modules[name]
        out, *rest = layer.weight.shape
        down = torch.randn(4, *rest, generator=generator)
        up = torch.randn(out, 4, *[1] * (len(rest) - 1), generator=generator)
        tensors |= {f"lora_unet_{name}.lora_down.weight": down, f"lora_unet_{name}.lora_up.weight": up}
        tensors[f"lora_unet_{name}.alpha"] = torch.tensor(2.0)
        wanted[path] = layer.weight + 0.5 * (up.flatten(1) @ down.flatten(1)).view(layer.weight.shape)
    file = tmp_path / "style.safetensors"
    save_file(tensors, file)
    info = plain.load_adapter(file)
    assert (info.name, info.rank) == ("style", 4)
    folded = plain.unet_of("quality", ((info.fingerprint, 1.0),))
    for path, weight in wanted.items():
        torch.testing.assert_close(folded.get_submodule(path).weight, weight)
    tensors["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight"] = torch.zeros(4, 32)
    tensors["lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight"] = torch.zeros(64, 4)
    save_file(tensors, file)
    with pytest.raises(Text2EarthError, match="also changes the text encoder"):
        read_lora(file, plain.unet)
    save_file({"lora_unet_nonsense": torch.zeros(2, 2)}, file)
    with pytest.raises(Text2EarthError, match=r"style\.safetensors"):
        read_lora(file, plain.unet)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (GatedRepoError, "agree on its page, then log in"),
        (RepositoryNotFoundError, "the hub knows no model of that name"),
        (ConnectionError, r"the hub cannot be reached .*HF_HUB_OFFLINE=1 uses the cache alone"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(monkeypatch, error, words):
    def refuse(*_, **__):
        kind = error.__new__(error)
        raise kind

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(Text2EarthError, match=words) as caught:
        Text2Earth.from_pretrained("owner/model", device="cpu")
    assert "\n" not in str(caught.value)
