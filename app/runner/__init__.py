"""The one runner of work on many images, by several processes or a cluster: enhancement, quality scores, hashes.

Start reading at `work` (what is given to whom), then `tables` (what there is to do) and `crew` (who does it).
"""
