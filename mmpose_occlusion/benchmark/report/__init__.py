"""The report: a page, its numbers as JSON, and tables as CSV."""

from .steps import show_steps
from .write import write_report

__all__ = ['show_steps', 'write_report']
