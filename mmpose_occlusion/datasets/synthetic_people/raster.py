"""Solids and the depth buffer that draws them, one ray per sample.

Camera frame: x to the right and y down in samples, z away from the viewer;
every ray runs along +z (orthographic view), so the smallest z is in front.
A solid is a *round cone*, the convex hull of two balls, in a local frame of
its own that may squeeze it (a torso is a round cone with an elliptic cross
section). Both intersections below are roots of quadratics:

* ball of radius r at the origin: ``|q|^2 = r^2``;
* body of a round cone between balls of radii ra at the origin and rb at b,
  with ``m0 = |b|^2``, ``k = ra - rb``, ``d2 = m0 - k^2``:
  ``d2 |q|^2 - (q.b)^2 + 2 k ra (q.b) - m0 ra^2 = 0`` where the foot of the
  normal lies between the balls: ``0 < q.b - k ra < d2``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

Paint = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Local points (N, 3), local normals (N, 3) -> BGR albedo (N, 3) in 0..1."""


@dataclass
class Solid:
    """A round cone in a frame of its own.

    Args:
        tag: What it is, e.g. ``'left_forearm'``; joints are seen through
            the tags that carry them.
        origin: (3,) position of the local origin in the body's frame.
        axes: (3, 3) local to body; columns may be scaled.
        a, b: (3,) centres of the two balls in local units.
        ra, rb: Their radii in local units.
        paint: Albedo by local position.
        keep: Half-spaces ``(normal, offset)`` in local units; the surface is
            kept where ``normal . q <= offset`` for each.
        gloss: Strength of the highlight, 0 to 1.
    """

    tag: str
    origin: np.ndarray
    axes: np.ndarray
    a: np.ndarray
    b: np.ndarray
    ra: float
    rb: float
    paint: Paint
    keep: list[tuple[np.ndarray, float]] = field(default_factory=list)
    gloss: float = 0.0


