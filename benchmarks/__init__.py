"""Measurements: each file prints its figures beside those of peers, from one run."""
