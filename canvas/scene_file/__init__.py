"""The scene file: its tables, tiles, history, staging and pyramid, and how each kind of change is written into them.

All SQL on a scene is here. Start reading at `schema`, then `database`, `tiles` and `apply`.
"""
