"""The report: a page, its numbers as JSON, and tables as CSV."""

from .write import write_report

__all__ = ['write_report']
