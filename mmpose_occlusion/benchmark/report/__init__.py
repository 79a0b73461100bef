"""The report of benchmark runs: a page, its numbers as JSON, CSV tables."""

from .progress_lines import show_steps
from .write import write_report

__all__ = ['show_steps', 'write_report']
