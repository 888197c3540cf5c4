"""The ways in which captions are asked for: Text2Earth's of images, and both of ChatEarthNet's of land-cover maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from text2earth_core.data.annotation.audit import Rules
from text2earth_core.data.annotation.items import Item
from text2earth_core.data.landcover.instructions import (
    COLOUR_WORDS,
    FORBIDDEN_4V,
    FORBIDDEN_35,
    SYSTEM_35,
    system_4v,
)

SYSTEM_IMAGES = """\
You write captions for images of the earth taken from aircraft and satellites; a model will learn from them to draw \
such images. Answer with one paragraph of English prose of 20 to 80 words and with nothing else.
Rules:
- Say what is there: land cover, objects and how many or how dense, colours, shapes, textures, and where in the image.
- Use what you are told of place, resolution and class to understand the image. Name no place, coordinate or date.
- Do not guess what cannot be seen, do not judge the image, and use no word like: possibly, likely, perhaps.
- Write no digits but those that you were told."""

FORBIDDEN_IMAGES = ("possibly", "likely", "perhaps", "presumably", "probably", "maybe")


@dataclass(frozen=True)
class Protocol:
    """How a caption is asked for and what it must be.

    Args:
        system: the instruction for a request with so many items.
        tokens: most tokens of one caption.
        together: most items in one request.
        seen: the model gets images.
    """

    name: str
    system: Callable[[int], str]
    rules: Rules
    tokens: int
    together: int = 1
    seen: bool = True

    def with_forbidden(self, words: tuple[str, ...]) -> Protocol:
        """The same with more words that no caption may use."""
        return replace(self, rules=self.rules.with_forbidden(words))


IMAGES = Protocol("text2earth", lambda count: SYSTEM_IMAGES, Rules((8, 120), FORBIDDEN_IMAGES), tokens=300)

MAPS_35 = Protocol(
    "chatearthnet-35", lambda count: SYSTEM_35, Rules((30, 260), FORBIDDEN_35, numbers=False), tokens=450, seen=False
)

MAPS_4V = Protocol(
    "chatearthnet-4v", system_4v, Rules((30, 260), (*FORBIDDEN_4V, *COLOUR_WORDS), numbers=False), tokens=450,
    together=4,
)  # fmt: skip

EXAMPLES = 3
"""Corrections of a person that are shown as examples, the newest."""

EXAMPLE_CHARACTERS = 1200


def messages(
    protocol: Protocol, items: Sequence[Item], remarks: Sequence[str], examples: Sequence[str] = ()
) -> list[dict[str, object]]:
    """A request in the words of the chat API.

    Args:
        items: one, or as many as the protocol allows.
        remarks: for each what was wrong with an earlier answer, "" where there was none.
        examples: captions that a person wrote, to be written alike.
    """
    system = protocol.system(len(items))
    if examples:
        shown = "\n\n".join(example[:EXAMPLE_CHARACTERS] for example in examples[-EXAMPLES:])
        system = f"{system}\n\nWrite in the manner of these, which are about something else:\n\n{shown}"
    content: list[dict[str, object]] = []
    for number, (item, remark) in enumerate(zip(items, remarks, strict=True), 1):
        text = f"Map {number}:\n{item.text}" if len(items) > 1 else item.text
        content.append({"type": "text", "text": f"{text}\n\n{remark}" if remark else text})
        if protocol.seen:
            content.append({"type": "image_url", "image_url": {"url": item.data_url}})
    # Servers of text models take a text alone.
    said: object = content if protocol.seen else "\n\n".join(str(part["text"]) for part in content)
    return [{"role": "system", "content": system}, {"role": "user", "content": said}]
