"""Things that stand about, drawn flat: behind people, under them, before
them."""

import cv2
import numpy as np

from .colors import sample_cloth_color

KINDS = ('crate', 'table', 'armchair', 'plant', 'post', 'board', 'ball')


def draw_thing(
    rng: np.random.Generator,
    canvas: np.ndarray,
    base: tuple[float, float],
    unit: float,
) -> np.ndarray:
    """Draw a thing.

    Args:
        canvas: (H, W, 3) uint8 BGR, modified.
        base: Where it stands: (x, y) of the middle of its foot, in samples.
        unit: A person's stature there, in samples.

    Returns:
        (H, W) bool mask of the pixels it covers.
    """
    mask = np.zeros(canvas.shape[:2], np.uint8)
    kind = str(rng.choice(KINDS))
    _THINGS[kind](rng, _Brush(rng, canvas, mask), np.asarray(base), unit)
    return mask > 0


def draw_stool(
    rng: np.random.Generator,
    canvas: np.ndarray,
    seat: tuple[float, float],
    floor: float,
    unit: float,
) -> np.ndarray:
    """Draw a block or stool from ``seat`` (middle of its top) to the floor.

    Arguments and result as for :func:`draw_thing`.
    """
    mask = np.zeros(canvas.shape[:2], np.uint8)
    brush = _Brush(rng, canvas, mask)
    width = unit * rng.uniform(0.24, 0.38)
    x, y = seat
    deep = unit * 0.05
    if rng.random() < 0.5:
        brush.block(x, floor, width, max(floor - y, 2), deep)
    else:
        thick = unit * 0.035
        for side in (-0.45, -0.25, 0.25, 0.45):
            brush.bar(
                (x + side * width, y), (x + side * width, floor), unit * 0.025
            )
        brush.block(x, y + thick, width, thick, deep)
    return mask > 0


class _Brush:
    """Draws shapes into a picture and its mask."""

    def __init__(
        self, rng: np.random.Generator, canvas: np.ndarray, mask: np.ndarray
    ) -> None:
        self.rng = rng
        self.canvas = canvas
        self.mask = mask
        self.color = sample_cloth_color(rng)

    def _ink(self, tone: float) -> tuple[float, ...]:
        return tuple(map(float, np.clip(self.color * tone, 0, 1) * 255))

    def poly(self, points, tone: float = 1.0) -> None:
        corners = np.round(np.asarray(points)).astype(np.int32)
        cv2.fillPoly(self.canvas, [corners], self._ink(tone))
        cv2.fillPoly(self.mask, [corners], 1)

    def block(
        self, x: float, base: float, width: float, height: float, deep: float
    ) -> None:
        """A box seen from the front and a little from above."""
        left, right, top = x - width / 2, x + width / 2, base - height
        shift = deep * 0.5
        self.poly([(left, top), (right, top), (right, base), (left, base)])
        self.poly(
            [
                (left, top),
                (right, top),
                (right - shift, top - deep),
                (left + shift, top - deep),
            ],
            1.2,
        )

    def bar(self, a, b, thick: float, tone: float = 0.85) -> None:
        ends = [tuple(round(float(v)) for v in p) for p in (a, b)]
        color = self._ink(tone)
        cv2.line(self.canvas, *ends, color, max(1, int(thick)))
        cv2.line(self.mask, *ends, 1, max(1, int(thick)))

    def disc(self, centre, axes, angle: float = 0, tone: float = 1.0) -> None:
        color = self._ink(tone)
        place = tuple(round(float(v)) for v in centre)
        size = tuple(max(1, round(float(v))) for v in axes)
        cv2.ellipse(self.canvas, place, size, angle, 0, 360, color, -1)
        cv2.ellipse(self.mask, place, size, angle, 0, 360, 1, -1)


def _crate(rng, brush, base, unit):
    width, height = (
        unit * rng.uniform(0.2, 0.55),
        unit * rng.uniform(0.12, 0.42),
    )
    brush.block(
        base[0], base[1], width, height, unit * rng.uniform(0.04, 0.12)
    )
    for _ in range(rng.integers(0, 4)):
        y = base[1] - height * rng.uniform(0.1, 0.9)
        brush.bar(
            (base[0] - width / 2, y),
            (base[0] + width / 2, y),
            unit * 0.01,
            0.7,
        )


