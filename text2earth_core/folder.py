"""A model on disk: one diffusers folder, through one door, whether official, shipped or a user's own."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import diffusers
import transformers
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.facts import MAX_STEPS, SIDE_STEP, ModelFacts, is_possible, stable_diffusion_facts
from text2earth_core.hub import fetch
from text2earth_core.layouts import variant_of, weights_there

# Their progress bars and advice are for people who call them, not for ours.
diffusers.utils.logging.set_verbosity_error()
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

MODEL_PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
BASE_PARTS = ("unet", "vae", "text_encoder", "tokenizer")
STUDENT = "student"  # optional: the few-step LoRA on the UNet
FACTS_FILE = "text2earth.json"

MAX_TIMESTEPS = 10_000
PREDICTIONS = ("epsilon", "sample", "v_prediction")


@dataclass
class ModelParts:
    """The loaded parts of a folder, still on the CPU in their stored precision."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL | AutoencoderTiny
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer
    scheduler: DDIMScheduler
    facts: ModelFacts
    fingerprint: str
    base: str


def locate(folder_or_hub_id: str | Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Return the local folder of a model, downloading it from the hub if it is not a folder.

    Args:
        progress: told bytes fetched and bytes in all while it is downloaded; may raise Cancelled, which ends that.

    Raises:
        Text2EarthError: there is no such folder and no such model can be fetched, or a part is missing.
    """
    folder = Path(folder_or_hub_id).expanduser()
    if folder.is_file():
        raise Text2EarthError(
            f"{folder} is one file: convert it to a model folder first, as diffusers' from_single_file and "
            "save_pretrained do."
        )
    if not folder.is_dir():
        folder = fetch(str(folder_or_hub_id), progress)
    for part in MODEL_PARTS:
        if not (folder / part).is_dir():
            raise Text2EarthError(f"The model folder {folder} lacks {part}/: it must hold {', '.join(MODEL_PARTS)}.")
        if part in ("unet", "vae", "text_encoder") and not list((folder / part).glob("*.safetensors")):
            raise Text2EarthError(
                f"{folder / part} holds no .safetensors weights but {weights_there(folder / part)}: other formats are "
                "not loaded, convert them first."
            )
    return folder


def load_parts(folder: Path) -> ModelParts:
    """Load every part of a folder that `locate` found.

    Only safetensors are read. The class names of `model_index.json` are not needed: the official one names a pipeline
    class that stock diffusers lacks.

    Raises:
        Text2EarthError: a part is damaged or does not fit the others.
    """
    facts = read_facts(folder)
    tokenizer, text_encoder = load_text(folder)
    unet, vae, scheduler = load_unet(folder), load_vae(folder), load_scheduler(folder)
    for part in (unet, vae):  # diffusers notes where a part came from, and would write that into every copy
        part.register_to_config(_name_or_path="")
    if isinstance(vae, AutoencoderTiny) != facts.thumbnail:
        raise Text2EarthError(
            f"{folder / FACTS_FILE} and {folder / 'vae'} do not fit: an AutoencoderTiny needs the fact "
            '"thumbnail": true, and no other autoencoder may have it.'
        )
    if unet.config.cross_attention_dim != text_encoder.config.hidden_size:
        raise Text2EarthError(
            f"The parts of {folder} do not fit: the UNet expects text of width {unet.config.cross_attention_dim}, "
            f"the text encoder gives {text_encoder.config.hidden_size}."
        )
    if unet.config.in_channels not in (4, 9):
        raise Text2EarthError(f"The UNet of {folder} takes {unet.config.in_channels} channels; 4 or 9 are supported.")
    return ModelParts(unet, vae, text_encoder, tokenizer, scheduler, facts, *fingerprints(folder))


def load_text(folder: Path) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """Load tokenizer and text tower of a model folder."""
    return load_tokenizer(folder), _load_part(CLIPTextModel, folder / "text_encoder")


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the tokenizer of a model folder."""
    return _load_part(CLIPTokenizer, folder / "tokenizer")


def load_unet(folder: Path) -> UNet2DConditionModel:
    """Load the UNet of a model folder."""
    return _load_part(UNet2DConditionModel, folder / "unet")


def load_vae(folder: Path) -> AutoencoderKL | AutoencoderTiny:
    """Load the autoencoder of a model folder, official or with a thumbnail in its latent."""
    tiny = _read_json(folder / "vae" / "config.json").get("_class_name") == "AutoencoderTiny"
    return _load_part(AutoencoderTiny if tiny else AutoencoderKL, folder / "vae")


def load_thumbnail_vae(folder: Path) -> AutoencoderTiny:
    """Load the autoencoder of a model folder, of the kind that is trained here.

    Raises:
        Text2EarthError: there is none, it cannot be loaded, or it is of another kind.
    """
    vae = load_vae(folder)
    if not isinstance(vae, AutoencoderTiny):
        raise Text2EarthError(
            f"{folder / 'vae'} is no AutoencoderTiny, the only autoencoder that is trained with here."
        )
    return vae


def save_part(part: Any, place: Path, **options: Any) -> None:
    """Write a part's config and weights, which may become one file where there were several before.

    Args:
        options: of diffusers' and transformers' `save_pretrained`, which leave the former index of several files.
    """
    for index in place.glob("*.safetensors.index.json"):
        index.unlink()
    part.save_pretrained(place, **options)


def read_facts(folder: Path) -> ModelFacts:
    """Read `text2earth.json`; where there is none, the facts are the official release's, or Stable Diffusion's."""
    if not (folder / FACTS_FILE).is_file():
        config = _read_json(folder / "unet" / "config.json")
        return ModelFacts() if config.get("class_embed_type") else stable_diffusion_facts(config.get("sample_size"))
    stored = _read_json(folder / FACTS_FILE)
    if stored.get("version") != ModelFacts.version:
        raise Text2EarthError(
            f"{folder / FACTS_FILE} has version {stored.get('version')}: update the program to use this model."
        )
    known = {field.name for field in fields(ModelFacts)}
    facts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items() if name in known
    }
    for name, value in facts.items():
        if not is_possible(name, value):
            raise Text2EarthError(f'{folder / FACTS_FILE} is damaged: "{name}" cannot be {str(value)[:60]}.')
    found = ModelFacts(**facts)
    if found.window % SIDE_STEP:
        raise Text2EarthError(f'{folder / FACTS_FILE} is damaged: "window" must be a multiple of {SIDE_STEP}.')
    return found


