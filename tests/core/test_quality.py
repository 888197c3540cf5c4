"""Quality scores: the row's own, the aesthetic predictor's in its published layouts, or sharpness, each by its name."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from tests.app.command_line import result, run
from text2earth_core.data.corpus import load_corpus
from text2earth_core.data.statistics.figures import figures_of
from text2earth_core.errors import Text2EarthError
from text2earth_core.quality.aesthetic import fold
from text2earth_core.quality.scorers import AESTHETIC, GIVEN, SHARPNESS, Sharpness


def picture(seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return cv2.resize(coarse, (72, 64), interpolation=cv2.INTER_CUBIC)


def encoded(pixels: np.ndarray) -> dict[str, Any]:
    return {"bytes": cv2.imencode(".png", pixels[..., ::-1])[1].tobytes(), "path": "a.png"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CLIP in the layout of ViT-L/14's, with its 768 numbers an image."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14,
        projection_dim=768,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("clip")
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def head_layers() -> torch.nn.Sequential:
    """The improved predictor's layers, as its authors' program has them."""
    torch.manual_seed(1)
    sizes = (768, 1024, 128, 64, 16, 1)
    linear = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    dropout = torch.nn.Dropout()
    return torch.nn.Sequential(
        linear[0], dropout, linear[1], dropout, linear[2], dropout, linear[3], linear[4]
    ).eval()  # fmt: skip


def test_a_head_of_several_layers_is_one_layer() -> None:
    layers = head_layers()
    tensors = {f"layers.{name}": tensor for name, tensor in layers.state_dict().items()}
    weight, bias = fold(tensors, Path("head"))
    given = torch.randn(5, 768)
    assert torch.allclose((given.double() @ weight.T + bias).float(), layers(given), atol=1e-5)
    single = torch.nn.Linear(768, 1).state_dict()
    assert torch.equal(fold(dict(single), Path("head"))[0].float(), single["weight"])
    for wrong in ({}, {"weight": torch.zeros(2, 768), "bias": torch.zeros(2)}, {"layers.0.weight": torch.zeros(1, 8)},
                  {"layers.0.weight": torch.zeros(4, 8), "layers.0.bias": torch.zeros(4),
                   "layers.2.weight": torch.zeros(1, 5), "layers.2.bias": torch.zeros(1)}):  # fmt: skip
        with pytest.raises(Text2EarthError, match="holds no head"):
            fold(wrong, Path("head"))


def test_the_predictors_scores_are_those_of_its_parts(clip: Path, tmp_path: Path) -> None:
    from transformers import CLIPImageProcessor, CLIPVisionModelWithProjection

    layers = head_layers()
    torch.save({f"layers.{name}": one for name, one in layers.state_dict().items()}, tmp_path / "head.pth")
    rows = [
        {"image": encoded(cv2.resize(picture(n), (28, 28), interpolation=cv2.INTER_AREA)), "img_name": str(n)}
        for n in range(3)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    arguments = ["data", "quality", tmp_path / "in.parquet", tmp_path / "out.parquet", "--clip", clip, "--workers", "1"]
    refused = run(*arguments, "--weights", tmp_path / "head.pth")
    assert (refused.returncode, "is a pickle" in refused.stderr) == (1, True)
    told = result(*arguments, "--weights", tmp_path / "head.pth", "--allow-pth", "--device", "cpu")
    assert (told["scored_by"], told["images"], told["good"]) == (AESTHETIC, 3, 3)

    processor = CLIPImageProcessor(size={"shortest_edge": 28}, crop_size=28)
    network = CLIPVisionModelWithProjection.from_pretrained(clip).eval()
    images = [cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), 1)[..., ::-1].copy() for row in rows]
    with torch.no_grad():
        found = network(**processor(images, return_tensors="pt")).image_embeds
        expected = layers(found / found.norm(dim=-1, keepdim=True)).flatten().tolist()
    made = pq.read_table(tmp_path / "out.parquet")
    assert made["img_quality_score"].to_pylist() == pytest.approx(expected, abs=1e-4)
    assert set(made["img_quality_by"].to_pylist()) == {AESTHETIC}


def test_sharpness_falls_with_blur() -> None:
    scores = [Sharpness().score(cv2.GaussianBlur(picture(1), (0, 0), sigma)) for sigma in (0.3, 1, 2, 4)]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] < scores[0] < 1
    assert Sharpness().score(np.zeros((40, 40, 3), np.uint8)) == 0
    assert Sharpness().score(picture(1)[:2]) == 0


def test_own_scores_stay_others_are_made_and_no_row_is_lost(tmp_path: Path) -> None:
    rows = [{"image": encoded(picture(n)), "img_name": str(n)} for n in range(6)]
    rows[1]["image"], rows[4]["image"] = {"bytes": b"junk", "path": ""}, None
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet", row_group_size=2)
    told = run("data", "quality", tmp_path / "in", tmp_path / "one", "--workers", "1", "--json")
    assert json.loads(told.stdout)["faults"] == {"image cannot be decoded": 1, "no image": 1}
    assert "4.8 does not apply" in told.stderr
    two = result("data", "quality", tmp_path / "in", tmp_path / "two", "--workers", "2")
    assert (two["images"], two["good"], two["scored_by"]) == (6, 4, SHARPNESS)
    made = pq.read_table(tmp_path / "one" / "a.parquet")
    assert made.equals(pq.read_table(tmp_path / "two" / "a.parquet"))
    assert made["img_name"].to_pylist() == [str(n) for n in range(6)]
    assert [score is None for score in made["img_quality_score"].to_pylist()] == [n in (1, 4) for n in range(6)]
    assert "6 of 6 images are there already" in run("data", "quality", tmp_path / "in", tmp_path / "one").stderr

    own = [
        row | {"img_quality_score": score}
        for row, score in zip(rows, ("4.9", "5", "4.7", "?", "4.6", "6"), strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(own), tmp_path / "own.parquet")
    kept = result("data", "quality", tmp_path / "own.parquet", tmp_path / "kept.parquet", "--workers", "1")
    assert (kept["scored_by"], kept["faults"]) == (GIVEN, {"no score": 1})
    assert pq.read_table(tmp_path / "kept.parquet")["img_quality_score"].to_pylist() == [4.9, 5, 4.7, None, 4.6, 6]


def test_scores_before_and_after_are_kept_where_they_are_of_one_kind(tmp_path: Path) -> None:
    """As after an enhancement: scored, made sharper, and scored again."""
    blurred = [cv2.GaussianBlur(picture(n), (0, 0), 2) for n in range(4)]
    pq.write_table(pa.Table.from_pylist([{"image": encoded(one)} for one in blurred]), tmp_path / "in.parquet")
    result("data", "quality", tmp_path / "in.parquet", tmp_path / "scored.parquet", "--workers", "1")
    table = pq.read_table(tmp_path / "scored.parquet")
    sharper = pa.Table.from_pylist(
        [row | {"image": encoded(picture(n))} for n, row in enumerate(table.to_pylist())], table.schema
    )
    pq.write_table(sharper, tmp_path / "sharper.parquet")
    result("data", "quality", tmp_path / "sharper.parquet", tmp_path / "again.parquet", "--rescore", "--workers", "1")
    again = pq.read_table(tmp_path / "again.parquet")
    assert again["img_quality_score_before"].to_pylist() == table["img_quality_score"].to_pylist()
    (figures,) = figures_of([str(tmp_path / "again.parquet")])
    assert figures["quality"]["mean"] > figures["quality_before"]["mean"]

    given = sharper.set_column(sharper.schema.get_field_index("img_quality_by"), "img_quality_by", [[GIVEN] * 4])
    pq.write_table(given, tmp_path / "given.parquet")
    result("data", "quality", tmp_path / "given.parquet", tmp_path / "other.parquet", "--rescore", "--workers", "1")
    assert pq.read_table(tmp_path / "other.parquet")["img_quality_score_before"].to_pylist() == [None] * 4


def test_training_takes_images_above_a_score(tmp_path: Path) -> None:
    rows = [
        {"image": encoded(picture(n)), "label": str(n), "captions": [], "resolution": 1.0, "split": "train",
         "quality": score}
        for n, score in enumerate([4.7, 4.81, None, 6.0])
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "mine.parquet")
    assert [one.label for one in load_corpus(tmp_path, min_quality=4.8)] == ["1", "3"]
    assert len(load_corpus(tmp_path)) == 4
    with pytest.raises(Text2EarthError, match="whose quality is above 7"):
        load_corpus(tmp_path, min_quality=7)


def test_hashes_spare_a_check_the_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sea = np.full((64, 64, 3), (10, 40, 90), np.uint8)
    images = [encoded(picture(0)), encoded(picture(1)), {"bytes": b"junk"}, None, encoded(sea), encoded(picture(0))]
    pq.write_table(
        pa.Table.from_pylist([{"image": one, "img_name": "a", "caption": "b"} for one in images]),
        tmp_path / "in.parquet",
    )
    plain = result("data", "check", tmp_path / "in.parquet")
    told = result("data", "hash", tmp_path / "in.parquet", tmp_path / "out.parquet", "--workers", "1")
    assert told["faults"] == {"image is damaged": 1, "no image": 1, "near-uniform sea": 1}
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 6

    def decode(data: bytes, place: str) -> np.ndarray:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("text2earth_core.data.sources.faults.decode_image", decode)
    hashed = result("data", "check", tmp_path / "out.parquet")
    assert {key: hashed[key] for key in ("rows", "good", "faults")} == {
        key: plain[key] for key in ("rows", "good", "faults")
    }


def test_mistakes_are_one_sentence(clip: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array([b"x"])}), tmp_path / "a.parquet")
    (tmp_path / "none").mkdir()
    save_file({"weight": torch.zeros(1, 512), "bias": torch.zeros(1)}, tmp_path / "small.safetensors")
    good, small = tmp_path / "a.parquet", ("--weights", tmp_path / "small.safetensors", "--clip")
    for source, out, more, words in (
        (tmp_path / "none", tmp_path / "o", (), "holds no tables"), (good, good, (), "choose another place"),
        (tmp_path / "no.parquet", tmp_path / "o", (), "no file or folder"),
        (good, tmp_path / "o.parquet", (*small, clip), "wants 512 numbers"),
        (good, tmp_path / "o.parquet", (*small, tmp_path / "none"), "CLIP cannot be had"),
    ):  # fmt: skip
        done = run("data", "quality", source, out, *more)
        assert (done.returncode, words in done.stderr) == (1, True), done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
