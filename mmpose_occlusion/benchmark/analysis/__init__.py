"""What a benchmark's predictions say: pure functions over its arrays."""

from .analyse import Analysis, analyse
from .bootstrap import Estimate

__all__ = ['Analysis', 'Estimate', 'analyse']
