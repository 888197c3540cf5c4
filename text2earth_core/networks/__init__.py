"""The networks and what each is made of: autoencoder, towers, student, tokenizer, and the presets of their sizes.

No sampling and no training. Start reading at `presets` and `build`, then `thumbnail_vae` and `towers`.
"""
