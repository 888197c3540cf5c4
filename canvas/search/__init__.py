"""Finding places of a scene by what a text says: tiles are looked at once, and the scene file remembers them.

Start reading at `find`; what is remembered is owned by `canvas.scene_file.vectors`.
"""
