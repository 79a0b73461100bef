"""Groups of joints under an attack, over which measures are taken."""

import numpy as np

TARGET, BYSTANDER, VISIBLE = 'target', 'bystander', 'visible'

GROUPS = (TARGET, BYSTANDER, VISIBLE)
"""Joints that the attack names and hides, others that it hides, and the rest.
"""


def joint_groups(
    targets: np.ndarray, bystanders: np.ndarray
) -> dict[str, np.ndarray]:
    """Masks of the groups; each joint is in one of them.

    Args:
        targets: ``(N, K)`` bool, joints that were asked for and lie under
            paint.
        bystanders: ``(N, K)`` bool, other joints under paint.
    """
    return {
        TARGET: targets,
        BYSTANDER: bystanders,
        VISIBLE: ~(targets | bystanders),
    }
