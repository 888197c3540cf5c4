"""A region of any size, denoised as a whole: its windows and prompts, its state in the scene file, its workers.

Memory is bounded, and a killed fill goes on. Start reading at `region_fill`, then `grid` and `bands`.
"""
