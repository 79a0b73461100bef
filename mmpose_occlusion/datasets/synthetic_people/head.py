"""The solids of a head. Local unit: the head's height, chin to crown."""

import numpy as np

from .body import SIDES, SIGN, Segment
from .patterns import choose, plain
from .raster import Solid
from .wardrobe import Outfit

EYE = np.array([0.16, 0.46, 0.305])
NOSE = np.array([0.0, 0.335, 0.455])
EAR = np.array([0.355, 0.42, -0.02])
CROWN = np.array([0.0, 1.0, -0.04])
CHIN_BACK = np.array([0.0, 0.0, -0.05])
SKULL = np.array([0.0, 0.60, -0.055])
SKULL_RADII = np.array([0.345, 0.40, 0.41])


def head_points(head: Segment, size: float) -> dict[str, np.ndarray]:
    """Nose, eyes, ears and crown (``head_top``) in the body frame."""
    points = {
        'nose': head.at(*(NOSE * size)),
        'head_top': head.at(*(CROWN * size)),
    }
    for side in SIDES:
        mirror = np.array([SIGN[side], 1, 1])
        points[f'{side}_eye'] = head.at(*(EYE * mirror * size))
        points[f'{side}_ear'] = head.at(*(EAR * mirror * size))
    return points


class _HeadParts:
    """Makes solids in the head's frame, scaled to heads."""

    def __init__(self, head: Segment, size: float) -> None:
        self.head = head
        self.size = size
        self.solids: list[Solid] = []

    def ball(self, tag, place, radii, paint, keep=(), gloss=0.0):
        """An ellipsoid; ``keep`` is in units of its radii."""
        self.solids.append(
            Solid(
                tag,
                self.head.at(*(np.asarray(place) * self.size)),
                self.head.axes * (np.asarray(radii, float) * self.size),
                np.zeros(3),
                np.zeros(3),
                1.0,
                1.0,
                paint,
                [(np.asarray(n, float), d) for n, d in keep],
                gloss,
            )
        )

    def cone(self, tag, a, b, ra, rb, paint, flat=1.0, keep=(), gloss=0.0):
        """A round cone, squeezed front to back by ``flat``."""
        squeeze = np.array([1, 1, flat])
        self.solids.append(
            Solid(
                tag,
                self.head.origin,
                self.head.axes * (squeeze * self.size),
                np.asarray(a, float) / squeeze,
                np.asarray(b, float) / squeeze,
                ra,
                rb,
                paint,
                [(np.asarray(n, float), d) for n, d in keep],
                gloss,
            )
        )


def head_solids(head: Segment, size: float, outfit: Outfit) -> list[Solid]:
    """Skull, jaw, face, ears, hair and hat."""
    parts = _HeadParts(head, size)
    skin = plain(outfit.skin)
    hair = _strands(outfit.hair, outfit.hair_style == 'curly')
    parts.ball('head', SKULL, SKULL_RADII, skin, gloss=0.06)
    jaw = skin
    if outfit.beard:
        top = 0.16 + 0.16 * outfit.beard

        def bearded(q: np.ndarray) -> np.ndarray:
            mouth = (np.abs(q[0]) < 0.13) & (np.abs(q[1] - 0.185) < 0.04)
            cheek = top - 0.7 * np.maximum(0.2 - q[2], 0)
            return (q[1] < cheek) & ~mouth

        jaw = choose(bearded, hair, skin)
    parts.cone(
        'head',
        (0, 0.57, 0.035),
        (0, 0.21, 0.13),
        0.325,
        0.22,
        jaw,
        gloss=0.05,
    )
    _face(parts, outfit, skin)
    _hair(parts, outfit, hair)
    _hat(parts, outfit)
    return parts.solids


