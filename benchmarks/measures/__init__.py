"""What benchmarks measure beyond the evaluation report: borders of edits, clouds put over images, drift of extensions.

Their tests are in `tests/core`. Start reading at `borders`.
"""
