"""What a model is good for in other people's work: studies with a plan, resumable, each with a report.

Start reading at `augmentation`.
"""
