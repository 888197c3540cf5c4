"""Captions by a language model behind an OpenAI-compatible endpoint: asked for, checked, and reviewed by a person.

Start reading at `run`, then `items` (what is asked about), `protocols` (how), `audit` (what passes) and `journal` (what
is kept). A caption's way: open -> kept | doubtful | unusable; a person may send any of them back to open.
"""
