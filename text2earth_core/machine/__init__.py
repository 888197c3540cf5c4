"""What a machine has and what a model takes: memory, and how the one is made to suffice for the other.

Start reading at `fit`.
"""
