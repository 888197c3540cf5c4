"""Images to train on: parquet corpora, their captions, and packs small enough to carry.

Start reading at `corpus`, then `captions` and `pack`.
"""
