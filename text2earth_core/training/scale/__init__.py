"""Training on data sets that no memory holds, on several processes: rows streamed, and any run resumed exactly.

Start reading at `pretrain`, then `rows`.
"""
