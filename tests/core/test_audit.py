"""What the audit of captions finds, and what it lets pass."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from tests.conftest import find_data
from text2earth_core.data.annotation.audit import Rules, audit, is_english, plain
from text2earth_core.data.annotation.items import Item
from text2earth_core.data.annotation.protocols import IMAGES, MAPS_4V, MAPS_35
from text2earth_core.data.annotation.run import split

RULES = Rules((4, 40), ("possibly", "appear", "change", "color dictionary"))
ITEM = Item(0, {}, "One pixel covers 0.5 m. Class: 12 houses.", absent=("snow", "tree"))


def reasons(caption: str, rules: Rules = RULES, item: Item = ITEM, cut: bool = False) -> list[str]:
    return [fault.reason for fault in audit(caption, item, rules, cut)]


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("", "empty"), (" \n", "empty"), ("...", "empty"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("I’m sorry, I cannot view images.", "refusal"),
        ("As an AI language model I do not see pictures.", "refusal"),
        ("No image was provided to describe.", "refusal"),
        ("A river.", "too short"),
        ("Fields, roads and houses lie on both sides of the river, and " * 4 + "so on.", "too long"),
        ("Une rivière traverse des champs verts.", "other language"),
        ("Ein Fluss zwischen grünen Feldern.", "other language"),
        ("河流穿过绿色的田野和森林", "other language"),
        ("Sure, here is what the picture shows.", "speaks to the asker"),
        ("Description: a river between green banks.", "speaks to the asker"),
        ("The fields possibly belong to a farm.", "forbidden word"),
        ("A lake appears beside the road.", "forbidden word"),
        ("The changing fields lie beside the road.", "forbidden word"),
        ("It uses the color dictionary here.", "forbidden word"),
        ("Compared to the first image, the river is wide.", "comparison between images"),
        ("The second map shows a lake in the north.", "comparison between images"),
        ("Unlike the previous one, water lies here.", "comparison between images"),
        ("Similarly, grass covers most of the ground.", "comparison between images"),
        ("In both images there is a lake.", "comparison between images"),
        ("Image two is a lake with an island.", "comparison between images"),
        ("About 30 houses stand by a road.", "number without source"),
        ("A lake of 1.5 hectares lies here.", "number without source"),
        ("Snow covers the ground by the road.", "land cover that is not there"),
        ("A dense forest grows by the road.", "land cover that is not there"),
        ("The river is wide and calm. The river is wide and calm. Fields lie there.", "repeats itself"),
    ],
)  # fmt: skip
def test_each_fault_is_found_and_no_other(caption: str, reason: str) -> None:
    assert reasons(caption) == [reason]


@pytest.mark.parametrize(
    "caption",
    [
        "A river between green banks, with farmland on both sides.", "There are 12 houses, and a pixel covers 0.50 m.",
        "The water is blue, like a mirror, in the image.", "The first row of houses is smaller than the second row.",
        "Both sides of the river are covered by grass, compared to the bare top right.",
        "This image shows a small harbour.",
        "A likely-named place is not forbidden here, nor is a wide apple orchard.",
        "The whole scene is a patchwork of fields and two lakes.",
    ],
)  # fmt: skip
def test_good_captions_pass(caption: str) -> None:
    assert reasons(caption) == []


def test_a_cut_answer_is_told_as_such() -> None:
    assert reasons("A river between green banks, with", cut=True) == ["cut off"]


def test_chatearthnets_versions_forbid_what_the_paper_forbids() -> None:
    said = "The ground is covered by crop in a grid of rectangles, beside developed area along a line of water. " * 2
    item = Item(0, {}, "crop: 0.50", absent=())
    for word, rules in [
        ("perhaps", MAPS_35.rules), ("context", MAPS_35.rules), ("segmentation", MAPS_35.rules),
        ("dynamics", MAPS_4V.rules), ("yellow", MAPS_4V.rules), ("transitioning", MAPS_4V.rules),
    ]:  # fmt: skip
        assert reasons(f"{said} It is {word} as well.", rules, item) == ["forbidden word", "repeats itself"], word
    # Figures of the tables are not to be repeated, although they were told.
    assert "number without source" in reasons(f"{said} It is 0.50.", MAPS_4V.rules, item)
    assert reasons("A yellow field lies beside a blue lake and a road.", IMAGES.rules, item) == []


@pytest.mark.needs_data
def test_captions_that_people_wrote_are_taken_for_english() -> None:
    data = find_data()
    assert data is not None
    rows = pq.read_table(data / "rsicd.parquet", columns=["captions"]).column(0).to_pylist()
    captions = sorted({caption for row in rows for caption in row if caption.count(" ") >= 3})[::20]
    assert len(captions) > 500
    assert [caption for caption in captions if not is_english(caption)] == []


def test_words_alone_decide_what_a_duplicate_is() -> None:
    assert plain("A river, wide; calm!") == plain("a River wide calm") != plain("a river wide and calm")


def test_answers_about_several_maps_are_told_apart() -> None:
    four = ["Water lies in the north.", "Trees cover it.", "A town by a lake.", "Bare land."]
    for text in ("\n\n".join(four), "\n".join(four), "**Map 1:** " + "\n\n**Map 2:** ".join(four),
                 "\n\n".join(f"Image {n}\n: {one}" for n, one in enumerate(four, 1)),
                 "\n\n".join(f"{n}. {one}" for n, one in enumerate(four, 1)),
                 "\n\n".join(f"### Map {n}:\n\n{one}" for n, one in enumerate(four, 1))):  # fmt: skip
        assert split(text, 4) == four, text
    assert split("\n\n".join(four[:3]), 4) == []
    assert split("Water lies\nin the north.\n\nTrees too.", 1) == ["Water lies in the north. Trees too."]
