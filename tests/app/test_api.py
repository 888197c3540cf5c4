"""Whatever is asked, the server does not blame itself; jobs live and end as they should, in any order of requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from tests.app.api_cases import attack, label, live, operations
from tests.app.server_process import Server, wait_for

EXAMPLES = 5  # of each operation; benchmarks/hostile.py goes on for as long as one likes
FRAMES = [[0, 0, 64, 64], [32, 0, 64, 64], [-64, -64, 64, 64]]
STATES = {"queued", "running", "done", "failed", "cancelled", "interrupted"}
ENDED = STATES - {"queued", "running"}


def test_no_request_that_the_schema_allows_or_forbids_makes_the_server_blame_itself(server: Server) -> None:
    found = operations(server)
    assert len(found) > 40
    for operation in found:
        assert attack(server, operation, live(server), EXAMPLES, 0), label(operation)


class Life(RuleBasedStateMachine):
    """Jobs and fills of one scene: made, moved, cancelled, retried, undone, in every order that chance finds."""

    server: Server
    jobs = Bundle("jobs")

    @initialize()
    def new_scene(self) -> None:
        self.scene = self.server.new_scene()
        self.path = f"/api/scenes/{self.scene}"
        self.made: set[str] = set()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer's JSON; None for a refusal, which is one sentence."""
        answer = self.server.http.request(method, path, json=body)
        assert answer.status_code < 500, (method, path, body, answer.text)
        if answer.is_success:
            return answer.json() if answer.content else {}
        assert answer.json()["error"].endswith(".")
        return None

    def told(self, answer: Any) -> Any:
        if answer is None:
            return multiple()
        self.made.add(answer["id"])
        return answer["id"]

    @rule(target=jobs, frame=st.sampled_from(FRAMES), steps=st.sampled_from([1, 40]), seed=st.integers(0, 3))
    def generate(self, frame: list[int], steps: int, seed: int) -> Any:
        body = {"frame": frame, "prompt": "a forest", "steps": steps, "seed": seed}
        return self.told(self.ask("POST", f"{self.path}/jobs", body))

    @rule(target=jobs, width=st.sampled_from([64, 200]), share=st.sampled_from([0.3, 0.7]))
    def fill(self, width: int, share: float) -> Any:
        first = {"text": "a lake", "region": [0, 0, int(share * width), 64]}
        body = {"bbox": [0, 0, width, 64], "prompts": [first, {"text": "desert"}], "steps": 2, "confirmed": True}
        return self.told(self.ask("POST", f"{self.path}/fills", body))

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        self.ask("DELETE", f"/api/jobs/{job}")

    @rule(job=jobs, position=st.integers(0, 5))
    def move(self, job: str, position: int) -> None:
        self.ask("POST", f"/api/jobs/{job}/move", {"position": position})

    @rule(target=jobs, job=consumes(jobs))
    def retry(self, job: str) -> Any:
        return self.told(self.ask("POST", f"/api/jobs/{job}/retry"))

    @rule(which=st.sampled_from(["undo", "redo"]))
    def step(self, which: str) -> None:
        self.ask("POST", f"{self.path}/{which}")

    @rule(job=jobs)
    def wait(self, job: str) -> None:
        wait_for(lambda: self.states().get(job, "done") in ENDED)

    def states(self) -> dict[str, str]:
        return {job["id"]: job["state"] for job in self.server.get(f"{self.path}/jobs")}

    @invariant()
    def every_job_is_in_a_state_that_has_a_name(self) -> None:
        if hasattr(self, "path"):
            assert set(self.states().values()) <= STATES
            assert list(self.states().values()).count("running") <= 1

    def teardown(self) -> None:
        """All of them end, and the history has what was made."""
        if hasattr(self, "path"):
            wait_for(lambda: set(self.states().values()) <= ENDED)
            scene = self.server.get(self.path)
            assert scene["empty"] is (not self.server.get(f"{self.path}/history"))
            assert self.server.http.delete(self.path).is_success


@pytest.mark.timeout(1800)
def test_jobs_and_fills_live_and_end_in_any_order_of_requests(server: Server) -> None:
    machine = type("LifeHere", (Life,), {"server": server})
    life = machine.TestCase  # type: ignore[attr-defined]
    life.settings = settings(
        max_examples=4, stateful_step_count=10, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    life().runTest()
