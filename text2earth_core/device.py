"""Which device and which precision to compute in, chosen by what the machine can do well."""

import torch

from text2earth_core.errors import Text2EarthError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def pick_device(name: str | None = None) -> torch.device:
    """Return the device called `name` ("cpu", "cuda", "cuda:1", "mps"), or the best one present when it is None.

    Raises:
        Text2EarthError: the name is unknown or the device is not present.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise Text2EarthError(f'"{name}" is not a device: use cpu, cuda or mps.') from None
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(device.type, False):
        raise Text2EarthError(f'This machine has no "{device.type}" device: leave --device away to use the best one.')
    return device


def pick_dtype(device: torch.device, name: str | None = None) -> torch.dtype:
    """Return the precision for convolutions and attention on `device`.

    bfloat16 is twice as fast as float32 where the hardware multiplies it, and slower than float32 on processors
    that only emulate it, so on a CPU the choice follows the instruction set.
    """
    if name is not None:
        if name not in DTYPES:
            raise Text2EarthError(f'"{name}" is not a precision: use {" or ".join(DTYPES)}.')
        return DTYPES[name]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and _cpu_multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
