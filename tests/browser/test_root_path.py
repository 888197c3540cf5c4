"""Behind a reverse proxy that serves it under a path of its own, the page works as it does alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.app.reverse_proxy import NAME, ReverseProxy
from tests.app.server_process import Server
from tests.browser.driver import Canvas

pytestmark = pytest.mark.needs_browser

PREFIX = "/earth"


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[Server]:
    """A server that is told under which path and name it is seen."""
    options = ("--root-path", PREFIX, "--allow-host", NAME)
    with Server(tmp_path_factory.mktemp("data"), tiny_folder, *options) as running:
        yield running.ready()


def make_a_tile(page: Page, url: str, scene: str) -> list[str]:
    """Generate in an empty scene and see it on the map; returns every address that the page asked for."""
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(str(error)))
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    canvas = Canvas(page, url).open(scene)
    page.locator("#t2e-generate").click()
    canvas.wait_revision(1)
    canvas.drawn()
    canvas.wait_painted(30, 30)
    page.get_by_role("button", name="History").click()
    page.wait_for_function("document.querySelector('[data-t2e-slot=history] img')?.naturalWidth > 0")
    assert failed == []
    return [address for address in asked if address.startswith("http")]


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_tile_is_made_through_a_proxy_and_nothing_leaves_its_path(
    prefixed: Server, browser: Browser, strip: bool, named: bool
) -> None:
    scene = prefixed.new_scene()
    with ReverseProxy(prefixed.url, PREFIX, strip=strip, named=named).running() as proxy:
        with browser.new_context() as context:
            asked = make_a_tile(context.new_page(), proxy.url, scene)
        assert [address for address in asked if not address.startswith(f"{proxy.url}/")] == []
        assert proxy.strays == []


def test_the_same_server_answers_without_its_proxy_too(prefixed: Server, browser: Browser) -> None:
    scene = prefixed.new_scene()
    with browser.new_context() as context:
        asked = make_a_tile(context.new_page(), prefixed.url, scene)
    assert [address for address in asked if not address.startswith(f"{prefixed.url}/")] == []


def test_its_path_without_the_slash_leads_to_the_page(prefixed: Server) -> None:
    answer = prefixed.http.get(f"{PREFIX}?scene=x")
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{PREFIX}/?scene=x"
