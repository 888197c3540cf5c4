"""Measuring a model against real images: one report, and one file for each measurement.

Start reading at `run`, then `measurements` and `report`.
"""