def _face(parts: _HeadParts, outfit: Outfit, skin) -> None:
    white = plain(np.array([0.93, 0.95, 0.96]))
    iris = plain(outfit.iris)
    brow = plain(np.clip(outfit.hair * 0.8, 0, 1))
    lips = plain(outfit.lips)
    shade = plain(outfit.skin * 0.88)
    for side in SIDES:
        sign = SIGN[side]
        mirror = np.array([sign, 1, 1])
        parts.ball(
            f'{side}_eye',
            EYE * mirror - (0, 0, 0.025),
            (0.08, 0.045, 0.045),
            white,
        )
        parts.ball(
            f'{side}_eye',
            EYE * mirror - (0.008 * sign, 0, 0.006),
            (0.042, 0.044, 0.036),
            iris,
            gloss=0.5,
        )
        inner = np.array([0.085 * sign, 0.562, 0.353])
        outer = np.array([0.25 * sign, 0.560, 0.25])
        parts.cone('head', inner, outer, 0.019, 0.014, brow)
        parts.ball(f'{side}_ear', EAR * mirror, (0.05, 0.105, 0.07), skin)
        parts.ball(
            f'{side}_ear',
            EAR * mirror + (0.022 * sign, 0, 0.01),
            (0.035, 0.07, 0.045),
            shade,
        )
    parts.cone(
        'nose',
        (0, 0.50, 0.345),
        (0, 0.345, 0.405),
        0.032,
        0.05,
        skin,
        gloss=0.08,
    )
    parts.ball(
        'nose', NOSE - (0, 0.008, 0.035), (0.07, 0.048, 0.05), skin, gloss=0.08
    )
    parts.ball('head', (0, 0.185, 0.315), (0.12, 0.030, 0.045), lips)


def _strands(color: np.ndarray, curly: bool):
    base = color.astype(np.float32)[:, None]

    def paint(q: np.ndarray) -> np.ndarray:
        x, y, z = q
        if curly:
            wave = np.sin(13 * x) * np.sin(12 * y + 1) * np.sin(11 * z + 2)
        else:
            wave = np.sin(17 * x + 4 * np.sin(3 * y)) * np.cos(9 * z)
        return base * (1 + 0.22 * wave)

    return paint


def _hair(parts: _HeadParts, outfit: Outfit, hair) -> None:
    style = outfit.hair_style
    if style == 'bald':
        return
    grow = {'cropped': 1.03, 'short': 1.09, 'curly': 1.24}.get(style, 1.09)
    radii = SKULL_RADII * grow
    # In units of the radii: the cap ends at a hairline that runs from the
    # forehead (high, in front) to the nape (low, behind).
    drop = {'cropped': -0.10, 'bob': -0.3, 'long': -0.3}.get(style, -0.2)
    slope = (
        np.array([0, -1, 0.9]) if style != 'curly' else np.array([0, -1, 0.95])
    )
    front = 0.13 - 0.35 * outfit.fringe
    parts.ball(
        'hair', SKULL, radii, hair, keep=[(slope, -drop - front)], gloss=0.12
    )
    if style in ('bob', 'long'):
        low = 0.12 if style == 'bob' else -0.38
        for side in SIDES:
            sign = SIGN[side]
            parts.cone(
                'hair',
                (0.29 * sign, 0.64, -0.06),
                (0.30 * sign, low + 0.1, -0.10),
                0.10,
                0.085,
                hair,
                flat=2.0,
                gloss=0.1,
            )
        parts.cone(
            'hair',
            (0, 0.60, -0.20),
            (0, low, -0.22),
            0.35,
            0.29,
            hair,
            flat=0.72,
            gloss=0.1,
        )
    if style == 'bun':
        parts.ball(
            'hair', (0, 0.95, -0.38), (0.17, 0.17, 0.17), hair, gloss=0.1
        )
    if style == 'ponytail':
        parts.cone(
            'hair',
            (0, 0.80, -0.50),
            (0, 0.1, -0.62),
            0.12,
            0.07,
            hair,
            gloss=0.1,
        )


def _hat(parts: _HeadParts, outfit: Outfit) -> None:
    paint = outfit.hat_paint
    if outfit.hat == 'beanie':
        parts.ball(
            'hat',
            SKULL + (0, 0.03, 0),
            SKULL_RADII * 1.15,
            paint,
            keep=[(np.array([0, -1, 0.12]), -0.22)],
        )
    if outfit.hat in ('cap', 'brim'):
        parts.ball(
            'hat',
            SKULL + (0, 0.02, 0),
            SKULL_RADII * 1.13,
            paint,
            keep=[(np.array([0, -1, 0]), -0.30)],
        )
    if outfit.hat == 'cap':
        parts.ball('hat', (0, 0.735, 0.42), (0.28, 0.03, 0.26), paint)
    if outfit.hat == 'brim':
        parts.ball('hat', (0, 0.735, -0.02), (0.68, 0.035, 0.70), paint)
