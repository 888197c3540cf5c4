"""Words from land-cover maps, after ChatEarthNet: prompts for language models, and captions without one.

Start reading at `classes` and `algorithms`, then `maps`.
"""
