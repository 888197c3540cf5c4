"""What a prompt says beside its words."""

import pytest

from text2earth_core import Text2Earth, Text2EarthError
from text2earth_core.prompts import level_note, split_level


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("15_GOOGLE_LEVEL_a forest", ("a forest", 4.0)),
        (" 18_google_level_ a lake", (" a lake", 0.5)),
        ("17_GOOGLE_LEVEL_", ("", 1.0)),
        ("a forest", ("a forest", None)),
        ("level 15 of a car park", ("level 15 of a car park", None)),
    ],
)
def test_a_level_is_taken_off_a_prompt(prompt, found):
    assert split_level(prompt) == found


def test_a_level_is_spoken_of_where_it_does_not_count():
    assert level_note("a forest", 1.0) is None
    assert level_note("15_GOOGLE_LEVEL_a forest", 4.0) is None
    assert "but 2 m/px" in level_note("15_GOOGLE_LEVEL_a forest", 2.0)


@pytest.mark.parametrize("prompt", ["a\0forest", "caf\udce9"])
def test_what_is_no_text_is_refused(prompt):
    model = Text2Earth.from_preset("tiny")
    with pytest.raises(Text2EarthError, match="cannot be written"):
        model.generate(prompt)
    with pytest.raises(Text2EarthError, match="cannot be written"):
        model.generate("a forest", negative_prompt=prompt)


def test_the_words_of_a_level_are_not_unknown_words(tiny_folder):
    assert Text2Earth.from_pretrained(tiny_folder).check_prompt("15_GOOGLE_LEVEL_a beach").unknown == ()
