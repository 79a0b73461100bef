"""Analysis of benchmark runs: functions of the arrays in :mod:`..data`."""

from .analyse import Analysis, analyse
from .attack_costs import ALL_JOINTS, AttackCost, JointChange, JointScores
from .attack_description import (
    AT_TARGET,
    KEYPOINT,
    OTHER,
    PART,
    RANDOM,
    USUAL_SIZE,
    AttackDescription,
    describe,
    transform_configs,
)
from .attack_groups import (
    MEAN,
    ControlComparison,
    MovementMatrix,
    SeverityCurve,
)
from .bootstrap import DRAWS, LEVEL, Estimate
from .error_types import ERROR_TYPES
from .model_comparison import CLEAN, ModelComparison, ModelDifference
from .natural_occlusion import SeverityMatch
from .run_measures import LOWER_IS_BETTER
from .score_quality import COVERAGES, PooledScores, ScoreQuality

__all__ = [
    'ALL_JOINTS',
    'AT_TARGET',
    'CLEAN',
    'COVERAGES',
    'DRAWS',
    'ERROR_TYPES',
    'KEYPOINT',
    'LEVEL',
    'LOWER_IS_BETTER',
    'MEAN',
    'OTHER',
    'PART',
    'RANDOM',
    'USUAL_SIZE',
    'Analysis',
    'AttackCost',
    'AttackDescription',
    'ControlComparison',
    'Estimate',
    'JointChange',
    'JointScores',
    'ModelComparison',
    'ModelDifference',
    'MovementMatrix',
    'PooledScores',
    'ScoreQuality',
    'SeverityCurve',
    'SeverityMatch',
    'analyse',
    'describe',
    'transform_configs',
]
