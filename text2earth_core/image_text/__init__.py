"""Image-text models of any kind, what they know without training, and how they find images by captions (Table VI).

Start reading at `measure`, then `models` and `wordings`.
"""
