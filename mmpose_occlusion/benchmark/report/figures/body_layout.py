"""A person on whom figures show joints."""

STANDING: dict[str, tuple[float, float]] = {
    'nose': (0, 8.1),
    'eye': (0.28, 8.45),
    'ear': (0.6, 8.25),
    'shoulder': (1.1, 6.9),
    'elbow': (1.7, 5.3),
    'wrist': (2.0, 3.8),
    'hip': (0.7, 4.1),
    'knee': (0.85, 2.1),
    'ankle': (0.95, 0.2),
    'head_top': (0, 9.1),
    'top_head': (0, 9.1),
    'upper_neck': (0, 7.4),
    'neck': (0, 7.2),
    'thorax': (0, 6.9),
    'pelvis': (0, 4.1),
}
"""A standing figure that faces the reader; the left side is at x > 0."""


def place(joint: str) -> tuple[float, float] | None:
    """Where a joint is on the standing figure; None for unknown ones."""
    side, _, rest = joint.partition('_')
    if side in ('left', 'right') and rest in STANDING:
        x, y = STANDING[rest]
        return (x if side == 'left' else -x, y)
    return STANDING.get(joint)
