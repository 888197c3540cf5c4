"""The HTTP API, one file for each part of it, and the application that holds them together.

Handlers check, and hand on to jobs and scenes. Start reading at `server`, then `jobs` and `scenes`.
"""
