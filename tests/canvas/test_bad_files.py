"""Bad input: one clear sentence, and the file is as it was, byte for byte."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from canvas import Change, Rect, Scene, SceneError
from canvas.scene_file import schema
from canvas.scene_file.codec import encode_image
from canvas.scene_file.files import check
from canvas.scene_file.snapshot import fingerprint
from canvas.scene_file.staging import MAX_WAITING

Make = Callable[..., Change]
ROOT = Path(__file__).parents[2]


def sentence(error: pytest.ExceptionInfo[SceneError]) -> str:
    text = str(error.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert "Traceback" not in text
    return text


@pytest.fixture
def closed(tmp_path: Path, make_change: Make) -> Path:
    """A scene file with one change and one candidate, not open."""
    path = tmp_path / "scene.t2e"
    with Scene.create(path, 1.0) as scene:
        scene.accept(make_change(Rect(0, 0, 64, 64)))
        with scene.snapshot() as at:
            place = fingerprint(*at.pixels(Rect(0, 0, 32, 16)))
        scene.stage(replace(make_change(Rect(0, 0, 32, 16)), place=place), "a", 0)
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(500), b"SQLite format 3\x00" + bytes(4000)],
    ids=["empty", "text", "png", "another database"],
)
@pytest.mark.parametrize("door", [Scene.open, Scene.check])
def test_what_is_not_a_scene_is_refused(tmp_path: Path, content: bytes, door: Callable[[Path], object]) -> None:
    path = tmp_path / "photo.t2e"
    path.write_bytes(content)
    with pytest.raises(SceneError) as error:
        door(path)
    assert "not a Text2Earth scene" in sentence(error)
    assert files(tmp_path) == {"photo.t2e": content}


def test_another_sqlite_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    before = files(tmp_path)
    with pytest.raises(SceneError, match="not a Text2Earth scene"):
        Scene.open(path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("door", [Scene.open, Scene.check])
def test_a_newer_file_is_refused_and_left_alone(closed: Path, door: Callable[[Path], object]) -> None:
    connection = sqlite3.connect(closed)
    connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    before = files(closed.parent)
    with pytest.raises(SceneError) as error:
        door(closed)
    assert "newer version" in sentence(error)
    assert "update" in sentence(error)
    assert files(closed.parent) == before


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="no scene at gone"):
        Scene.open(tmp_path / "gone.t2e")
    with pytest.raises(SceneError, match="is a folder"):
        Scene.open(tmp_path)
    with pytest.raises(SceneError, match="folder exists"):
        Scene.create(tmp_path / "nowhere" / "s.t2e", 1.0)


def test_creating_over_a_file_is_refused(closed: Path) -> None:
    before = files(closed.parent)
    with pytest.raises(SceneError, match="already exists"):
        Scene.create(closed, 2.0)
    assert files(closed.parent) == before


def test_a_read_only_file_can_be_looked_at_but_not_changed(closed: Path, make_change: Make) -> None:
    before = files(closed.parent)
    closed.chmod(0o444)
    with Scene.open(closed) as scene:
        assert not scene.writable
        assert scene.read(Rect(0, 0, 64, 64)).valid.all()
        assert scene.tile_webp("rgb", 2, 0, 0) is not None
        for change in (
            lambda: scene.accept(make_change(Rect(64, 0, 64, 64))),
            lambda: scene.erase(Rect(0, 0, 8, 8)),
            lambda: scene.set_title("New"),
            scene.undo,
        ):
            with pytest.raises(SceneError) as error:
                change()
            assert "read-only" in sentence(error)
    assert files(closed.parent) == before


def test_a_full_file_system_loses_nothing(closed: Path, make_change: Make) -> None:
    """SQLite's own page limit raises the very error that a full disk does."""
    with Scene.open(closed) as scene:
        before = scene.read(Rect(0, 0, 1024, 1024))
        assert scene._database._writer is not None
        scene._database._writer.execute("PRAGMA max_page_count = 1")  # no page more than there are
        with pytest.raises(SceneError) as error:
            scene.accept(make_change(Rect(0, 0, 1024, 1024), 5))
        assert "disk is full" in sentence(error)
        assert scene.revision == 1
        assert np.array_equal(scene.read(Rect(0, 0, 1024, 1024)).pixels, before.pixels)
        scene._database._writer.execute("PRAGMA max_page_count = 1000000")
        scene.accept(make_change(Rect(0, 0, 1024, 1024), 5))  # the same press of the button, with space again


