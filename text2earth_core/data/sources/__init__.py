"""Published data sets in their own layouts: read, checked, and converted to the columns of training.

Start reading at `git10m` (one row) and `tables` (streams of rows), then `faults`, `likeness` and `convert`.
"""
