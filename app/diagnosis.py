"""What this machine has, which models are on it, and how fast each runs here, measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text2earth_core.errors import Text2EarthError

if TYPE_CHECKING:
    from text2earth_core.found import FoundModel

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft", "safetensors", "huggingface_hub", "gradio")


def machine(device: str | None) -> dict[str, Any]:
    """Processor, memory and accelerators; Text2EarthError where `device` is not there."""
    import torch

    from text2earth_core.device import pick_device, pick_dtype
    from text2earth_core.machine.fit import gigabytes
    from text2earth_core.machine.memory import free_and_total

    place = pick_device(device)
    free, total = free_and_total(torch.device("cpu"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found: dict[str, Any] = {
        "system": platform.platform(), "python": platform.python_version(),
        "processor": torch.cpu.get_capabilities().get("cpu_name", platform.processor())
        if hasattr(torch.cpu, "get_capabilities") else platform.processor(),
        "cores": cores, "threads": torch.get_num_threads(),
        "memory": f"{gigabytes(free)} free of {gigabytes(total)}",
        "accelerators": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
    }  # fmt: skip
    if torch.backends.mps.is_available():
        found["accelerators"].append("Apple GPU (mps)")
    if place.type == "cuda":
        free, total = free_and_total(place)
        found["accelerator memory"] = f"{gigabytes(free)} free of {gigabytes(total)}"
    return found | {"computes": f"{str(pick_dtype(place)).removeprefix('torch.')} on {place}"}


def libraries() -> dict[str, str]:
    """Versions of what counts; "missing" for what is not there."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def examine(found: FoundModel, device: str | None) -> dict[str, Any]:
    """One model: its size, whether and how it runs here, and, where it does, its seconds by the clock.

    Returns:
        {"model", "where", "runs"} in any case; "why not"; or "parameters", "memory", "how", "fingerprint", "inputs",
        "seconds_per_step" by sampler, "seconds_per_decode" and "seconds_per_window" by sampler.
    """
    from text2earth_core.machine.fit import gigabytes

    told: dict[str, Any] = {"model": found.name, "where": found.where, "runs": False}
    if found.problem is not None:
        return told | {"why not": found.problem}
    try:
        fit, size = plan(found.folder, device)
        told |= {
            "parameters": ", ".join(
                f"{count / 1e6:.1f} M {part}"
                for part, count in (("UNet", size.unet), ("text", size.text), ("autoencoder", size.vae))
            ),
            "memory": gigabytes(fit.needed),
            "how": fit.words(),
        }
        return told | {"runs": True} | _timed(found.folder, device)
    except Text2EarthError as error:
        return told | {"why not": str(error)}


def plan(folder: Path, device: str | None) -> tuple[Any, Any]:
    """(Fit, Footprint) of a model folder; Text2EarthError where memory does not suffice."""
    from text2earth_core.device import pick_device
    from text2earth_core.machine.fit import fit_model
    from text2earth_core.machine.footprint import footprint

    size = footprint(folder)
    return fit_model(size, pick_device(device)), size


def _timed(folder: Path, device: str | None) -> dict[str, Any]:
    from text2earth_core import Text2Earth
    from text2earth_core.evaluation.speed import decode_seconds, step_seconds

    model = Text2Earth.from_pretrained(folder, device=device)
    info = model.info
    steps = {sampler: round(step_seconds(model, sampler), 4) for sampler in info.samplers}
    decode = round(decode_seconds(model), 4)
    windows = {name: round(info.steps_of(None, name) * seconds + decode, 2) for name, seconds in steps.items()}
    return {
        "fingerprint": info.fingerprint, "inputs": "9 channels" if info.inpaints else "4 channels",
        "resolution": "known as a level" if info.levels else "not known to this model",
        "window": info.window, "seconds_per_step": steps, "seconds_per_decode": decode, "seconds_per_window": windows,
    }  # fmt: skip


def diagnose(
    data_dir: Path | None, model: str | None, device: str | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    """The whole answer: {"machine", "libraries", "models"}; `model` names one folder to look at instead of all."""
    from text2earth_core.folder import locate
    from text2earth_core.found import FoundModel, find_models

    kept = {} if data_dir is None else {"data folder": str(data_dir)}
    found = {"machine": machine(device) | kept, "libraries": libraries()}
    if model is None:
        models = find_models(None if data_dir is None else data_dir / "models")
    else:
        models = [FoundModel(model, model, "given", locate(model))]
    told = []
    for one in models:
        progress(f"Measuring {one.name}")
        told.append(examine(one, device))
    return found | {"models": told}
