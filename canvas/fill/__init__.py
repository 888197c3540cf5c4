"""A region of any size, denoised as a whole: its windows and prompts, how it goes on phase by phase, its workers.

Memory is bounded, and a killed fill goes on. Start reading at `region_fill`, then `grid` and `bands`.
"""
