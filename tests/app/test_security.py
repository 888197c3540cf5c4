"""Only the page of this server may talk to it, and no request makes it read without bound or leave its folder."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import pytest

from app.api.security import MAX_JSON_BYTES, MAX_MASK_BYTES, MAX_SCENE_BYTES, Guard
from tests.app.server_process import Server


async def nothing(scope: object, receive: object, send: object) -> None:
    """An application that is never asked."""


@pytest.mark.parametrize(
    ("bind", "host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1:7860", True),
        ("127.0.0.1", "localhost:7860", True),
        ("127.0.0.1", "LOCALHOST.:7860", True),
        ("127.0.0.1", "[::1]:7860", True),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "evil.example:7860", False),
        ("127.0.0.1", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "localhost@evil.example", False),
        ("127.0.0.1", "192.168.1.5:7860", False),
        ("127.0.0.1", "", False),
        ("127.0.0.1", "[::1", False),
        ("0.0.0.0", "192.168.1.5:7860", True),
        ("0.0.0.0", "[fe80::1]:7860", True),
        ("0.0.0.0", socket.gethostname(), True),
        ("0.0.0.0", "evil.example:7860", False),
    ],
)
def test_a_foreign_name_for_this_machine_is_refused(bind: str, host: str, allowed: bool) -> None:
    assert (Guard(nothing, bind).refusal("GET", {"host": host}) == "") is allowed


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"host": "maps.example.com"}, True),
        ({"host": "maps.example.com", "origin": "https://maps.example.com"}, True),
        ({"host": "127.0.0.1:7860", "origin": "https://maps.example.com"}, True),  # what nginx passes on by default
        ({"host": "mybox.local:7890", "origin": "http://mybox.local:7890"}, True),
        ({"host": "other.example.com"}, False),
        ({"host": "127.0.0.1:7860", "origin": "https://other.example.com"}, False),
        ({"host": "127.0.0.1:7860", "origin": "https://maps.example.com.evil.example"}, False),
    ],
)
def test_a_name_that_the_person_who_started_it_vouches_for_is_answered(headers: dict[str, str], allowed: bool) -> None:
    guard = Guard(nothing, names=["Maps.example.com", "mybox.local"])
    assert (guard.refusal("POST", headers) == "") is allowed
    without = Guard(nothing).refusal("POST", headers)
    name = urlsplit(headers.get("origin", f"//{headers['host']}")).hostname
    assert f"--allow-host {name}" in without, "the refusal names the way out"


@pytest.mark.parametrize(
    ("method", "headers", "allowed"),
    [
        ("POST", {}, True),  # a script, not a browser
        ("POST", {"origin": "http://localhost:7860"}, True),
        ("POST", {"origin": "http://localhost:9999"}, False),
        ("POST", {"origin": "http://evil.example"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"origin": "http://["}, False),
        ("GET", {"origin": "http://evil.example"}, False),
        ("POST", {"sec-fetch-site": "cross-site"}, False),
        ("DELETE", {"sec-fetch-site": "same-site"}, False),
        ("POST", {"sec-fetch-site": "same-origin"}, True),
        ("GET", {"sec-fetch-site": "cross-site"}, True),  # a link from elsewhere to the page
    ],
)
def test_a_foreign_page_cannot_act(method: str, headers: dict[str, str], allowed: bool) -> None:
    assert (Guard(nothing).refusal(method, {"host": "localhost:7860"} | headers) == "") is allowed


def test_the_server_itself_refuses_foreign_pages_and_names(server: Server) -> None:
    before = len(server.get("/api/scenes"))
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = server.http.post("/api/scenes", json={}, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["error"].endswith(".")
    assert server.http.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert len(server.get("/api/scenes")) == before


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Server) -> None:
    address = urlsplit(server.url)
    for path, limit in (
        ("/api/scenes", MAX_JSON_BYTES),
        ("/api/scenes/upload", MAX_SCENE_BYTES),
        ("/api/scenes/abc/edits", MAX_MASK_BYTES),
    ):
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(limit + 1))
        connection.endheaders()
        answer = connection.getresponse()  # nothing of the body was sent
        assert answer.status == 413
        assert b"larger than" in answer.read()
        connection.close()


def test_a_body_without_a_length_is_counted(server: Server) -> None:
    chunks = (b" " * 65536 for _ in range(MAX_JSON_BYTES // 65536 + 2))
    answer = server.http.post("/api/scenes", content=chunks, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "error" in answer.json()


@pytest.mark.parametrize(
    "scene",
    ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e", "....//....//x", "a" * 11, "A" * 12, "a" * 65,
     "abcdef123456%00", "abcdefghijkl.t2e", "-bcdefghijkl", "abcdef 123456", "C:%5Cwindows%5Cx"],
)  # fmt: skip
@pytest.mark.parametrize("rest", ["", "/file", "/export", "/jobs", "/events", "/history"])
def test_no_id_leaves_the_folder_of_scenes(server: Server, scene: str, rest: str) -> None:
    address = urlsplit(server.url)
    # Not through httpx, which tidies the path up before it sends it.
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("GET", f"/api/scenes/{scene.replace(' ', '%20')}{rest}")
    answer = connection.getresponse()
    assert answer.status == 404
    assert b'"error"' in answer.read()
    connection.close()


def test_unknown_addresses_of_the_api_are_json_404(server: Server) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = server.http.request(method, "/api/no/such/thing")
        assert answer.status_code == 404
        assert answer.json() == {"error": "There is nothing at this address."}
