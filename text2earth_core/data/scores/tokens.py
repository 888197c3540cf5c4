"""Captions as the words that the COCO tools compare: Penn Treebank tokens in lower case, without punctuation.

The reference is Stanford's PTBTokenizer, a Java program. `split` follows its rules as far as English captions need them
(contractions, abbreviations, numbers, quotes, brackets, dashes), so that figures need no Java.
"""

from __future__ import annotations

import re

PUNCTUATION = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])
"""What the COCO tools leave out. Brackets stay, as "-lrb-" and so on: their list has those in upper case."""

_ABBREVIATIONS = (
    "dr mr mrs ms prof st mt vs etc ft ave blvd rd jan feb mar apr jun jul aug sep sept oct nov dec inc corp co ltd "
    "al est cf gen gov sen jr sr"
).replace(" ", "|")

_TOKEN = re.compile(
    rf"""
      (?P<tag></?[a-z][^<>\s]*>)
    | (?P<address>https?://\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<letters>(?:[^\W\d_]\.)+(?=[\s,;:!?)-]|$)-?(?:(?<=-)\w+(?:-\w+)*)?|(?:[^\W\d_]\.){{2,}})
    | (?P<short>\b(?:{_ABBREVIATIONS})\.(?!\w)|\bno\.(?=\s+\d))
    | (?P<contracted>\b[^\W\d_]+(?=n['’]t\b)|\b(?:can(?=not\b)|(?:gon|wan)(?=na\b)|got(?=ta\b)))
    | (?P<ending>n['’]t\b|(?<=can)not\b|(?<=gon)na\b|(?<=wan)na\b|(?<=got)ta\b|(?<=\w)['’](?:s|re|ve|ll|d|m)\b)
    | (?P<decade>['’]\d0s\b)
    | (?P<number>\d+(?:[.,:/]\d+)+(?:-\w+)*(?!\w))
    | (?P<word>\w+(?:(?:[-/.]|['’](?!(?:s|re|ve|ll|d|m|t)\b))\w+)*)
    | (?P<dots>\.\.\.+)
    | (?P<dash>--+|[–—])
    | (?P<asked>[!?]{{2,}})
    | (?P<sign>\S)
    """,
    re.VERBOSE,
)

_RAISED = re.compile("([²³])")

_SIGNS = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-", "–": "--", "—": "--",
    "“": "``", "”": "''", '"': "''", "‘": "`", "’": "'", "£": "#", "€": "$", "¢": "cents",
    "½": "1/2", "¼": "1/4", "¾": "3/4",
}  # fmt: skip


def split(caption: str) -> list[str]:
    """The tokens of a caption, punctuation left out."""
    found = (_SIGNS.get(token, token) for token in _raw(caption.lower()))
    return [token for token in found if token not in PUNCTUATION]


def _raw(text: str) -> list[str]:
    tokens = []
    for match in _TOKEN.finditer(_RAISED.sub(r" \1 ", text)):
        token = match[0]
        if match.lastgroup in ("dots", "dash"):
            token = "..." if match.lastgroup == "dots" else "--"
        tokens.append(token.replace("’", "'") if len(token) > 1 else token)
    return tokens
