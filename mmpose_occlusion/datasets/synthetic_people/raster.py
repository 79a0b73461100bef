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


def extent_of(solids: list[Solid], view: View) -> np.ndarray:
    """The box around solids: (2, 2) [[x0, y0], [x1, y1]] in samples.

    Cuts (``keep``) are not taken into account.
    """
    low, high = _Group(solids, view).extents()
    return np.stack([low.min(axis=0), high.max(axis=0)])


def render(
    buffer: Buffer, solids: list[Solid], view: View, light: Light
) -> None:
    """Draw solids into an empty buffer; whichever is nearest shows."""
    group = _Group(solids, view)
    _cast(buffer, solids, group)
    _paint(buffer, solids, group, light)


class _Group:
    """Solids as arrays, as a view sees them; first axis: the solids."""

    def __init__(self, solids: list[Solid], view: View) -> None:
        self.a = np.stack([s.a for s in solids])
        self.b = np.stack([s.b for s in solids]) - self.a
        self.ra = np.array([s.ra for s in solids])
        self.rb = np.array([s.rb for s in solids])
        self.to_camera = view.linear @ np.stack([s.axes for s in solids])
        self.shift = np.stack([s.origin for s in solids]) @ view.linear.T
        self.shift[:, :2] += view.shift
        self.first = _apply(self.to_camera, self.a) + self.shift
        # A camera point p is the local point to_local @ p + start.
        self.to_local = np.linalg.inv(self.to_camera)
        self.start = -_apply(self.to_local, self.shift)

    def extents(self) -> tuple[np.ndarray, np.ndarray]:
        """Low and high corners (n, 2) of the solids' boxes in samples."""
        second = self.first + _apply(self.to_camera, self.b)
        reach = np.sqrt((self.to_camera**2).sum(axis=2))
        near = reach * self.ra[:, None]
        far = reach * self.rb[:, None]
        low = np.minimum(self.first - near, second - far)
        high = np.maximum(self.first + near, second + far)
        return low[:, :2], high[:, :2]


