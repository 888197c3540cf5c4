"""The precision follows what a processor does well, not what it merely can."""

import pytest
import torch

from text2earth_core import Text2EarthError
from text2earth_core.device import multiplies_bfloat16_well, pick_device, pick_dtype


@pytest.mark.parametrize(
    ("capabilities", "well"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "avx512_fp16": True, "amx_bf16": True}, True),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "avx512_fp16": True, "amx_bf16": False}, False),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "avx512_fp16": False}, True),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True, "avx512_fp16": True}, True),
        ({"cpu_name": "Neoverse V2", "bf16": True}, True),
        ({"cpu_name": "Intel Core", "avx2": True}, False),
        ({}, False),
    ],
)
def test_bfloat16_is_for_processors_that_multiply_it_well(capabilities, well):
    assert multiplies_bfloat16_well(capabilities) is well


def test_what_is_asked_for_by_name_is_taken_or_refused():
    cpu = pick_device("cpu")
    assert pick_dtype(cpu, "bfloat16") == torch.bfloat16
    assert pick_dtype(cpu) in (torch.bfloat16, torch.float32)
    assert pick_dtype(cpu, "float16") == torch.float16
    with pytest.raises(Text2EarthError, match="use float32, bfloat16, float16"):
        pick_dtype(cpu, "float64")
    with pytest.raises(Text2EarthError, match="not a device"):
        pick_device("toaster")
