"""Pixels for a frame or a mask: which windows are made, in which order, and how they continue what is there.

It reads a scene and returns a change. Start reading at `painter`, then `painting`.
"""
