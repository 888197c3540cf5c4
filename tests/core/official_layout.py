"""Tiny random folders in the official layout, and stock pipelines that can run them."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from text2earth_core.networks.tokens import train_tokenizer


def write_official_layout(folder: Path, channels_in: int, **unet: Any) -> Path:
    """Write what the official release looks like: KL autoencoder, CLIP tower, level embedding, no facts file.

    Args:
        unet: of its config, in place of what it has.
    """
    torch.manual_seed(channels_in)
    tokenizer = train_tokenizer(["a river between green banks", "dense forest"], 16)
    marks = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=16, **marks,
        )
    ).save_pretrained(folder / "text_encoder")  # fmt: skip
    tokenizer.save_pretrained(folder / "tokenizer")
    AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), norm_num_groups=4, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    ).save_pretrained(folder / "vae")  # fmt: skip
    config: dict[str, Any] = {
        "sample_size": 64, "in_channels": channels_in, "out_channels": 4, "block_out_channels": (32, 64),
        "layers_per_block": 1, "cross_attention_dim": 32,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), "attention_head_dim": (1, 2),
        "use_linear_projection": True, "class_embed_type": "timestep",
    }  # fmt: skip
    UNet2DConditionModel(**config | unet).save_pretrained(folder / "unet")
    DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    ).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text('{"_class_name": "Text2EarthDiffusionPipeline"}')
    return folder


def write_stable_diffusion_layout(folder: Path, channels_in: int, version: int) -> Path:
    """Write what Stable Diffusion 1.5 (`version` 1) or 2 looks like: no level; 1.5 convolves around its attention."""
    write_official_layout(folder, channels_in, class_embed_type=None, use_linear_projection=version == 2, sample_size=8)
    if version == 2:
        scheduler = DDIMScheduler.from_pretrained(folder / "scheduler")
        DDIMScheduler.from_config(scheduler.config, prediction_type="v_prediction").save_pretrained(
            folder / "scheduler"
        )
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    return folder


LAYOUTS = {
    "Text2Earth": (write_official_layout, 4), "Text2Earth-inpainting": (write_official_layout, 9),
    "SD 1.5": (partial(write_stable_diffusion_layout, version=1), 4),
    "SD 1.5 inpainting": (partial(write_stable_diffusion_layout, version=1), 9),
    "SD 2": (partial(write_stable_diffusion_layout, version=2), 4),
    "SD 2 inpainting": (partial(write_stable_diffusion_layout, version=2), 9),
}  # fmt: skip
"""By name: what writes it, and the channels of its UNet."""


class LevelUNet(torch.nn.Module):
    """Supplies the class labels that stock pipelines do not know: null for the unconditional half, the level else.

    Computes in float64: guidance and the first steps magnify how a processor rounds float32, which differs from one to
    another, until it looks like a fault of the sampler that is compared.
    """

    def __init__(self, unet: UNet2DConditionModel, level: float):
        super().__init__()
        self.config, self.dtype, self.device = unet.config, unet.dtype, unet.device
        self.unet, self.level = unet.double(), level

    def forward(self, sample, timestep, encoder_hidden_states, **options):
        half = len(sample) // 2
        labels = torch.tensor([0.0] * half + [self.level] * half)
        text = encoder_hidden_states.double()
        output = self.unet(sample.double(), timestep, text, class_labels=labels, **options)
        return (output[0].to(sample),)


def stock_parts(folder: Path, level: float) -> dict:
    """The parts of a folder as arguments of a stock Stable Diffusion pipeline."""
    return {
        "unet": LevelUNet(UNet2DConditionModel.from_pretrained(folder / "unet"), level),
        "vae": AutoencoderKL.from_pretrained(folder / "vae"),
        "text_encoder": CLIPTextModel.from_pretrained(folder / "text_encoder"),
        "tokenizer": CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        "scheduler": DDIMScheduler.from_pretrained(folder / "scheduler"),
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }
