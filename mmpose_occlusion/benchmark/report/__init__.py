"""The report of benchmark runs: a page, its numbers as JSON, CSV tables."""

from .write import show_steps, write_report

__all__ = ['show_steps', 'write_report']
