"""Solids and the depth buffer that draws them, one ray per sample.

Camera frame: x to the right and y down in samples, z away from the viewer;
every ray runs along +z (orthographic view), so the smallest z is in front.
A solid is a *round cone*, the convex hull of two balls, in a local frame of
its own that may squeeze it (a torso is a round cone with an elliptic cross
section). With q relative to the first ball, b the second ball's centre, ra
and rb their radii, a ray meets

* a ball of radius r where ``|q|^2 = r^2``;
* the body between the balls, with ``m0 = |b|^2``, ``k = ra - rb`` and
  ``d2 = m0 - k^2``, where
  ``d2 |q|^2 - (q.b)^2 + 2 k ra (q.b) - m0 ra^2 = 0``, as long as the foot of
  the surface normal lies between the balls: ``0 < q.b - k ra < d2``.

Along a ray both are quadratics in depth, whose coefficients are polynomials
of degree one and two in the sample's x and y.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

Paint = Callable[[np.ndarray], np.ndarray]
"""Local points (3, N) float32 -> BGR albedo in 0..1, (3, N) or (3, 1)."""


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

    @cached_property
    def linear(self) -> np.ndarray:
        """(3, 3) body frame to camera frame, without the shift."""
        return np.array([[self.scale], [-self.scale], [-self.scale]]) * (
            self.turn
        )

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

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns in the picture's sample grid."""
        height, width = self.depth.shape
        return (
            slice(self.y0, self.y0 + height),
            slice(self.x0, self.x0 + width),
        )


@dataclass
class Placement:
    """Where solids are as a view sees them; first axis: the solids.

    Args:
        to_local: (n, 3, 3) and
        start: (n, 3) take camera to local points, ``to_local @ p + start``.
        box: (n, 2, 2) [[x0, y0], [x1, y1]] in samples, cuts not considered.
        depth: (n,) of the first ball's centre.
    """

    to_local: np.ndarray
    start: np.ndarray
    box: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, solids: list[Solid], view: View) -> 'Placement':
        """Place solids in a view."""
        to_camera = view.linear @ np.stack([s.axes for s in solids])
        shift = np.stack([s.origin for s in solids]) @ view.linear.T
        shift[:, :2] += view.shift
        to_local = np.linalg.inv(to_camera)
        ends = np.stack([[s.a, s.b] for s in solids])
        ends = np.einsum('nij,nej->nei', to_camera, ends) + shift[:, None]
        reach = np.sqrt((to_camera[:, None, :2] ** 2).sum(axis=3))
        reach = reach * np.array([[[s.ra], [s.rb]] for s in solids])
        low = (ends[:, :, :2] - reach).min(axis=1)
        high = (ends[:, :, :2] + reach).max(axis=1)
        return cls(
            to_local,
            -np.einsum('nij,nj->ni', to_local, shift),
            np.stack([low, high], axis=1),
            ends[:, 0, 2],
        )


def extent_of(solids: list[Solid], view: View) -> np.ndarray:
    """The box around solids: (2, 2) [[x0, y0], [x1, y1]] in samples.

    Cuts (``keep``) are not taken into account.
    """
    box = Placement.of(solids, view).box
    return np.stack([box[:, 0].min(axis=0), box[:, 1].max(axis=0)])


def render(
    buffer: Buffer, solids: list[Solid], view: View, light: Light
) -> None:
    """Draw solids into an empty buffer; whichever is nearest shows."""
    placement = Placement.of(solids, view)
    with np.errstate(invalid='ignore'):
        for index, solid in enumerate(solids):
            _cast(buffer, solid, index, placement)
    _paint(buffer, solids, placement, light)


