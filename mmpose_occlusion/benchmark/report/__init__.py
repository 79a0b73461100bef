"""The report of benchmark runs: a page, its numbers as JSON, CSV tables."""

from .write import write_report

__all__ = ['write_report']
