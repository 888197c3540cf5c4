"""Which device and which precision to compute in, chosen by what the machine can do well."""

from collections.abc import Mapping
from typing import Any

import torch

from text2earth_core.errors import Text2EarthError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


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

    bfloat16 is twice as fast as float32 where the hardware multiplies it well, and slower than float32 elsewhere, so on
    a CPU the choice follows the instruction set; a GPU without it has float16, which trainings do without.
    """
    if name is not None:
        if name not in DTYPES:
            raise Text2EarthError(f'"{name}" is not a precision: use {", ".join(DTYPES)}.')
        return DTYPES[name]
    if device.type == "cuda":  # bfloat16 that a GPU only emulates is slower than what it has
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    told = device.type == "cpu" and hasattr(torch.cpu, "get_capabilities")  # older versions do not tell
    return torch.bfloat16 if told and multiplies_bfloat16_well(torch.cpu.get_capabilities()) else torch.float32


def multiplies_bfloat16_well(capabilities: Mapping[str, Any]) -> bool:
    """Whether a CPU with these capabilities (`torch.cpu.get_capabilities`) is faster in bfloat16 than in float32.

    Having the instructions is not enough. Intel's processors with AVX512-FP16 leave such work to AMX, and their
    AVX512-BF16 does half of what float32 does; virtual machines often hide AMX and show the others (measured: an image
    takes 1.3 times as long).
    """
    if capabilities.get("amx_bf16") or capabilities.get("bf16"):
        return True
    left_to_amx = "Intel" in capabilities.get("cpu_name", "") and capabilities.get("avx512_fp16", False)
    return bool(capabilities.get("avx512_bf16")) and not left_to_amx
