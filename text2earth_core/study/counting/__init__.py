"""Whether a picture holds as many objects as its prompt says, the paper's stated limitation, and a way to that.

Start reading at `words` (a number in a prompt) and `places` (a picture with that many), then `study`.
"""
