"""A preset's networks with random weights, and the noise schedule that all models of this project are trained with."""

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from text2earth_core.networks.presets import Preset
from text2earth_core.networks.thumbnail_vae import CELL


def build_unet(preset: Preset, channels_in: int = 9) -> UNet2DConditionModel:
    """Return an untrained stock UNet whose resolution embedding is a timestep-like class embedding."""
    scales = len(preset.channels)
    official = preset.name == "text2earth"
    plain = 3 if official else 0  # the official UNet lacks attention at its coarsest scale, ours at its finest
    down = ["CrossAttnDownBlock2D"] * scales
    down[plain] = "DownBlock2D"
    up = [name.replace("Down", "Up") for name in reversed(down)]
    return UNet2DConditionModel(
        sample_size=preset.window // CELL,
        in_channels=channels_in,
        out_channels=4,
        block_out_channels=preset.channels,
        layers_per_block=preset.layers,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
        attention_head_dim=preset.heads,  # diffusers reads this as the number of heads
        cross_attention_dim=preset.text_width,
        use_linear_projection=True,
        class_embed_type="timestep",
    )


def build_text_encoder(preset: Preset, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Return an untrained CLIP text transformer for a tokenizer, with its own marks set.

    The official one is OpenCLIP's ViT-H without its last layer.
    """
    config = CLIPTextConfig(
        vocab_size=preset.vocabulary or len(tokenizer),
        hidden_size=preset.text_width,
        intermediate_size=4 * preset.text_width,
        num_hidden_layers=preset.text_layers,
        num_attention_heads=preset.text_heads,
        max_position_embeddings=preset.tokens,
        projection_dim=preset.text_width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def build_scheduler() -> DDIMScheduler:
    """v-prediction, zero terminal SNR, trailing timesteps (Lin et al. 2024)."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
    )


def build_official_vae() -> AutoencoderKL:
    """Stable Diffusion's autoencoder, untrained, whose scale is 0.18215."""
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
    )


def build_official_scheduler() -> DDIMScheduler:
    """Stable Diffusion's schedule, for a network that predicts noise."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
