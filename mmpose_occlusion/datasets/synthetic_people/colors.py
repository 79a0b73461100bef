"""Colours of skin, hair and things, BGR in 0..1.

Every garment, shoe and object draws from the one distribution of
:func:`sample_cloth_color`: a colour says nothing about the joint under it,
and both sides of a body share their colours.
"""

import colorsys

import numpy as np

# light to dark, RGB in 0..255
SKIN = (
    np.array(
        [
            (255, 224, 196),
            (241, 194, 163),
            (228, 178, 138),
            (198, 141, 98),
            (160, 107, 71),
            (120, 78, 52),
            (84, 54, 38),
        ]
    )
    / 255.0
)

HAIR = (
    np.array(
        [
            (24, 20, 18),
            (45, 32, 24),
            (72, 48, 32),
            (104, 70, 42),
            (150, 108, 62),
            (205, 168, 108),
            (140, 62, 34),
            (132, 130, 128),
            (214, 210, 204),
            (40, 36, 40),
        ]
    )
    / 255.0
)


def sample_skin(rng: np.random.Generator) -> np.ndarray:
    """(3,) a skin colour between two neighbouring tones."""
    place = rng.uniform(0, len(SKIN) - 1)
    i = min(int(place), len(SKIN) - 2)
    rgb = SKIN[i] + (place - i) * (SKIN[i + 1] - SKIN[i])
    return np.clip(rgb * rng.uniform(0.94, 1.06, 3), 0, 1)[::-1].copy()


def sample_hair(rng: np.random.Generator) -> np.ndarray:
    """(3,) a hair colour, rarely a dyed one."""
    if rng.random() < 0.05:
        rgb = np.array(colorsys.hsv_to_rgb(rng.random(), 0.6, 0.7))
    else:
        rgb = HAIR[rng.integers(len(HAIR))]
    return np.clip(rgb * rng.uniform(0.85, 1.15), 0, 1)[::-1].copy()


def sample_cloth_color(rng: np.random.Generator) -> np.ndarray:
    """(3,) a colour of cloth, leather or paint."""
    kind = rng.random()
    if kind < 0.30:  # neutrals
        grey = rng.choice([0.1, 0.2, 0.35, 0.55, 0.75, 0.92])
        rgb = grey + rng.uniform(-0.05, 0.05) + rng.uniform(-0.02, 0.02, 3)
    elif kind < 0.45:  # denim and navy
        rgb = np.array(
            colorsys.hsv_to_rgb(
                rng.uniform(0.57, 0.66),
                rng.uniform(0.35, 0.75),
                rng.uniform(0.22, 0.62),
            )
        )
    elif kind < 0.60:  # earth
        rgb = np.array(
            colorsys.hsv_to_rgb(
                rng.uniform(0.04, 0.14),
                rng.uniform(0.25, 0.6),
                rng.uniform(0.3, 0.8),
            )
        )
    else:
        rgb = np.array(
            colorsys.hsv_to_rgb(
                rng.random(), rng.uniform(0.3, 0.85), rng.uniform(0.3, 0.9)
            )
        )
    return np.clip(rgb, 0.04, 0.96)[::-1].copy()


def contrasting(rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    """(3,) a cloth colour that can be told from ``color``."""
    for _ in range(8):
        other = sample_cloth_color(rng)
        if np.abs(other - color).sum() > 0.5:
            return other
    return 1 - color
