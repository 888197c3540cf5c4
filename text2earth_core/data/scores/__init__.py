"""How near captions come to references: BLEU, METEOR, ROUGE-L, CIDEr and SPICE, as the COCO tools define them.

Start reading at `metrics`, then `tokens`.
"""
