"""The canonical template under its first address; `recorders.templates` has them all."""

from recorders.templates import CANONICAL_TEMPLATE

__all__ = ["CANONICAL_TEMPLATE"]