def _cast(
    buffer: Buffer, solid: Solid, index: int, placement: Placement
) -> None:
    """Write depth and index where the solid is in front of what is there."""
    height, width = buffer.depth.shape
    (left, top), (right, bottom) = placement.box[index].tolist()
    x0 = max(math.floor(left) - buffer.x0, 0)
    y0 = max(math.floor(top) - buffer.y0, 0)
    x1 = min(math.ceil(right) + 1 - buffer.x0, width)
    y1 = min(math.ceil(bottom) + 1 - buffer.y0, height)
    if x0 >= x1 or y0 >= y1:
        return
    # Rays start in the middle of the window, at the depth of the first ball.
    to_local, start = placement.to_local[index], placement.start[index]
    middle_x = (x0 + x1) / 2 + buffer.x0
    middle_y = (y0 + y1) / 2 + buffer.y0
    middle_z = float(placement.depth[index])
    xs = np.arange(x0, x1) + (buffer.x0 - middle_x)
    ys = np.arange(y0, y1) + (buffer.y0 - middle_y)
    rays = to_local.copy()
    rays[:, 2] = (
        to_local @ np.array([middle_x, middle_y, middle_z]) + start - solid.a
    )
    depth = first_hit(
        xs, ys, rays, to_local[:, 2], solid.b - solid.a, solid.ra, solid.rb
    )
    depth += np.float32(middle_z)
    old = buffer.depth[y0:y1, x0:x1]
    nearer = depth < old
    if solid.keep:
        rows, cols = np.nonzero(nearer)
        if not rows.size:
            return
        points = np.stack(
            [
                cols + np.float32(x0 + buffer.x0),
                rows + np.float32(y0 + buffer.y0),
                depth[rows, cols],
            ]
        )
        q = _affine(to_local, start, points)
        kept = np.ones(rows.size, bool)
        for plane, offset in solid.keep:
            kept &= _dot(np.asarray(plane), q) <= offset
        nearer[rows, cols] = kept
    np.copyto(old, depth, where=nearer)
    np.copyto(buffer.solid[y0:y1, x0:x1], np.int16(index), where=nearer)


def _affine(
    matrix: np.ndarray, shift: np.ndarray, points: np.ndarray
) -> np.ndarray:
    """``matrix @ points + shift`` for (3, N) points, without threads."""
    m, v = matrix.astype(np.float32), shift.astype(np.float32)
    return np.stack([_dot(m[i], points) + v[i] for i in range(3)])


def _dot(vector: np.ndarray, points: np.ndarray) -> np.ndarray:
    v = vector.astype(np.float32)
    return v[0] * points[0] + v[1] * points[1] + v[2] * points[2]


def first_hit(
    xs: np.ndarray,
    ys: np.ndarray,
    rays: np.ndarray,
    along: np.ndarray,
    b: np.ndarray,
    ra: float,
    rb: float,
) -> np.ndarray:
    """Depth at which a grid of parallel rays first meets a round cone.

    Args:
        xs, ys: Columns and rows of the grid.
        rays: (3, 3) so that ``rays @ (x, y, 1)`` is where the ray of sample
            (x, y) starts, relative to the first ball.
        along: (3,) the rays' common direction, of any length.
        b: (3,) the second ball's centre relative to the first's.
        ra, rb: The balls' radii.

    Returns:
        (len(ys), len(xs)) float32 multiples of ``along``; inf for a miss.
        A miss may warn of square roots of negative numbers.
    """
    dd = float(along @ along)
    m0 = float(b @ b)
    m2 = float(b @ along)
    k = ra - rb
    d2 = m0 - k * k
    # Polynomials in (x, y, 1): vectors of degree one, matrices of degree two.
    one = np.array([0.0, 0.0, 1.0])
    unit = np.outer(one, one)
    l3 = rays.T @ along
    l1 = rays.T @ b
    q5 = rays.T @ rays
    twice_l1 = np.outer(l1, one) + np.outer(one, l1)
    best = np.full((len(ys), len(xs)), np.inf, np.float32)
    if d2 > 0 or k >= 0:
        h = np.outer(l3, l3) - dd * (q5 - ra * ra * unit)
        root = np.sqrt(_quadratic(h / dd**2, xs, ys))
        best = np.fmin(best, _linear(-l3 / dd, xs, ys) - root)
    if m0 and (d2 > 0 or k < 0):
        lb = l3 - m2 * one
        h = np.outer(lb, lb) - dd * (q5 - twice_l1 + (m0 - rb * rb) * unit)
        root = np.sqrt(_quadratic(h / dd**2, xs, ys))
        best = np.fmin(best, _linear(-lb / dd, xs, ys) - root)
    k2 = d2 * dd - m2 * m2
    if d2 <= 0 or abs(k2) < 1e-9 * m0 * dd:
        return best
    k1 = d2 * l3 - m2 * l1 + m2 * k * ra * one
    k0 = d2 * q5 - np.outer(l1, l1) + k * ra * twice_l1 - m0 * ra * ra * unit
    h = (np.outer(k1, k1) - k2 * k0) / k2**2
    root = np.sqrt(_quadratic(h, xs, ys))
    middle = _linear(-k1 / k2, xs, ys)
    foot = _linear(l1 - k * ra * one, xs, ys)
    for sign in (-1, 1):
        t = middle - root if sign < 0 else middle + root
        y = foot + t * np.float32(m2)
        good = (y > 0) & (y < d2)
        if k2 < 0:  # nearly along the axis: only the side that faces us
            slope = _linear(d2 * l3, xs, ys) + t * np.float32(d2 * dd)
            good &= slope < np.float32(m2) * y
        t[~good] = np.inf
        best = np.fmin(best, t)
        if k2 > 0:
            break
    return best