def _apply(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(n, 3, 3) times (n, 3)."""
    return (matrices * vectors[:, None, :]).sum(axis=2)


def _cast(buffer: Buffer, solids: list[Solid], group: _Group) -> None:
    """Write depth and index of the solid in front."""
    height, width = buffer.depth.shape
    low, high = group.extents()
    corner = (buffer.x0, buffer.y0)
    low = np.clip(np.floor(low).astype(int) - corner, 0, None)
    high = np.clip(
        np.ceil(high).astype(int) + 1 - corner, None, (width, height)
    )
    # Rays start in the middle of the window, at the depth of the first ball.
    middle = np.empty((len(solids), 3))
    middle[:, :2] = (low + high) / 2 + corner
    middle[:, 2] = group.first[:, 2]
    rays = group.to_local.copy()
    rays[:, :, 2] = _apply(group.to_local, middle) + group.start - group.a
    meets = meeting_points(
        rays, group.to_local[:, :, 2], group.b, group.ra, group.rb
    )
    for index, solid in enumerate(solids):
        (x0, y0), (x1, y1) = low[index].tolist(), high[index].tolist()
        if x0 >= x1 or y0 >= y1:
            continue
        xs = np.arange(x0, x1) + (buffer.x0 - middle[index, 0])
        ys = np.arange(y0, y1) + (buffer.y0 - middle[index, 1])
        depth = first_hit(xs, ys, meets[index])
        depth += np.float32(middle[index, 2])
        old = buffer.depth[y0:y1, x0:x1]
        nearer = depth < old
        if solid.keep:
            rows, cols = np.nonzero(nearer)
            if not rows.size:
                continue
            q = _transform(
                group.to_local[index],
                group.start[index],
                cols + np.float32(x0 + buffer.x0),
                rows + np.float32(y0 + buffer.y0),
                depth[rows, cols],
            )
            kept = np.ones(rows.size, bool)
            for plane, offset in solid.keep:
                kept &= _dot(plane, q) <= offset
            nearer[rows, cols] = kept
        np.copyto(old, depth, where=nearer)
        np.copyto(buffer.solid[y0:y1, x0:x1], np.int16(index), where=nearer)


def _transform(
    matrix: np.ndarray, shift: np.ndarray, *points: np.ndarray
) -> np.ndarray:
    """``matrix @ points + shift`` for points given as x, y, z: (3, N)."""
    m, v = matrix.tolist(), shift.tolist()
    x, y, z = points
    out = np.empty((3, len(x)), np.float32)
    for i in range(3):
        out[i] = m[i][0] * x + m[i][1] * y + m[i][2] * z + v[i]
    return out


def _dot(vector: np.ndarray, points: np.ndarray) -> np.ndarray:
    a, b, c = (float(v) for v in vector)
    return a * points[0] + b * points[1] + c * points[2]


Coefficients = tuple[float, ...]


@dataclass
class Meeting:
    """Where the rays of a grid meet one solid, as polynomials in x and y.

    A line is (x, y, 1), a square (x^2, y^2, xy, x, y, 1). Depth along the
    ray is ``line -+ sqrt(square)`` for each ball and for the body; the body
    only where ``0 < foot + depth * slope < length`` and, where ``inside`` is
    given (a ray nearly along the axis), where ``inside + depth * turn`` is
    less than ``slope`` times that foot.
    """

    balls: list[tuple[Coefficients, Coefficients]]
    body: tuple[Coefficients, Coefficients] | None = None
    foot: Coefficients = ()
    slope: float = 0.0
    length: float = 0.0
    inside: Coefficients = ()
    turn: float = 0.0


def meeting_points(
    rays: np.ndarray,
    along: np.ndarray,
    b: np.ndarray,
    ra: np.ndarray,
    rb: np.ndarray,
) -> list[Meeting]:
    """Polynomials for n solids.

    Args:
        rays: (n, 3, 3) so that ``rays @ (x, y, 1)`` is where the ray of
            sample (x, y) starts, relative to the first ball.
        along: (n, 3) the rays' common direction, of any length.
        b: (n, 3) the second ball's centre relative to the first's.
        ra, rb: (n,) the balls' radii.
    """
    dd = (along * along).sum(axis=1)
    m0 = (b * b).sum(axis=1)
    m2 = (b * along).sum(axis=1)
    k = ra - rb
    d2 = m0 - k * k
    one = np.zeros_like(along)
    one[:, 2] = 1
    unit = _outer(one, one)
    transposed = rays.transpose(0, 2, 1)
    l3, l1 = _apply(transposed, along), _apply(transposed, b)
    q5 = transposed @ rays
    twice_l1 = _outer(l1, one) + _outer(one, l1)

    def scaled(factor: np.ndarray, poly: np.ndarray) -> np.ndarray:
        return factor.reshape(-1, *[1] * (poly.ndim - 1)) * poly

    first_h = _outer(l3, l3) - scaled(dd, q5 - scaled(ra * ra, unit))
    lb = l3 - scaled(m2, one)
    second_h = _outer(lb, lb) - scaled(
        dd, q5 - twice_l1 + scaled(m0 - rb * rb, unit)
    )
    k2 = d2 * dd - m2 * m2
    k1 = scaled(d2, l3) - scaled(m2, l1) + scaled(m2 * k * ra, one)
    k0 = (
        scaled(d2, q5)
        - _outer(l1, l1)
        + scaled(k * ra, twice_l1)
        - scaled(m0 * ra * ra, unit)
    )
    has_body = (d2 > 0) & (np.abs(k2) > 1e-9 * m0 * dd)
    safe = np.where(has_body, k2, 1.0)
    first = (_lines(-l3 / dd[:, None]), _squares(scaled(dd**-2.0, first_h)))
    second = (_lines(-lb / dd[:, None]), _squares(scaled(dd**-2.0, second_h)))
    body = (
        _lines(-k1 / safe[:, None]),
        _squares(scaled(safe**-2.0, _outer(k1, k1) - scaled(k2, k0))),
    )
    foot = _lines(l1 - scaled(k * ra, one))
    inside = _lines(scaled(d2, l3))
    out = []
    for i in range(len(dd)):
        balls = []
        if d2[i] > 0 or k[i] >= 0:
            balls.append((first[0][i], first[1][i]))
        if m0[i] and (d2[i] > 0 or k[i] < 0):
            balls.append((second[0][i], second[1][i]))
        meeting = Meeting(balls)
        if has_body[i]:
            meeting.body = body[0][i], body[1][i]
            meeting.foot = foot[i]
            meeting.slope = float(m2[i])
            meeting.length = float(d2[i])
            if k2[i] < 0:
                meeting.inside = inside[i]
                meeting.turn = float(d2[i] * dd[i])
        out.append(meeting)
    return out


def _outer(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return one[:, :, None] * two[:, None, :]


def _lines(poly: np.ndarray) -> list[Coefficients]:
    return [tuple(row) for row in poly.tolist()]


def _squares(poly: np.ndarray) -> list[Coefficients]:
    columns = (
        poly[:, 0, 0],
        poly[:, 1, 1],
        2 * poly[:, 0, 1],
        2 * poly[:, 0, 2],
        2 * poly[:, 1, 2],
        poly[:, 2, 2],
    )
    return [tuple(row) for row in np.stack(columns, axis=1).tolist()]


def first_hit(xs: np.ndarray, ys: np.ndarray, meeting: Meeting) -> np.ndarray:
    """Depth at which the rays of a grid first meet a solid.

    Args:
        xs, ys: Columns and rows of the grid.

    Returns:
        (len(ys), len(xs)) float32, in multiples of ``along``; inf: a miss.
    """
    best = None
    with np.errstate(invalid='ignore'):  # roots of rays that miss
        for line, square in meeting.balls:
            t = _linear(line, xs, ys)
            t -= np.sqrt(_quadratic(square, xs, ys))
            best = t if best is None else np.fmin(best, t, out=best)
        if meeting.body is not None:
            line, square = meeting.body
            root = np.sqrt(_quadratic(square, xs, ys))
            middle = _linear(line, xs, ys)
            foot = _linear(meeting.foot, xs, ys)
            signs = (-1, 1) if meeting.inside else (-1,)
            for sign in signs:
                t = middle + sign * root
                y = t * np.float32(meeting.slope)
                y += foot
                good = (y > 0) & (y < meeting.length)
                if meeting.inside:
                    bound = _linear(meeting.inside, xs, ys)
                    bound += t * np.float32(meeting.turn)
                    good &= bound < np.float32(meeting.slope) * y
                t[~good] = np.nan
                np.fmin(best, t, out=best)
    np.copyto(best, np.inf, where=np.isnan(best))
    return best


def _linear(poly: Coefficients, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """A line on a grid: float32."""
    x, y, one = poly
    row = (x * xs + one).astype(np.float32)
    return row + (y * ys).astype(np.float32)[:, None]


def _quadratic(
    poly: Coefficients, xs: np.ndarray, ys: np.ndarray
) -> np.ndarray:
    """A square on a grid: float32."""
    xx, yy, xy, x, y, one = poly
    row = ((xx * xs + x) * xs).astype(np.float32)
    col = ((yy * ys + y) * ys + one).astype(np.float32)[:, None]
    out = (xy * ys).astype(np.float32)[:, None] * xs.astype(np.float32)
    out += row
    out += col
    return out


def _paint(
    buffer: Buffer, solids: list[Solid], group: _Group, light: Light
) -> None:
    """Colour every sample by the solid in front."""
    flat = buffer.solid.ravel()
    drawn = np.flatnonzero(flat >= 0)
    order = drawn[np.argsort(flat[drawn], kind='stable')]
    counts = np.bincount(flat[drawn], minlength=len(solids))
    rows, cols = np.divmod(order.astype(np.int32), buffer.depth.shape[1])
    x = (cols + buffer.x0).astype(np.float32)
    y = (rows + buffer.y0).astype(np.float32)
    z = buffer.depth.ravel()[order]

    def spread(values: np.ndarray) -> np.ndarray:
        """(n, m) per solid -> (m, N) per sample."""
        values = values.astype(np.float32).reshape(len(solids), -1).T
        return np.repeat(values, counts, axis=1)

    m, v = spread(group.to_local), spread(group.start)
    q = np.stack(
        [m[i] * x + m[i + 1] * y + m[i + 2] * z + v[i // 3] for i in (0, 3, 6)]
    )
    normal = q - spread(group.a)
    k = group.ra - group.rb
    d2 = (group.b**2).sum(axis=1) - k * k
    cone = d2 > 0  # else one ball holds the other: its centre is the foot
    safe = np.where(cone, d2, 1.0)
    along = spread(np.where(cone[:, None], group.b / safe[:, None], 0))
    foot = (along * normal).sum(axis=0)
    foot += spread(np.where(cone, -k * group.ra / safe, k < 0))[0]
    normal -= np.clip(foot, 0, 1) * spread(group.b)
    normal = np.stack(
        [
            m[i] * normal[0] + m[i + 3] * normal[1] + m[i + 6] * normal[2]
            for i in range(3)
        ]
    )
    normal /= np.sqrt((normal * normal).sum(axis=0)) + 1e-9
    albedo = np.empty_like(q)
    end = 0
    for solid, count in zip(solids, counts.tolist(), strict=True):
        begin, end = end, end + count
        if count:
            albedo[:, begin:end] = solid.paint(q[:, begin:end])
    gloss = spread(np.array([solid.gloss for solid in solids]))[0]
    color = buffer.color.reshape(-1, 3)
    color[order] = shade(albedo, normal, light, gloss).T


def shade(
    albedo: np.ndarray, normal: np.ndarray, light: Light, gloss: np.ndarray
) -> np.ndarray:
    """Wrapped Lambert shading with a soft highlight.

    Args:
        albedo: (3, N) BGR.
        normal: (3, N) unit normals in the camera frame.
        gloss: (N,) strength of the highlight.

    Returns:
        (3, N) float32 BGR.
    """
    lit = np.maximum(0.35 + 0.65 * _dot(light.direction, normal), 0)
    facing = np.clip(-normal[2], 0, 1)
    ambient = np.float32(light.ambient) * (0.55 + 0.45 * facing)
    tint = ((1 - light.ambient) * light.tint).astype(np.float32)
    half = light.direction + np.array([0, 0, -1.0])
    half /= np.linalg.norm(half)
    shine = np.clip(_dot(half, normal), 0, 1) ** 2
    shine = shine * shine * shine
    return albedo * (ambient + tint[:, None] * lit) + gloss * shine * shine
