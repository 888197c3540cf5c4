"""A Google level in a prompt is the resolution of a scene that has none of its own yet, and of no other."""

from __future__ import annotations

from tests.app.server_process import Server

LEVEL_15 = "15_GOOGLE_LEVEL_a forest"  # 2^(17 - 15) m/px
FRAME = [0, 0, 64, 64]


def test_an_empty_scene_takes_the_resolution_that_its_first_prompt_names(server: Server, scene: str) -> None:
    done = server.painted(scene, prompt=LEVEL_15)
    assert server.get(f"/api/scenes/{scene}")["resolution"] == 4
    assert [note for note in done["notes"] if "level" in note] == []
    done = server.painted(scene, prompt="17_GOOGLE_LEVEL_a forest", frame=[32, 0, 64, 64])
    assert server.get(f"/api/scenes/{scene}")["resolution"] == 4
    assert any("means 1 m/px, but 4 m/px" in note for note in done["notes"])


def test_the_page_is_told_before_anything_is_painted(server: Server, scene: str) -> None:
    with server.events(scene) as events:
        events.next()
        server.post(f"/api/scenes/{scene}/jobs", {"frame": FRAME, "prompt": LEVEL_15, "steps": 1})
        seen = events.until(lambda event: event["event"] == "job")
    assert [event["data"]["resolution"] for event in seen if event["event"] == "scene"] == [4]


def test_a_level_that_no_scene_can_have_is_a_note(server: Server, scene: str) -> None:
    done = server.painted(scene, prompt="5_GOOGLE_LEVEL_a forest")
    assert server.get(f"/api/scenes/{scene}")["resolution"] == 1
    assert any("4096 m/px, but 1 m/px" in note for note in done["notes"])


def test_a_fill_takes_a_level_that_all_its_prompts_share(server: Server) -> None:
    for second, metres in (("15_GOOGLE_LEVEL_a lake", 4), ("16_GOOGLE_LEVEL_a lake", 1)):
        scene = server.new_scene()
        prompts = [{"text": LEVEL_15, "region": [0, 0, 32, 64]}, {"text": second}]
        job = server.post(f"/api/scenes/{scene}/fills", {"bbox": [0, 0, 64, 64], "prompts": prompts, "steps": 1})
        assert server.get(f"/api/scenes/{scene}")["resolution"] == metres
        assert server.finished(scene, job["id"])["state"] == "done"