def write_facts(folder: Path, facts: ModelFacts) -> None:
    """Write `text2earth.json` and the `model_index.json` by which stock diffusers knows the parts."""
    (folder / FACTS_FILE).write_text(json.dumps(asdict(facts), indent=2) + "\n")
    vae_class = _read_json(folder / "vae" / "config.json")["_class_name"]
    index = {
        "_class_name": "StableDiffusionInpaintPipeline",
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", vae_class],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")


def fingerprints(folder: Path) -> tuple[str, str]:
    """Hashes of a model and of its base.

    Of every weight and config: two folders with the same one paint the same pixels. And of what adapters are made for:
    a model with another student, another schedule or other defaults keeps its adapters.
    """
    digest, base = hashlib.sha256(), hashlib.sha256()
    facts = read_facts(folder)
    if facts.multistep:
        digest.update(b"multistep")
    if facts.guidance_rise:
        digest.update(f"guidance rise {facts.guidance_rise}".encode())
    if facts.noise_kept:
        digest.update(f"noise kept {facts.noise_kept}".encode())
    for part in (*MODEL_PARTS, STUDENT):
        for path in sorted((folder / part).rglob("*")):
            if path.suffix in (".safetensors", ".json", ".txt"):
                with path.open("rb") as file:
                    hashed = path.relative_to(folder).as_posix().encode() + hashlib.file_digest(file, "sha256").digest()
                digest.update(hashed)
                if part in BASE_PARTS:
                    base.update(hashed)
    return digest.hexdigest()[:16], base.hexdigest()[:16]


def unet_channels(folder: Path) -> int:
    """How many channels the UNet of a model folder takes, without loading it."""
    channels = _read_json(folder / "unet" / "config.json").get("in_channels", 4)
    return channels if isinstance(channels, int) else 0


def load_scheduler(folder: Path) -> DDIMScheduler:
    """The folder's noise schedule, for whatever sampler it was written (the official index and file name two).

    Raises:
        Text2EarthError: it is damaged.
    """
    path = folder / "scheduler" / "scheduler_config.json"
    config = _read_json(path)
    if config.get("prediction_type", "epsilon") not in PREDICTIONS:
        raise Text2EarthError(f'{path} is damaged: "prediction_type" must be one of {", ".join(PREDICTIONS)}.')
    steps = config.get("num_train_timesteps", 1000)
    if not (type(steps) is int and MAX_STEPS <= steps <= MAX_TIMESTEPS):
        raise Text2EarthError(
            f'{path} is damaged: "num_train_timesteps" must be a number from {MAX_STEPS} to {MAX_TIMESTEPS}.'
        )
    try:
        return DDIMScheduler.from_config(config | {"clip_sample": False})
    except Exception as error:
        raise Text2EarthError(f"{path} cannot be used: {reason_of(error)}.") from None


def _load_part(kind: Any, place: Path) -> Any:
    options: dict[str, Any] = {}
    if kind is not CLIPTokenizer:
        options = {"use_safetensors": True, "variant": variant_of(place)}
    try:
        return kind.from_pretrained(place, local_files_only=True, **options)
    except Exception as error:
        raise Text2EarthError(f"{place} cannot be loaded: {reason_of(error)}.") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())  # of any editor: with a byte order mark, or in UTF-16
    except FileNotFoundError:
        raise Text2EarthError(f"{path} is missing: the model folder is not complete.") from None
    except (OSError, ValueError, RecursionError):
        raise Text2EarthError(f"{path} is not readable JSON: the model folder is damaged.") from None
    if not isinstance(found, dict):
        raise Text2EarthError(f"{path} is not a JSON object: the model folder is damaged.")
    return found
