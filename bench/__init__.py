"""Measurements of the real product, each beside the floor that the machine itself sets: `python -m bench`."""
