"""The job queue: its order, its records on disk, and the kinds of jobs, each in a file of its own.

Start reading at `queue` and `scene_jobs`, then `work` (what a kind may do while it runs) and `generate`, the shortest.
"""
