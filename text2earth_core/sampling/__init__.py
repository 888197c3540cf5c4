"""From noise to latents: what the UNet is told, the steps, and how what is made joins what is known.

Noise is passed in. Start reading at `path`, then `conditioning`, `stepper` and `inpainting`.
"""
