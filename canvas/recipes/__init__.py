"""Recipes: small JSON files that rebuild a scene, or fill a region.

Start reading at `recipe`, which has both forms; `replay` makes a scene of one.
"""
