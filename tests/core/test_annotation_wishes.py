"""What a person may say of an endpoint and of what it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from text2earth_core.data.annotation.endpoint import checked_endpoint
from text2earth_core.data.annotation.template import Template
from text2earth_core.errors import Text2EarthError


def test_templates_say_what_is_known_and_are_checked() -> None:
    template = Template("It is {class}.\nNear {place}, {resolution}.\nJust so {{}}.")
    assert template.fill({"class": "a lake", "place": ""}) == "It is a lake.\nJust so {}."
    bad: list[Callable[[], Any]] = [
        lambda: Template("{name}"), lambda: Template("{class.__class__}"), lambda: Template("{class!r}"),
        lambda: Template("{0}"), lambda: Template("{class"), lambda: Template(" "), lambda: Template("x" * 30_000),
    ]  # fmt: skip
    for make in bad:
        with pytest.raises(Text2EarthError, match="template"):
            make()


def test_addresses_of_endpoints_hold_no_secrets() -> None:
    assert checked_endpoint("http://127.0.0.1:8000/v1/") == "http://127.0.0.1:8000/v1"
    for url in ("ftp://a/v1", "127.0.0.1:80", "http://", "http://a:port/", "http://me:word@a/v1", "https://a/v1?key=1"):
        with pytest.raises(Text2EarthError):
            checked_endpoint(url)
