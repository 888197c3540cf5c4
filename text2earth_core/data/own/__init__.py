"""Images of a user's own, in whatever layout they lie: images with captions, tables, or GeoTIFFs with class maps.

Start reading at `folder`.
"""
