"""A model comes from the hub while the page is told how far it is; stopped, it goes on from there when asked again."""

from __future__ import annotations

from pathlib import Path

from tests.app.server_process import Server, wait_for
from tests.hub_server import MODEL, Hub

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def test_a_model_that_is_fetched_can_be_stopped_and_goes_on(tmp_path: Path, tiny_folder: Path) -> None:
    hub = Hub(tiny_folder, held=WEIGHTS)
    of = sum(hub.size(name) for name in hub.files)
    with hub.serving() as address:
        wanted = {"HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "HF_HOME": str(tmp_path / "hub"), "NO_PROXY": "*"}
        with Server(tmp_path / "data", Path(MODEL), environment=wanted) as server:
            rest = {"bytes": of - hub.size(WEIGHTS), "of": of, "stopping": False}
            wait_for(lambda: server.get("/api/model")["fetching"] == rest)
            answer = server.http.delete("/api/models/fetching")
            assert answer.json()["fetching"] == rest | {"stopping": True}
            hub.release.set()
            wait_for(lambda: server.get("/api/model")["state"] == "failed")
            told = server.get("/api/model")
            assert told["fetching"] is None
            assert told["error"].startswith(f"Fetching {MODEL} was stopped")

            found = {one["name"]: one for one in server.get("/api/models")}[MODEL]
            assert (found["where"], found["runs"], found["partly"]) == ("hub cache", False, True)
            hub.sent.clear()
            server.post("/api/models/current", {"name": MODEL})
            wait_for(lambda: server.get("/api/model")["switching"] is None)
            told = server.get("/api/model")
            assert (told["state"], told["name"], told["error"], told["refused"]) == ("ready", MODEL, None, None)
            assert hub.sent == [WEIGHTS], "what had come was kept"
            assert {one["name"]: one for one in server.get("/api/models")}[MODEL]["runs"]


def test_where_nothing_is_fetched_there_is_nothing_to_stop(server: Server) -> None:
    answer = server.http.delete("/api/models/fetching")
    assert answer.status_code == 409
    assert "nothing to stop" in answer.json()["error"]
    assert server.get("/api/model")["fetching"] is None
