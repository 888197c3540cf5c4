"""The layers of a scene: kinds of pixels (modalities) on one grid."""

LAYERS = {"rgb": 3}
"""name: samples per pixel, uint8 each."""
