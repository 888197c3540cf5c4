"""The page, the HTTP API, the job queue and the command line around a scene.

Importing it loads neither a model nor Gradio; it knows `canvas` and `text2earth_core`, and they do not know it.
Start reading at `app.serve`, then `app.api.server`; `app.work` is what jobs and commands share.
"""
