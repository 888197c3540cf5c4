"""`text2earth train`: the parts of a model, each by its own objective."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.output import Json, emit

app = typer.Typer(
    help="Train the parts of a model: vae, text, diffusion, student, in this order; then its adapters.",
    no_args_is_help=True,
)

Preset = Annotated[str, typer.Option(help="Size of the model: mini or tiny.")]
Data = Annotated[Path, typer.Option(envvar="TEXT2EARTH_DATA", help="Folder of parquet files with images and captions.")]
Out = Annotated[Path, typer.Option(file_okay=False, help="Model folder; the parts of former runs are read from here.")]
Minutes = Annotated[float | None, typer.Option(min=0, help="Stop after this time.")]
Samples = Annotated[int | None, typer.Option(min=1, help="Stop after so many samples, those before --resume included.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]
Window = Annotated[
    int | None,
    typer.Option(help="Side of the training crops in px (default: the model's window); start with half of it."),
]
LearningRate = Annotated[float, typer.Option(help="After the warm-up.")]
PresetRate = Annotated[float | None, typer.Option(help="Learning rate after the warm-up; default: the preset's.")]
PresetBatch = Annotated[int | None, typer.Option(min=1, help="Images a step; default: the preset's.")]
Start = Annotated[Path | None, typer.Option(help="Model that is adapted; default: the shipped one.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, mps; default: the best there is.")]


class Stage(StrEnum):
    """What the autoencoder is trained for."""

    FIDELITY = "fidelity"
    TEXTURE = "texture"


@app.command()
def words(
    out: Annotated[Path, typer.Option(file_okay=False, help="Model folder that gets the lexicon.")],
    encoder: Annotated[
        Path, typer.Option(help="Sentence encoder that teaches: a folder or zip such as that of all-MiniLM-L6-v2.")
    ],
    vocabulary: Annotated[
        list[Path] | None,
        typer.Option(
            help="Words to learn: WordNet's folder dict, whose words are read with their meanings, or a text file of "
            "one a line, and after a tab what it means. Both may be given: then the compounds in the file are learned "
            "with WordNet's words. Default: the encoder's own words."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Learn what everyday words for land mean in words that a model knows; its weights stay as they are."""
    from app.cli.evaluate import Bars
    from text2earth_core.alignment import load_towers
    from text2earth_core.networks.lexicon import LEXICON_FILE
    from text2earth_core.networks.tokens import load_words
    from text2earth_core.training.words import SentenceEncoder, learn_words, of_words, read_vocabulary

    towers, known, teacher = load_towers(out), load_words(out / "tokenizer"), SentenceEncoder(encoder)
    listed = read_vocabulary(*vocabulary) if vocabulary else of_words(teacher.own_words())
    lexicon = learn_words(towers, known, teacher, listed, encoder.stem, Bars())
    lexicon.save(out)
    emit({"file": str(out / LEXICON_FILE), "words": len(lexicon.wordings)}, as_json)


