"""A region of any size, denoised as a whole in bounded memory: its windows, what they see, its workers.

A killed fill goes on (`scene_file.fill_state`). Start reading at `region_fill`, then `grid` and `bands`.
"""
