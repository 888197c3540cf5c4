"""Checkpoints of a run: tensors in one safetensors file, the rest in one JSON file, swapped in whole."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from text2earth_core.errors import Text2EarthError, reason_of


def save_checkpoint(folder: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Write a checkpoint so that a kill or a power cut leaves the old one or the new one, never half of one.

    Raises:
        Text2EarthError: the disk is full or refuses; the old one is still there.
    """
    fresh, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        save_file(
            {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
            fresh / "tensors.safetensors",
        )
        (fresh / "state.json").write_text(json.dumps(state, indent=1))
        for path in fresh.iterdir():  # a file system's journal keeps the order of renames, not of what files hold
            with path.open("r+b") as file:
                os.fsync(file.fileno())
    except (OSError, SafetensorError) as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise Text2EarthError(
            f"The checkpoint {folder} cannot be written ({reason_of(error)}): free some space and go on from the last "
            "one, which is kept."
        ) from None
    if folder.exists():  # if not, a former interruption has left the old one as the only one
        shutil.rmtree(old, ignore_errors=True)
        os.replace(folder, old)
    os.replace(fresh, folder)
    shutil.rmtree(old, ignore_errors=True)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return the newest whole checkpoint, or None where the run has not written one yet.

    Raises:
        Text2EarthError: it is damaged.
    """
    state = load_state(folder)
    if state is None:
        return None
    place = _newest(folder)
    try:
        return load_file(place / "tensors.safetensors"), state
    except Exception as error:
        raise _damaged(place, error) from None


def load_state(folder: Path) -> dict[str, Any] | None:
    """How far the newest whole checkpoint is, None where there is none.

    Returns:
        {"samples", "seconds", "before"}: seen by the run, spent on it, and seen by the model that it began with; and
        what else its kind of run has written down.

    Raises:
        Text2EarthError: it is damaged.
    """
    place = _newest(folder)
    if not place.is_dir():
        return None
    try:
        state = json.loads((place / "state.json").read_text())
        numbers = {"samples": int(state["samples"]), "seconds": float(state["seconds"])}
        return {**state, **numbers, "before": int(state.get("before", 0))}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _damaged(place, error) from None


def minutes_left(folder: Path, minutes: float) -> float:
    """What is left of a budget over all calls of a run whose checkpoint is `folder`."""
    state = load_state(folder)
    return max(0.0, minutes - (state["seconds"] / 60 if state else 0.0))


def _newest(folder: Path) -> Path:
    old = folder.with_name(folder.name + ".old")
    return old if old.is_dir() and not folder.is_dir() else folder


def _damaged(place: Path, error: Exception) -> Text2EarthError:
    return Text2EarthError(f"The checkpoint {place} is damaged ({error}): delete it to start anew.")


def optimizer_tensors(optimizer: torch.optim.Optimizer, prefix: str) -> dict[str, Tensor]:
    """Flatten an optimizer's per-parameter state (moments, step counts) into named tensors."""
    state = optimizer.state_dict()["state"]
    return {
        f"{prefix}.{index}.{name}": torch.as_tensor(value)
        for index, entry in state.items()
        for name, value in entry.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], prefix: str) -> None:
    """Put back what `optimizer_tensors` flattened; the hyper-parameters stay those of the new run."""
    entries: dict[int, dict[str, Tensor]] = {}
    groups = optimizer.state_dict()["param_groups"]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    try:
        for key, tensor in tensors.items():
            if key.startswith(prefix + "."):
                index, name = key[len(prefix) + 1 :].split(".", 1)
                if tensor.ndim and tensor.shape != parameters[int(index)].shape:
                    raise ValueError(f"{key} does not fit")
                entries.setdefault(int(index), {})[name] = tensor
        optimizer.load_state_dict({"state": entries, "param_groups": groups})
    except (ValueError, IndexError) as error:
        raise Text2EarthError(f"The checkpoint belongs to another optimizer: {error}.") from None


def module_tensors(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return a module's weights and buffers under a common prefix."""
    return {f"{prefix}.{name}": tensor for name, tensor in module.state_dict().items()}


def restore_module(module: nn.Module, tensors: dict[str, Tensor], prefix: str) -> None:
    """Load what `module_tensors` named; every weight must be there and fit."""
    mine = {key[len(prefix) + 1 :]: tensor for key, tensor in tensors.items() if key.startswith(prefix + ".")}
    try:
        module.load_state_dict(mine)
    except RuntimeError as error:
        raise Text2EarthError(f"The checkpoint belongs to another model: {reason_of(error)}.") from None
