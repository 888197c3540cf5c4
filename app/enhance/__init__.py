"""Enhancement of files: one picture, a folder of them, or tables of rows, by several processes or a cluster.

Start reading at `plan`, which says what there is to do, then `crew`, which says who does it.
"""
