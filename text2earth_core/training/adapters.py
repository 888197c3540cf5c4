"""All adapters of a base in one go: panchromatic, then near infrared and radar, each after its simulator."""

from __future__ import annotations

from pathlib import Path

from text2earth_core.folder import locate, read_facts
from text2earth_core.training.checkpoint import minutes_left
from text2earth_core.training.lora import train_lora
from text2earth_core.training.simulator import train_simulator

SHARES = {"pan": 12, "simulator-nir": 10, "nir": 15, "simulator-sar": 20, "sar": 20}
"""Parts of the time."""


def train_adapters(
    data: Path, out: Path, *, start: Path, minutes: float, resume: bool = False, device: str | None = None
) -> dict[str, dict]:
    """Train `out/pan`, `out/nir` and `out/sar` of the model `start`; the simulators stand in `out/simulators`.

    Args:
        minutes: for all of it. resume: go on where a former call was stopped; what was finished is left alone.

    Returns:
        What each training returns, by its name in `SHARES`.
    """
    preset = read_facts(locate(start)).name
    found = {}
    for name, share in SHARES.items():
        budget = minutes * share / sum(SHARES.values())
        simulating = name.removeprefix("simulator-")
        if simulating != name:
            place = out / "simulators" / simulating
            left = minutes_left(place / "runs" / name / "checkpoint", budget) if resume else budget
            if left > 0:
                found[name] = train_simulator(simulating, data, place, minutes=left, resume=resume, device=device)
            continue
        simulator = None if name == "pan" else out / "simulators" / name
        found[name] = train_lora(
            name, preset, data, out / name, start=start, minutes=budget, resume=resume, simulator=simulator,
            device=device,
        )  # fmt: skip
    return found