def _table(rng, brush, base, unit):
    width, height = (
        unit * rng.uniform(0.45, 1.1),
        unit * rng.uniform(0.26, 0.45),
    )
    thick = unit * rng.uniform(0.025, 0.05)
    for side in (-0.46, 0.46):
        brush.bar(
            base + (side * width, -height),
            base + (side * width, 0),
            unit * rng.uniform(0.02, 0.05),
        )
    brush.block(
        base[0],
        base[1] - height + thick,
        width,
        thick,
        unit * rng.uniform(0.03, 0.09),
    )


def _armchair(rng, brush, base, unit):
    width = unit * rng.uniform(0.5, 1.1)
    seat = unit * 0.25
    x, y = base
    brush.poly(
        [
            (x - width / 2, y - unit * 0.5),
            (x + width / 2, y - unit * 0.5),
            (x + width / 2, y - seat),
            (x - width / 2, y - seat),
        ],
        0.85,
    )
    brush.block(x, y - unit * 0.04, width, seat - unit * 0.04, unit * 0.05)
    for side in (-1, 1):
        brush.block(
            x + side * width / 2,
            y - unit * 0.02,
            unit * 0.09,
            unit * 0.33,
            unit * 0.03,
        )


def _plant(rng, brush, base, unit):
    pot = unit * rng.uniform(0.08, 0.16)
    x, y = base
    brush.poly(
        [
            (x - pot, y - 1.5 * pot),
            (x + pot, y - 1.5 * pot),
            (x + 0.7 * pot, y),
            (x - 0.7 * pot, y),
        ]
    )
    brush.color = np.array([0.2, 0.45, 0.25]) * rng.uniform(0.6, 1.4, 3)
    tall = unit * rng.uniform(0.2, 0.55)
    for _ in range(rng.integers(7, 18)):
        angle = rng.uniform(-150, -30)
        reach = tall * rng.uniform(0.4, 1)
        way = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
        middle = np.array([x, y - 1.4 * pot]) + 0.55 * reach * way
        brush.disc(
            middle, (0.5 * reach, 0.11 * reach), angle, rng.uniform(0.7, 1.3)
        )


def _post(rng, brush, base, unit):
    thick = unit * rng.uniform(0.03, 0.11)
    tall = unit * rng.uniform(0.5, 2.2)
    lean = unit * rng.normal(0, 0.05)
    brush.bar(base, base + (lean, -tall), thick, 1)
    brush.bar(
        base + (0.25 * thick, 0),
        base + (lean + 0.25 * thick, -tall),
        0.4 * thick,
        0.75,
    )
    if rng.random() < 0.4:
        brush.disc(base + (lean, -tall), (unit * 0.08, unit * 0.06), 0, 1.2)


def _board(rng, brush, base, unit):
    width, height = unit * rng.uniform(0.2, 0.7), unit * rng.uniform(0.2, 0.6)
    x, y = base
    brush.poly(
        [
            (x - width / 2, y - height),
            (x + width / 2, y - height),
            (x + width / 2, y),
            (x - width / 2, y),
        ]
    )
    brush.color = sample_cloth_color(rng)
    inset = 0.08 * min(width, height)
    brush.poly(
        [
            (x - width / 2 + inset, y - height + inset),
            (x + width / 2 - inset, y - height + inset),
            (x + width / 2 - inset, y - inset),
            (x - width / 2 + inset, y - inset),
        ]
    )


def _ball(rng, brush, base, unit):
    radius = unit * rng.uniform(0.05, 0.16)
    centre = base - (0, radius)
    for step in range(6):
        share = 1 - step / 7
        brush.disc(
            centre - radius * 0.3 * (1 - share),
            (radius * share, radius * share),
            0,
            0.75 + 0.08 * step,
        )


_THINGS = dict(
    crate=_crate,
    table=_table,
    armchair=_armchair,
    plant=_plant,
    post=_post,
    board=_board,
    ball=_ball,
)
