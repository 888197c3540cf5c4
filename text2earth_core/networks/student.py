"""The few-step student beside a model's UNet: a small LoRA on disk, a second UNet with it folded in in memory."""

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from text2earth_core.errors import Text2EarthError, reason_of
from text2earth_core.facts import WEIGHTS_FILE


@dataclass
class Student:
    """What samples in a few steps with guidance built in.

    unet: the teacher's with the adapter folded in. adapter: the LoRA it came from, by name, and `metadata` (rank,
    layers) as diffusers stored it, so that a model saved again keeps it.
    """

    unet: UNet2DConditionModel
    adapter: dict[str, Tensor]
    metadata: dict[str, str]

    @classmethod
    def load(cls, folder: Path, teacher: UNet2DConditionModel) -> "Student":
        """Read the adapter in `folder` and fold it into a copy of `teacher`, in float32 on the CPU.

        Raises:
            Text2EarthError: the adapter is missing, damaged or made for another UNet.
        """
        unet = deepcopy(teacher).to("cpu", torch.float32)
        options = {"weight_name": WEIGHTS_FILE, "use_safetensors": True, "local_files_only": True}
        try:
            with safe_open(folder / WEIGHTS_FILE, "pt") as file:
                metadata = file.metadata() or {}
                adapter = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            unet.load_lora_adapter(folder, prefix=None, **options)
            unet.fuse_lora()
            unet.unload_lora()
        except Exception as error:
            raise Text2EarthError(f"The student in {folder} cannot be loaded: {reason_of(error)}.") from None
        return cls(unet.eval(), adapter, metadata)

    def save(self, folder: Path, dtype: torch.dtype | None = None) -> None:
        """Write the adapter as diffusers does, in another precision if given."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: tensor.to(dtype or tensor.dtype).contiguous() for name, tensor in self.adapter.items()}
        save_file(tensors, folder / WEIGHTS_FILE, self.metadata)
