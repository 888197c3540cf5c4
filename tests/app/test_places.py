"""Where a pixel of an anchored scene lies: in the scene's system and in degrees."""

from __future__ import annotations

import pytest

from tests.app.server_process import Server

PLACE = {"crs": "EPSG:32632", "origin": "500000,0"}  # on the central meridian of zone 32, at the equator


@pytest.fixture
def anchored(server: Server, scene: str) -> str:
    assert server.http.put(f"/api/scenes/{scene}/anchor", json=PLACE).is_success
    return scene


def test_a_pixel_has_its_coordinates_in_the_system_and_in_degrees(server: Server, anchored: str) -> None:
    found = server.get(f"/api/scenes/{anchored}/place?x=0&y=0")
    assert (found["east"], found["north"], found["step"]) == (500_000, 0, [1, -1])
    assert (found["lon"], found["lat"]) == pytest.approx((9, 0), abs=1e-9)
    away = server.get(f"/api/scenes/{anchored}/place?x=1000&y=-2000")
    assert (away["east"], away["north"]) == (501_000, 2_000)
    # A degree is 110.6 km along a meridian at the equator, and 111.3 along it; the zone shrinks by 0.0004.
    assert away["lat"] == pytest.approx(2_000 / 110_574 / 0.9996, rel=1e-4)
    assert away["lon"] - 9 == pytest.approx(1_000 / 111_320 / 0.9996, rel=1e-4)


def test_a_step_of_a_pixel_leads_to_the_next_pixels_degrees(server: Server, anchored: str) -> None:
    here = server.get(f"/api/scenes/{anchored}/place?x=5000&y=-5000")
    there = server.get(f"/api/scenes/{anchored}/place?x=5030&y=-5020")
    (east_lon, east_lat), (down_lon, down_lat) = here["turn"]
    assert here["lon"] + 30 * east_lon - 20 * down_lon == pytest.approx(there["lon"], abs=1e-9)
    assert here["lat"] + 30 * east_lat - 20 * down_lat == pytest.approx(there["lat"], abs=1e-9)


def test_a_scene_that_lies_nowhere_says_so(server: Server, scene: str) -> None:
    answer = server.http.get(f"/api/scenes/{scene}/place?x=0&y=0")
    assert answer.status_code == 409
    assert "lies nowhere on Earth" in answer.json()["error"]


def test_a_place_beyond_the_system_is_one_sentence(server: Server, anchored: str) -> None:
    answer = server.http.get(f"/api/scenes/{anchored}/place?x=-200000000&y=0")
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")