def _linear(poly: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """A polynomial of degree one on a grid."""
    row = (poly[0] * xs + poly[2]).astype(np.float32)
    return row[None, :] + (poly[1] * ys).astype(np.float32)[:, None]


def _quadratic(poly: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """A polynomial of degree two, as a symmetric matrix, on a grid."""
    row = (poly[0, 0] * xs * xs + 2 * poly[0, 2] * xs).astype(np.float32)
    col = poly[1, 1] * ys * ys + 2 * poly[1, 2] * ys + poly[2, 2]
    out = (2 * poly[0, 1] * ys).astype(np.float32)[:, None] * xs.astype(
        np.float32
    )
    out += row[None, :]
    out += col.astype(np.float32)[:, None]
    return out


def _paint(
    buffer: Buffer, solids: list[Solid], placement: Placement, light: Light
) -> None:
    """Colour every sample by the solid in front."""
    flat = buffer.solid.ravel()
    drawn = np.flatnonzero(flat >= 0)
    order = drawn[np.argsort(flat[drawn], kind='stable')]
    ends = np.searchsorted(flat[order], np.arange(len(solids) + 1))
    width = buffer.depth.shape[1]
    depth = buffer.depth.ravel()
    color = buffer.color.reshape(-1, 3)
    for index, solid in enumerate(solids):
        place = order[ends[index] : ends[index + 1]]
        if not place.size:
            continue
        rows, cols = np.divmod(place.astype(np.int32), np.int32(width))
        points = np.stack(
            [
                (cols + buffer.x0).astype(np.float32),
                (rows + buffer.y0).astype(np.float32),
                depth[place],
            ]
        )
        to_local = placement.to_local[index]
        q = _affine(to_local, placement.start[index], points)
        normal = _affine(to_local.T, np.zeros(3), _normals(q, solid))
        normal /= np.sqrt((normal * normal).sum(axis=0)) + 1e-9
        color[place] = shade(solid.paint(q), normal, light, solid.gloss).T


def _normals(q: np.ndarray, solid: Solid) -> np.ndarray:
    """Outward normals (3, N), of any length, of points on a round cone."""
    q = q - solid.a.astype(np.float32)[:, None]
    b = solid.b - solid.a
    m0 = float(b @ b)
    k = solid.ra - solid.rb
    d2 = m0 - k * k
    axis = b.astype(np.float32)[:, None]
    if d2 <= 0:
        return q if k >= 0 else q - axis
    foot = np.clip((_dot(b, q) - k * solid.ra) / d2, 0, 1)
    return q - foot.astype(np.float32) * axis


def shade(
    albedo: np.ndarray, normal: np.ndarray, light: Light, gloss: float
) -> np.ndarray:
    """Wrapped Lambert shading with a soft highlight.

    Args:
        albedo: (3, N) or (3, 1) BGR.
        normal: (3, N) unit normals in the camera frame.

    Returns:
        (3, N) float32 BGR.
    """
    lit = np.maximum(0.35 + 0.65 * _dot(light.direction, normal), 0)
    facing = np.clip(-normal[2], 0, 1)
    ambient = np.float32(light.ambient) * (0.55 + 0.45 * facing)
    tint = ((1 - light.ambient) * light.tint).astype(np.float32)
    color = albedo * (ambient + tint[:, None] * lit)
    if gloss:
        half = light.direction + np.array([0, 0, -1.0])
        half /= np.linalg.norm(half)
        shine = np.clip(_dot(half, normal), 0, 1) ** 2
        shine = shine * shine * shine
        color = color + np.float32(gloss) * shine * shine
    return color
