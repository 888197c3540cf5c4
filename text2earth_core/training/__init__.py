"""Training: one loop, and one file for each objective (vae, text, diffusion, student).

The unit of progress is samples seen. Start reading at `loop`, then `diffusion`.
"""
