"""A scene writes its own recipe, the recipe rebuilds the scene, and a bad one is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from canvas import Rect, Scene, SceneError
from canvas.fill.region_fill import RegionFill, fill_request
from canvas.maps.import_image import import_image
from canvas.paint.extend import extension_frame
from canvas.paint.painter import Painter
from canvas.recipes.recipe import Recipe, parse, read, recipe_of
from canvas.recipes.replay import fill_of, notes, replay

FILL: dict[str, Any] = {
    "version": 1,
    "resolution": 1.0,
    "seed": 5,
    "bbox": [-20, 0, 200, 90],
    "prompts": [
        {"text": "forest", "region": [-20, 0, 100, 90], "feather": 30},
        {"text": "desert", "region": [[100, 0], [200, 0], [200, 90], [80, 90]]},
    ],
    "steps": 2,
}
VIEW = Rect(-256, -256, 768, 768)


def round_trip(data: dict[str, Any], path: Path) -> Recipe:
    """Through a file, as it is shared."""
    path.write_text(json.dumps(data))
    return read(path)


def check_same(scene: Scene, other: Scene) -> None:
    assert scene.bounds == other.bounds
    one, two = scene.read(VIEW), other.read(VIEW)
    for name in ("pixels", "valid", "latent_valid", "latents"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_a_filled_scene_writes_the_recipe_that_made_it(scene: Scene, painter: Painter, tmp_path: Path) -> None:
    model = painter.model
    RegionFill(scene, model, fill_of(parse(FILL), scene, model)).run()
    again = recipe_of(scene)
    assert FILL.items() <= (again | {"bbox": FILL["bbox"]}).items()
    assert again["bbox"] == [-24, 0, 200, 96]  # on the grid of cells
    assert again["model"] == model.info.fingerprint
    with Scene.create(tmp_path / "again.t2e", 1.0) as rebuilt:
        assert replay(round_trip(again, tmp_path / "r.json"), rebuilt, model) == 1
        check_same(scene, rebuilt)
        assert recipe_of(rebuilt) == again


def test_a_scene_is_rebuilt_from_its_whole_history(scene: Scene, painter: Painter, tmp_path: Path) -> None:
    """Generating, extending, filling, importing, editing, erasing; undone steps are no part of it."""
    model = painter.model
    for number in range(2):
        frame = extension_frame(scene, "right", 64)
        scene.accept(painter.paint(scene, painter.request(scene, frame, "forest", seed=number, steps=2)))
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    import_image(scene, tmp_path / "photo.png", resolution=1.0, at=(60, 30))
    RegionFill(scene, model, fill_request(model, scene, [40, 40, 200, 140], [{"text": "lake"}], steps=2)).run()
    mask = np.zeros((40, 48), np.uint8)
    mask[8:30, 10:40] = 255
    scene.accept(painter.paint(scene, painter.edit(scene, Rect(16, 8, 48, 40), mask, "desert", steps=2)))
    scene.erase(Rect(0, 0, 24, 16))
    RegionFill(scene, model, fill_request(model, scene, [0, 0, 400, 40], [{"text": "sea"}], steps=2)).run()
    scene.undo()

    data = recipe_of(scene)
    assert [step["kind"] for step in data["history"]] == [
        "generate", "generate", "import", "fill", "edit", "erase",
    ]  # fmt: skip
    recipe = round_trip(data, tmp_path / "r.json")
    assert notes(recipe, model) == []
    with Scene.create(tmp_path / "again.t2e", 1.0) as rebuilt:
        assert replay(recipe, rebuilt, model) == 6
        check_same(scene, rebuilt)
        assert recipe_of(rebuilt) == data


def test_a_replay_that_was_stopped_goes_on(scene: Scene, painter: Painter, tmp_path: Path) -> None:
    model = painter.model
    for number in range(3):
        frame = extension_frame(scene, "down", 64)
        scene.accept(painter.paint(scene, painter.request(scene, frame, "forest", seed=number, steps=2)))
    recipe = parse(recipe_of(scene))

    def stop(number: int, progress: object) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with Scene.create(tmp_path / "again.t2e", 1.0) as rebuilt:
        with pytest.raises(KeyboardInterrupt):
            replay(recipe, rebuilt, model, stop)
        assert len(rebuilt.history()) == 2
        replay(recipe, rebuilt, model)
        check_same(scene, rebuilt)
        rebuilt.erase(Rect(0, 0, 64, 64))
        with pytest.raises(SceneError, match="something else"):
            replay(recipe, rebuilt, model)


@pytest.mark.parametrize(("name", "value"), [("seed", 8), ("prompt", "desert"), ("guidance", 4.0), ("kind", "edit")])
def test_a_replay_does_not_go_on_where_a_step_asked_for_something_else(
    scene: Scene, painter: Painter, tmp_path: Path, name: str, value: object
) -> None:
    for number in range(2):
        frame = extension_frame(scene, "down", 64)
        scene.accept(painter.paint(scene, painter.request(scene, frame, "forest", seed=number, steps=2)))
    data = recipe_of(scene)
    with Scene.create(tmp_path / "again.t2e", 1.0) as rebuilt:
        replay(parse(data | {"history": data["history"][:1]}), rebuilt, painter.model)
        before = rebuilt.revision
        data["history"][0][name] = value
        with pytest.raises(SceneError, match=f"Step 1 .* its {name} is another"):
            replay(parse(data), rebuilt, painter.model)
        assert rebuilt.revision == before


def test_a_replay_does_not_go_on_where_a_mask_is_another(scene: Scene, painter: Painter, tmp_path: Path) -> None:
    recipes = []
    for edge in (24, 32):
        with Scene.create(tmp_path / f"{edge}.t2e", 1.0) as made:
            mask = np.zeros((64, 64), np.uint8)
            mask[8:edge, 8:edge] = 255
            made.accept(painter.paint(made, painter.edit(made, Rect(0, 0, 64, 64), mask, "desert", steps=2)))
            recipes.append(parse(recipe_of(made)))
    replay(recipes[0], scene, painter.model)
    assert replay(recipes[0], scene, painter.model) == 1
    with pytest.raises(SceneError, match="its mask is another"):
        replay(recipes[1], scene, painter.model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "update the program"),
        ({"version": None}, "version"),
        ({"resolution": 0}, "0.25 to 128"),
        ({"resolution": "fine"}, "0.25 to 128"),
        ({"bbox": [0, 0, 0, 5]}, "no area"),
        ({"bbox": [0, 0, 1e9, 5]}, "too large"),
        ({"bbox": [0, 0, 5]}, "four numbers"),
        ({"prompts": []}, "1 to 64 prompts"),
        ({"prompts": [{"text": 3}]}, "no text"),
        ({"prompts": [{"text": "a", "region": [[0, 0], [1, 1], [2, 2]]}]}, "no area"),
        ({"prompts": [{"text": "a", "region": [[0, 0], [1, 1], [2, "x"]]}]}, "three points"),
        ({"prompts": [{"text": "a", "feather": float("inf")}]}, "feather"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
        ({"steps": 0}, "steps"),
        ({"colour": "red"}, "colour"),
        ({"seed": ...}, "no 'seed'"),
    ],
)
def test_a_bad_recipe_is_refused_with_a_sentence(change: dict[str, Any], words: str) -> None:
    data = {name: value for name, value in (FILL | change).items() if value is not ...}
    with pytest.raises(SceneError, match=words):
        parse(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"history": []}, "not one that this program wrote"),
        ({"history": [{"kind": "dream"}]}, "'dream'"),
        ({"history": [{"kind": "import", "frame": [0, 0, 8, 8], "tiles": [[0, 0, "ab"]]}]}, "missing"),
        ({"files": {"ab": "AAAA"}}, "damaged"),
        ({"files": {"ab": "?"}}, "not one that this program wrote"),
    ],
)
def test_a_bad_history_is_refused_with_a_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SceneError, match=words):
        parse({"version": 1, "resolution": 1.0, "history": [{"kind": "erase", "frame": [0, 0, 8, 8]}]} | change)


STEPS: dict[str, dict[str, Any]] = {
    "generate": {"kind": "generate", "frame": [0, 0, 64, 64], "prompt": "forest", "seed": 1, "steps": 2},
    "fill": {"kind": "fill", "frame": [0, 0, 64, 64], "prompts": [{"text": "forest"}], "seed": 1, "steps": 2},
    "import": {"kind": "import", "frame": [0, 0, 8, 8], "source": {"file": "a.png", "sha256": "0"}, "tiles": []},
}


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("generate", {"frame": [0, 0, 64]}, "its frame must be"),
        ("generate", {"frame": [0, 0, 64.5, 64]}, "its frame must be"),
        ("generate", {"frame": ...}, "it has no frame"),
        ("generate", {"seed": -1}, "its seed must be"),
        ("generate", {"seed": "7"}, "its seed must be"),
        ("generate", {"seed": 2**63}, "its seed must be"),
        ("generate", {"feather": 1.5}, "its feather must be"),
        ("generate", {"feather": 65}, "its feather must be"),
        ("generate", {"strength": 0}, "its strength must be"),
        ("generate", {"strength": True}, "its strength must be"),
        ("generate", {"strength": float("nan")}, "its strength must be"),
        ("generate", {"guidance": float("inf")}, "its guidance must be"),
        ("generate", {"prompt": 3}, "its prompt must be"),
        ("generate", {"layer": "thermal"}, "its layer must be"),
        ("generate", {"layer": []}, "its layer must be"),
        ("generate", {"colour": "red"}, "'colour'"),
        ("fill", {"prompts": []}, "1 to 64 prompts"),
        ("fill", {"prompts": ...}, "1 to 64 prompts"),
        ("fill", {"region": [0, 0, 0, 0]}, "no area"),
        ("fill", {"prompts": [{"text": "a", "feather": -1}]}, "feather of prompt 1"),
        ("import", {"source": "a.png"}, "its source must be"),
        ("import", {"source": {"file": 3, "sha256": "0"}}, "its source must be"),
        ("import", {"tiles": ...}, "its tiles must be"),
        ("import", {"tiles": {}}, "its tiles must be"),
        ("import", {"tiles": [[0, 0]]}, "its tiles must be"),
        ("import", {"tiles": [[0.5, 0, "ab"]]}, "its tiles must be"),
        ("import", {"tiles": [[2**40, 0, "ab"]]}, "its tiles must be"),
        ("import", {"tiles": [[0, 0, ["ab"]]]}, "its tiles must be"),
    ],
)
def test_a_step_that_cannot_be_repeated_is_named(kind: str, change: dict[str, Any], words: str) -> None:
    good = STEPS["generate"]
    parse({"version": 1, "resolution": 1.0, "history": [good, STEPS[kind]]})
    bad = {name: value for name, value in (STEPS[kind] | change).items() if value is not ...}
    with pytest.raises(SceneError, match=rf"Step 2 of this recipe .*{words}") as error:
        parse({"version": 1, "resolution": 1.0, "history": [good, bad]})
    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    kind=st.sampled_from(sorted(STEPS)),
    field=st.sampled_from(["frame", "seed", "steps", "feather", "strength", "guidance", "source", "tiles", "prompts",
                           "region", "prompt", "layer", "mask", "sampler", "version"]),
    value=json_values,
)  # fmt: skip
def test_whatever_stands_in_a_step_it_is_read_or_refused_with_a_sentence(kind: str, field: str, value: Any) -> None:
    step = STEPS[kind] | {field: value}
    try:
        history = parse({"version": 1, "resolution": 1.0, "history": [step]}).history
    except SceneError:
        return
    assert parse({"version": 1, "resolution": 1.0, "history": list(history)}).history == history


def test_files_that_are_no_recipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="cannot be read"):
        read(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("{")
    with pytest.raises(SceneError, match="not JSON"):
        read(tmp_path / "text.json")
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    with pytest.raises(SceneError, match="not JSON"):
        read(tmp_path / "binary.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_recipe_from_another_systems_editor_is_read(tmp_path: Path, encoding: str) -> None:
    told = FILL | {"prompts": [{"text": "forêt à l’été"}]}
    (tmp_path / "a.json").write_text(json.dumps(told, ensure_ascii=False), encoding=encoding)
    assert read(tmp_path / "a.json").fill == parse(told).fill


def test_a_prompt_with_a_nul_is_refused() -> None:
    with pytest.raises(SceneError, match="NUL"):
        parse(FILL | {"prompts": [{"text": "a\0forest"}]})


def test_recipes_for_other_scales_and_models_are_refused(scene: Scene, painter: Painter) -> None:
    for change, words in (({"resolution": 2.0}, "2 m/px"), ({"model": "another"}, "another")):
        with pytest.raises(SceneError, match=words):
            fill_of(parse(FILL | change), scene, painter.model)
        with pytest.raises(SceneError, match=words):
            replay(parse(FILL | change), scene, painter.model)
    assert scene.bounds is None


def test_an_empty_scene_has_no_recipe(scene: Scene) -> None:
    with pytest.raises(SceneError, match="no history"):
        recipe_of(scene)


def test_pixels_made_elsewhere_may_differ_and_that_is_said(painter: Painter) -> None:
    recipe = Recipe(1.0, made_on={"device": "cuda", "dtype": "bfloat16"})
    assert "cuda bfloat16" in notes(recipe, painter.model)[0]
