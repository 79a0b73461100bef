"""How well joints are found: pure functions, and metrics over them."""

from . import metrics

__all__ = ['metrics']
