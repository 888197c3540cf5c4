"""A local page on which a person looks at captions and accepts, corrects or rejects them.

`server` has the routes; the page is in app/static/review.
"""
