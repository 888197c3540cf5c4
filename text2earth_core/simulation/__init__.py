"""Pictures of other modalities, simulated from colours by small networks that were trained on real pairs."""
