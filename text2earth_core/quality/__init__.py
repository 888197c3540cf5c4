"""How good an image is, as a number: the improved aesthetic predictor, or sharpness where its weights are not there.

Start reading at `scorers`, then `rows`.
"""