@app.command()
def vae(
    preset: Preset,
    data: Data,
    out: Out,
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    stage: Annotated[
        Stage, typer.Option(help="fidelity: encoder and decoder; texture: refine the decoder of an existing one.")
    ] = Stage.FIDELITY,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the autoencoder between pixels and latents."""
    from text2earth_core.training.vae import train_vae

    result = train_vae(
        preset, data, out, minutes=minutes, samples=samples, resume=resume, stage=stage.value, device=device
    )
    emit(result, as_json)


@app.command()
def text(
    preset: Preset,
    data: Data,
    out: Out,
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    lock_text: Annotated[
        bool, typer.Option("--lock-text", help="Leave the text encoder as it is, so that a trained UNet stays valid.")
    ] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave out a data set (can be given several times).")
    ] = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the text encoder against an image tower, or only the towers beside it."""
    from text2earth_core.training.text import train_text

    result = train_text(
        preset, data, out, minutes=minutes, samples=samples, resume=resume, locked=lock_text, without=without or (),
        device=device,
    )  # fmt: skip
    emit(result, as_json)


@app.command()
def diffusion(
    preset: Preset,
    data: Data,
    out: Out,
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    window: Window = None,
    batch: PresetBatch = None,
    learning_rate: PresetRate = None,
    start: Annotated[
        Path | None, typer.Option(help="Train the UNet of this model folder further, instead of a new one.")
    ] = None,
    min_quality: Annotated[
        float | None, typer.Option(help="Only images with a score above this (the paper's second stage: 4.8).")
    ] = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the 9-channel UNet on text, level and context."""
    from text2earth_core.training.diffusion import train_diffusion

    result = train_diffusion(
        preset, data, out, minutes=minutes, samples=samples, resume=resume, window=window, batch=batch,
        learning_rate=learning_rate, start=start, device=device, min_quality=min_quality,
    )  # fmt: skip
    emit(result, as_json)


@app.command()
def student(
    preset: Preset,
    data: Data,
    out: Out,
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    window: Window = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Images a step (default: 16, or 64 on a GPU).")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="After the warm-up (default: 3e-4, or 4e-4 with --critic).")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="Train the student of this model folder further, instead of a new one.")
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(help="Model that is copied into --out first, a folder or a hub id; the official one will do."),
    ] = None,
    critic: Annotated[
        bool, typer.Option("--critic", help="Refine a student that is there against a critic of its pictures.")
    ] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the few-step student of a finished UNet: the page's fast sampler."""
    from text2earth_core.training.critic import refine_student
    from text2earth_core.training.student import train_student

    options: dict[str, Any] = {
        "minutes": minutes, "samples": samples, "resume": resume, "window": window, "batch": batch,
        "learning_rate": learning_rate, "start": start, "device": device,
    }  # fmt: skip
    if critic:
        result = refine_student(preset, data, out, **options)
    else:
        result = train_student(preset, data, out, teacher=teacher, **options)
    emit(result, as_json)


@app.command()
def lora(
    modality: Annotated[str, typer.Option(help="What it makes: pan, nir or sar.")],
    preset: Preset,
    data: Data,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of the adapter.")],
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    start: Start = None,
    simulator: Annotated[
        Path | None, typer.Option(help="Folder of `train simulator`, which makes the pictures for nir and sar.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(help="Side of the training crops in px (default: half the model's window, then all).")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images a step.")] = 32,
    learning_rate: LearningRate = 3e-3,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train an adapter that makes another modality of a finished model."""
    from app.work import SHIPPED_MODEL
    from text2earth_core.training.lora import train_lora

    result = train_lora(
        modality, preset, data, out, start=start or SHIPPED_MODEL, minutes=minutes, samples=samples, resume=resume,
        simulator=simulator, window=window, batch=batch, learning_rate=learning_rate, device=device,
    )  # fmt: skip
    emit(result, as_json)


@app.command()
def simulator(
    modality: Annotated[str, typer.Argument(help="What it makes of colours: nir or sar.")],
    data: Data,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of the simulator.")],
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the network that turns pictures into another modality, on real pairs, and measure it on others."""
    from text2earth_core.training.simulator import train_simulator

    emit(train_simulator(modality, data, out, minutes=minutes, samples=samples, resume=resume, device=device), as_json)


@app.command()
def enhancer(
    data: Data,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of the enhancer.")],
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train a small network that takes damage back and doubles the size, on pictures damaged by chance."""
    from text2earth_core.training.enhancer import train_enhancer

    emit(train_enhancer(data, out, minutes=minutes, samples=samples, resume=resume, device=device), as_json)


@app.command()
def adapters(
    data: Data,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of pan/, nir/ and sar/.")],
    minutes: Annotated[float, typer.Option(min=0, help="Time for all of it.")] = 80,
    start: Start = None,
    resume: Resume = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train simulators and adapters of all modalities for a base."""
    from app.work import SHIPPED_MODEL
    from text2earth_core.training.adapters import train_adapters

    found = train_adapters(data, out, start=start or SHIPPED_MODEL, minutes=minutes, resume=resume, device=device)
    emit(found if as_json else [{"part": name} | result for name, result in found.items()], as_json)


@app.command()
def translator(
    preset: Preset,
    data: Data,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder of the translator.")],
    tasks: Annotated[
        str | None, typer.Option(metavar="pan2rgb,...", help="What it learns; default: all there are examples of.")
    ] = None,
    minutes: Minutes = None,
    samples: Samples = None,
    resume: Resume = False,
    start: Start = None,
    simulators: Annotated[
        Path | None, typer.Option(help="Folder with nir/ and sar/ of `train simulator`; default: real pairs alone.")
    ] = None,
    further: Annotated[Path | None, typer.Option(help="Train this translator further, instead of a new one.")] = None,
    window: Annotated[
        int | None, typer.Option(help="Side of the training crops in px (default: half the model's window, then all).")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images a step.")] = 16,
    learning_rate: LearningRate = 1e-3,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the trunk that makes a picture from another one, beside a finished model."""
    from app.work import SHIPPED_MODEL
    from text2earth_core.training.translator import train_translator

    result = train_translator(
        preset, data, out, start=start or SHIPPED_MODEL, tasks=tasks.split(",") if tasks else None,
        simulators=simulators, minutes=minutes, samples=samples, resume=resume, window=window, batch=batch,
        learning_rate=learning_rate, further=further, device=device,
    )  # fmt: skip
    emit(result, as_json)


@app.command()
def pack(
    data: Data,
    out: Annotated[Path, typer.Option(file_okay=False, help="New folder; no file in it is larger than 16 MiB.")],
    megabytes: Annotated[float, typer.Option(min=1, help="Size of the folder; images are shrunk until it fits.")] = 50,
    model: Annotated[
        Path | None, typer.Option(help="Folder with the autoencoder and text encoder; default: the shipped model.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Pack images, autoencoder and text encoder for a GPU machine without network (see progressive)."""
    from app.work import SHIPPED_MODEL
    from text2earth_core.data.pack import pack

    emit(pack(data, model or SHIPPED_MODEL, out, megabytes), as_json)


@app.command()
def progressive(
    data: Annotated[Path, typer.Option(envvar="TEXT2EARTH_DATA", help="Folder that `train pack` wrote.")],
    out: Out,
    minutes: Annotated[float, typer.Option(help="Time to train, over all calls; call again after a stop to go on.")],
    preset: Annotated[str | None, typer.Option(help="mini or tiny; default: what the pack's model is.")] = None,
    batch: PresetBatch = None,
    learning_rate: PresetRate = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train the UNet in both stages, half the window and then the whole, into weights of small files."""
    from text2earth_core.training.progressive import train_progressive

    result = train_progressive(
        data, out, minutes=minutes, preset=preset, batch=batch, learning_rate=learning_rate, device=device
    )
    emit(result, as_json)
