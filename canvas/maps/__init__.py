"""Maps and images out of a scene and onto it: formats, coordinate systems, placement.

Everything is windowed. Start reading at `export` and `import_image`.
"""