@dataclass(frozen=True)
class View:
    """Body frame (X to the viewer's right, Y up, Z to the viewer) -> camera.

    Args:
        turn: (3, 3) rotation of the body frame, e.g. the camera's pitch.
        scale: Samples per body unit.
        shift: (2,) sample position of the body frame's origin.
    """

    turn: np.ndarray
    scale: float
    shift: np.ndarray

    @property
    def linear(self) -> np.ndarray:
        """(3, 3) body frame to camera frame, without the shift."""
        return np.diag([self.scale, -self.scale, -self.scale]) @ self.turn

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) in the body frame -> (N, 3) in the camera frame."""
        out = np.asarray(points, dtype=np.float64) @ self.linear.T
        out[:, :2] += self.shift
        return out


@dataclass(frozen=True)
class Light:
    """Where light comes from and how much of it.

    Args:
        direction: (3,) unit vector in the camera frame *towards* the light.
        ambient: Light that arrives from everywhere, 0 to 1.
        tint: (3,) BGR colour of the directed light.
    """

    direction: np.ndarray
    ambient: float
    tint: np.ndarray


@dataclass
class Buffer:
    """A rectangle of samples: colour, depth and which solid is in front.

    ``x0, y0`` is its first sample's place in the picture's sample grid.
    ``color`` (h, w, 3) is BGR in 0..1, ``depth`` (h, w) is inf where nothing
    was drawn, ``solid`` (h, w) is the index of the solid in front, else -1.
    """

    x0: int
    y0: int
    color: np.ndarray
    depth: np.ndarray
    solid: np.ndarray

    @classmethod
    def empty(cls, x0: int, y0: int, x1: int, y1: int) -> 'Buffer':
        """A buffer over columns ``x0:x1`` and rows ``y0:y1``."""
        shape = (max(y1 - y0, 0), max(x1 - x0, 0))
        return cls(
            x0,
            y0,
            np.zeros((*shape, 3), np.float32),
            np.full(shape, np.inf, np.float32),
            np.full(shape, -1, np.int16),
        )

    @property
    def drawn(self) -> np.ndarray:
        """(h, w) bool: something was drawn here."""
        return self.solid >= 0


def extent(solid: Solid, view: View) -> np.ndarray:
    """The solid's box in the camera frame: (2, 2) [[x0, y0], [x1, y1]].

    Cuts (``keep``) are not taken into account.
    """
    to_camera = view.linear @ solid.axes
    shift = view.linear @ solid.origin
    reach = np.linalg.norm(to_camera, axis=1)[:2]
    low, high = [], []
    for centre, radius in ((solid.a, solid.ra), (solid.b, solid.rb)):
        place = (to_camera @ centre + shift)[:2] + view.shift
        low.append(place - radius * reach)
        high.append(place + radius * reach)
    return np.stack([np.min(low, axis=0), np.max(high, axis=0)])


def extent_of(solids: list[Solid], view: View) -> np.ndarray:
    """The box of several solids, as :func:`extent`."""
    boxes = np.stack([extent(solid, view) for solid in solids])
    return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])


def _first_hit(
    oa: list[np.ndarray], ray: np.ndarray, ba: np.ndarray, ra: float, rb: float
) -> np.ndarray:
    """Ray parameter of the first hit with a round cone, inf for none.

    Args:
        oa: Three (h, w) arrays, the rays' starts relative to the first ball.
        ray: (3,) the rays' common direction, of any length.
        ba: (3,) from the first ball's centre to the second's.
    """
    dd = float(ray @ ray)
    m0 = float(ba @ ba)
    k = ra - rb
    d2 = m0 - k * k
    m3 = ray[0] * oa[0] + ray[1] * oa[1] + ray[2] * oa[2]
    m5 = oa[0] * oa[0] + oa[1] * oa[1] + oa[2] * oa[2]
    best = np.full(m3.shape, np.inf, np.float32)

    def ball(dot: np.ndarray, square: np.ndarray, radius: float) -> None:
        h = dot * dot - dd * (square - radius * radius)
        with np.errstate(invalid='ignore'):
            t = (-dot - np.sqrt(h)) / dd
        np.fmin(best, t, out=best)

    if d2 <= 0:  # one ball inside the other
        if k >= 0:
            ball(m3, m5, ra)
            return best
        m1 = ba[0] * oa[0] + ba[1] * oa[1] + ba[2] * oa[2]
        ball(m3 - float(ba @ ray), m5 - 2 * m1 + m0, rb)
        return best

    m1 = ba[0] * oa[0] + ba[1] * oa[1] + ba[2] * oa[2]
    m2 = float(ba @ ray)
    ball(m3, m5, ra)
    ball(m3 - m2, m5 - 2 * m1 + m0, rb)
    k2 = d2 * dd - m2 * m2
    if abs(k2) < 1e-9 * m0 * dd:
        return best
    k1 = d2 * m3 - m2 * m1 + m2 * k * ra
    k0 = d2 * m5 - m1 * m1 + (2 * k * ra) * m1 - m0 * ra * ra
    with np.errstate(invalid='ignore'):
        root = np.sqrt(k1 * k1 - k0 * k2)
        for sign in (-1,) if k2 > 0 else (-1, 1):
            t = (sign * root - k1) / k2
            y = m1 + t * m2 - k * ra
            good = (y > 0) & (y < d2)
            if k2 < 0:  # along the axis: only the side that faces us
                good &= d2 * (m3 + t * dd) - m2 * y < 0
            np.fmin(best, np.where(good, t, np.inf), out=best)
    return best


def draw(
    buffer: Buffer, solid: Solid, index: int, view: View, light: Light
) -> None:
    """Draw one solid into the buffer, where it is in front.

    Args:
        buffer: Modified.
        index: Written to ``buffer.solid`` where the solid is in front.
    """
    box = extent(solid, view)
    height, width = buffer.depth.shape
    x0, y0 = np.floor(box[0]).astype(int) - (buffer.x0, buffer.y0)
    x1, y1 = np.ceil(box[1]).astype(int) + 1 - (buffer.x0, buffer.y0)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if x0 >= x1 or y0 >= y1:
        return
    window = np.s_[y0:y1, x0:x1]
    to_local = np.linalg.inv(view.linear @ solid.axes)
    start = (
        -to_local @ (view.linear @ solid.origin + np.append(view.shift, 0.0))
        - solid.a
    )
    xs = np.arange(x0 + buffer.x0, x1 + buffer.x0, dtype=np.float32)
    ys = np.arange(y0 + buffer.y0, y1 + buffer.y0, dtype=np.float32)
    oa = [
        np.float32(to_local[i, 0]) * xs[None, :]
        + (np.float32(to_local[i, 1]) * ys + np.float32(start[i]))[:, None]
        for i in range(3)
    ]
    ray = to_local[:, 2].astype(np.float32)
    ba = (solid.b - solid.a).astype(np.float32)
    depth = _first_hit(oa, ray, ba, float(solid.ra), float(solid.rb))
    rows, cols = np.nonzero(depth < buffer.depth[window])
    if not rows.size:
        return
    t = depth[rows, cols]
    q = np.stack(
        [c[rows, cols] + t * r for c, r in zip(oa, ray, strict=True)], axis=1
    )
    normal = _normals(q, ba, solid.ra, solid.rb)
    q += solid.a.astype(np.float32)
    kept = np.ones(len(q), bool)
    for plane, offset in solid.keep:
        kept &= q @ np.asarray(plane, np.float32) <= offset
    if not kept.all():
        rows, cols, t, q, normal = (
            v[kept] for v in (rows, cols, t, q, normal)
        )
        if not rows.size:
            return
    albedo = solid.paint(q, normal)
    world = normal @ to_local.astype(np.float32)
    world /= np.linalg.norm(world, axis=1, keepdims=True) + 1e-9
    rows, cols = rows + y0, cols + x0
    buffer.depth[rows, cols] = t
    buffer.solid[rows, cols] = index
    buffer.color[rows, cols] = shade(albedo, world, light, solid.gloss)


def _normals(
    q: np.ndarray, ba: np.ndarray, ra: float, rb: float
) -> np.ndarray:
    """Outward normals (N, 3), of any length, of points on a round cone."""
    m0 = float(ba @ ba)
    k = ra - rb
    d2 = m0 - k * k
    if d2 <= 0:
        return q if k >= 0 else q - ba
    foot = np.clip((q @ ba - k * ra) / d2, 0, 1)
    return q - foot[:, None] * ba


def shade(
    albedo: np.ndarray, normal: np.ndarray, light: Light, gloss: float
) -> np.ndarray:
    """Wrapped Lambert shading with a soft highlight.

    Args:
        albedo: (N, 3) BGR.
        normal: (N, 3) unit normals in the camera frame.

    Returns:
        (N, 3) float32 BGR.
    """
    cos = normal @ light.direction.astype(np.float32)
    lit = np.clip(0.35 + 0.65 * cos, 0, None)[:, None]
    facing = np.clip(-normal[:, 2], 0, 1)[:, None]
    ambient = light.ambient * (0.55 + 0.45 * facing)
    color = albedo * (
        ambient + (1 - light.ambient) * lit * light.tint.astype(np.float32)
    )
    if gloss:
        half = light.direction + np.array([0, 0, -1.0])
        half = (half / np.linalg.norm(half)).astype(np.float32)
        color = color + gloss * np.clip(normal @ half, 0, 1)[:, None] ** 24
    return color
