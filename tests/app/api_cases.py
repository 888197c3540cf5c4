"""Requests that the server's own schema allows, and some that it does not, aimed at what is there."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis import APIOperation, Case, GenerationMode

from tests.app.server_process import Server

LEFT_OUT = {
    "/api/scenes/{scene}/events": "a stream has no end to wait for; test_events.py has it",
    "/api/adapters/hub": "it asks other machines, and retries where there is no network",
}
LONGEST_S = 120  # an answer that takes longer is a fault


@dataclass(frozen=True)
class Aim:
    """Things that exist, by the names that addresses have for them: ids of a scene, a job, a step, a candidate."""

    scene: str
    job: str
    step: int
    candidate: int
    file: str

    def of(self, operation: APIOperation) -> dict[str, Any]:
        """Those of them that stand in an operation's address."""
        return {name: value for name, value in vars(self).items() if f"{{{name}}}" in operation.path}


def live(server: Server) -> Aim:
    """A scene with ground, a finished job and a candidate."""
    scene = server.new_scene()
    job = server.painted(scene)
    edit = {"mask": _MASK, "at": [0, 0], "steps": 1, "seed": 1}
    made = server.post(f"/api/scenes/{scene}/edits", edit)
    server.finished(scene, made["id"])
    candidate = server.get(f"/api/scenes/{scene}/candidates")[0]["id"]
    step = server.get(f"/api/scenes/{scene}/history")[-1]["id"]
    return Aim(scene, job["id"], step, candidate, "0" * 12)


def operations(server: Server) -> list[APIOperation]:
    """Every operation that ends by itself, as the running server describes them."""
    schema = schemathesis.openapi.from_dict(server.get("/api/openapi.json"))
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.path not in LEFT_OUT]


def label(operation: APIOperation) -> str:
    """Such as `POST /api/scenes`."""
    return f"{operation.method.upper()} {operation.path}"


def attack(server: Server, operation: APIOperation, aim: Aim, examples: int, chance: int) -> int:
    """Send so many requests to an operation; AssertionError for an answer that blames the server.  Returns the count.

    `chance` decides which.  507 and 503 are answers, not faults: a full disk, a model that is not there.
    """
    sent = 0
    aimed = aim.of(operation)
    modes = [operation.as_strategy(mode, path_parameters=aimed) for mode in GenerationMode]
    if aimed:
        modes.append(operation.as_strategy(GenerationMode.POSITIVE))

    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=st.one_of(modes))
    def send(case: Case) -> None:
        nonlocal sent
        sent += 1
        answer = case.call(base_url=server.url, timeout=LONGEST_S)
        assert answer.status_code < 500 or answer.status_code in (503, 507), (case.as_curl_command(), answer.text)

    seed(chance)(send)()
    return sent


def _white() -> str:
    out = io.BytesIO()
    Image.new("L", (32, 32), 255).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


_MASK = _white()
