"""What the server holds while it runs: scene files, the one model, and the streams of events to pages.

Each is made once, by `app.api.server`. Start reading at `library`.
"""
