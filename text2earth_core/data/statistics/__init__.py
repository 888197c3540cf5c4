"""What a data set holds, as figures and as a report: places, resolutions, quality, captions, words, classes.

Start reading at `figures`, then `columns` (what is read of a table) and `report`.
"""
