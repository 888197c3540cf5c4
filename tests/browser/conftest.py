"""A server with a tiny model, a browser, and pages that must stay quiet and at home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.app.server_process import Server
from tests.browser.driver import ARGUMENTS, Canvas


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Iterator[Server]:
    """One server for all browser tests; each test works in scenes of its own."""
    with Server(tmp_path_factory.mktemp("data"), tiny_folder) as running:
        yield running.ready()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests; each test gets contexts of its own."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def new_context(browser: Browser, server: Server) -> Iterator[Callable[..., BrowserContext]]:
    """Makes contexts; afterwards none may have asked a foreign origin or written an error to the console."""
    contexts: list[BrowserContext] = []
    foreign: list[str] = []
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} [{message.location['url']}]")

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", heard)

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(30_000)
        context.on("page", watch)
        home = (server.url, "data:", "blob:")
        context.on("request", lambda request: None if request.url.startswith(home) else foreign.append(request.url))
        contexts.append(context)
        return context

    make.errors = errors  # type: ignore[attr-defined]  # a test that provokes an error takes it out
    yield make
    for context in contexts:
        context.close()
    assert not foreign, f"requests to foreign origins: {foreign}"
    assert not errors, f"errors in the console: {errors}"


@pytest.fixture
def canvas(new_context: Callable[..., BrowserContext], server: Server) -> Canvas:
    """A page of its own, not opened yet."""
    return Canvas(new_context().new_page(), server.url)


@pytest.fixture
def expected_errors(new_context: Any) -> list[str]:
    """Console errors so far: the browser logs every refused request, and a test that provokes one clears the list."""
    errors: list[str] = new_context.errors
    return errors