def test_a_write_the_system_refuses_loses_nothing(closed: Path) -> None:
    """A process that may not write more than 64 kB to a file: what a quota does."""
    program = """
import sys
import numpy as np
from canvas import Change, Rect, Request, Scene, SceneError
rect = Rect(0, 0, 512, 512)
pixels = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
change = Change(Request("generate", rect, 1.0), "rgb", rect, pixels, np.ones((512, 512), bool),
                np.zeros((4, 64, 64), np.float32), np.zeros((64, 64), bool))
with Scene.open(sys.argv[1]) as scene:
    try:
        scene.accept(change)
    except SceneError as error:
        print(error)
    print(scene.revision)
"""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    result = subprocess.run(
        [sys.executable, "-c", program, str(closed)], preexec_fn=limit, capture_output=True, text=True, cwd=ROOT
    )
    said, revision = result.stdout.splitlines()
    assert said.startswith("The disk ")
    assert "nothing was lost" in said
    assert revision == "1"
    with Scene.open(closed) as scene:
        assert scene.revision == 1
        assert scene.read(Rect(0, 0, 64, 64)).valid.all()


def test_older_files_are_migrated_and_a_failed_migration_leaves_them(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = list(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", [*released, "CREATE TABLE extra (a); CREATE TABLE meta (a)"])
    with pytest.raises(SceneError, match="cannot be used"):
        Scene.open(closed)
    monkeypatch.setattr(schema, "MIGRATIONS", [*released, "CREATE TABLE extra (a); INSERT INTO extra VALUES (1)"])
    with Scene.open(closed) as scene:
        assert scene.read(Rect(0, 0, 64, 64)).valid.all()
    monkeypatch.setattr(schema, "MIGRATIONS", released)
    with pytest.raises(SceneError, match="newer version"):
        Scene.open(closed)


def test_damaged_pages_and_tiles_are_named(closed: Path) -> None:
    check(closed)
    data = bytearray(closed.read_bytes())
    data[20_000:60_000] = bytes(40_000)
    closed.write_bytes(data)
    with pytest.raises(SceneError) as error:
        Scene.check(closed)
    assert "damaged" in sentence(error)


def test_a_tile_that_is_no_picture_is_named(closed: Path) -> None:
    connection = sqlite3.connect(closed)
    connection.execute("UPDATE tiles SET pixels = x'00'")
    connection.commit()
    connection.close()
    with Scene.open(closed) as scene, pytest.raises(SceneError, match="damaged"):
        scene.read(Rect(0, 0, 64, 64))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON steps BEGIN DELETE FROM tiles; END",
        "CREATE VIEW v AS SELECT * FROM meta",
        "DROP TABLE pyramid",
        "DELETE FROM meta WHERE key = 'revision'",
        "UPDATE meta SET value = 9223372036854775807 WHERE key = 'revision'",
        "UPDATE meta SET value = 'wide' WHERE key = 'resolution'",
        "UPDATE meta SET value = 1e9 WHERE key = 'resolution'",
        "UPDATE steps SET request = 'not json'",
        "UPDATE steps SET request = '[]'",
        """UPDATE steps SET request = '{"kind": "import", "prompt": "", "source": 3}'""",
        """UPDATE steps SET request = '{"kind": "import", "prompt": "", "source": {"file": []}}'""",
        """UPDATE steps SET request = '{"kind": [], "prompt": ""}'""",
        """UPDATE steps SET request = '{"kind": "erase", "prompt": 3}'""",
        "DELETE FROM tiles",
        "UPDATE candidates SET request = 'not json'",
        "UPDATE candidates SET request = '[]'",
        "UPDATE candidates SET layer = 'thermal'",
        "UPDATE candidates SET x = 4",
        "UPDATE candidates SET x = 1000000000000",
        "UPDATE candidates SET w = 1000000000",
        "UPDATE candidates SET h = 0",
        "UPDATE candidates SET place = x''",
        "UPDATE candidates SET number = -1",
        f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MAX_WAITING})
        INSERT INTO candidates (batch, number, created, request, layer, x, y, w, h, place, latents, latent_valid, image)
        SELECT 'b', i, created, request, layer, x, y, w, h, place, latents, latent_valid, image FROM candidates, n""",
        "INSERT INTO fills VALUES (1, 'not json', '', 0, NULL, 0, 0, 8, 8)",
        "INSERT INTO fills VALUES (1, '{}', '', 0, NULL, 0, 0, 1000000000000, 8)",
        "UPDATE heads SET right = 100000",
        "UPDATE heads SET x = 1000000000000",
    ],
)
def test_an_upload_that_is_not_sound_is_refused(closed: Path, statement: str) -> None:
    connection = sqlite3.connect(closed)
    connection.execute(statement)
    connection.commit()
    connection.close()
    before = files(closed.parent)
    with pytest.raises(SceneError):
        Scene.check(closed)
    assert files(closed.parent) == before


@pytest.mark.parametrize(
    "damage",
    ["x = 4", "w = 1000000000, h = 1000000000", "h = 0", "layer = 'thermal'", "latents = x'00'", "image = x'00'",
     "latent_valid = x''", "request = '{}'", "w = 24", "place = x''", "image = :empty"],
)  # fmt: skip
def test_a_damaged_candidate_is_named_when_it_is_accepted(closed: Path, damage: str) -> None:
    """A file that was opened where it lies was never looked at as an upload is."""
    connection = sqlite3.connect(closed)
    nothing = encode_image(np.zeros((16, 32, 3), np.uint8), np.zeros((16, 32), np.uint8))
    connection.execute(f"UPDATE candidates SET {damage}", {"empty": nothing})
    connection.commit()
    connection.close()
    with Scene.open(closed) as scene:
        [candidate] = scene.candidates()
        with pytest.raises(SceneError) as error:
            scene.accept_candidate(candidate.id)
        sentence(error)
        assert scene.revision == 1
        assert scene.discard("a") == 1


def test_an_upload_that_is_too_large_is_refused(closed: Path) -> None:
    with pytest.raises(SceneError, match="larger than"):
        Scene.check(closed, max_bytes=1000)


def test_a_backup_is_whole_while_the_scene_is_in_use(tmp_path: Path, scene: Scene, make_change: Make) -> None:
    scene.accept(make_change(Rect(0, 0, 300, 304).snap()))
    scene.erase(Rect(0, 0, 8, 8))
    copy = tmp_path / "copy.t2e"
    scene.backup(copy)
    assert {entry.name for entry in tmp_path.iterdir() if entry.name.startswith((".", "copy"))} == {"copy.t2e"}
    Scene.check(copy)
    with Scene.open(copy) as other:
        assert other.history() == scene.history()
        view = Rect(-8, -8, 400, 400)
        assert np.array_equal(other.read(view).pixels, scene.read(view).pixels)
    with pytest.raises(SceneError, match="already exists"):
        scene.backup(copy)


def test_a_closed_scene_says_so(scene: Scene) -> None:
    scene.close()
    with pytest.raises(SceneError, match="closed"):
        scene.read(Rect(0, 0, 8, 8))
    with pytest.raises(SceneError, match="closed"):
        scene.undo()
