"""Fixtures of the front doors' tests. Those of the terminal live in `scripted.py`."""

from scripted import offhand

__all__ = ["offhand"]
