"""Adapters: LoRA on a model's UNet, that make another modality of it or give it a style."""
