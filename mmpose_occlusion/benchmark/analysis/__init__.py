"""Analysis of benchmark runs: functions of the arrays in :mod:`..data`."""

from .analyse import Analysis, analyse
from .attack_costs import ALL_JOINTS, AttackCost, JointChange, JointScores
from .attack_description import AttackDescription, describe, transform_configs
from .bootstrap import DRAWS, Estimate
from .model_comparison import ModelComparison, ModelDifference

__all__ = [
    'ALL_JOINTS',
    'DRAWS',
    'Analysis',
    'AttackCost',
    'AttackDescription',
    'Estimate',
    'JointChange',
    'JointScores',
    'ModelComparison',
    'ModelDifference',
    'analyse',
    'describe',
    'transform_configs',
]
