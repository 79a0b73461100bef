"""Ray casting of round cones with a depth buffer, one ray per sample.

Camera frame: x to the right and y down in samples, z away from the viewer.
Rays run along +z (orthographic projection), so the smallest z is in front.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

Array, Rng = np.ndarray, np.random.Generator
Paint = Callable[[Array], Array]
"""Local points (3, N) float32 -> BGR albedo in 0..1, (3, N) or (3, 1)."""


@dataclass
class Solid:
    """A round cone, the convex hull of two balls, in its own affine frame.

    ``axes`` (3, 3), whose columns may be scaled, takes local points to the
    body frame, ``origin`` (3,) is the local origin there; ``one`` and ``two``
    (4,) are centre and radius of the balls. The surface is kept where
    ``normal . (q - one[:3]) <= offset`` for each (normal, offset) of ``cuts``.
    ``tag`` is the body part.
    """

    tag: str
    origin: Array
    axes: Array
    one: Array
    two: Array
    paint: Paint
    cuts: Sequence[tuple[Any, float]] = ()
    gloss: float = 0.0


@dataclass(frozen=True)
class View:
    """Body frame (X to the viewer's right, Y up, Z to the viewer) to camera:
    a rotation, samples per unit, and the sample of the body's origin."""

    turn: Array
    scale: float
    shift: Array

    @cached_property
    def linear(self) -> Array:
        return self.scale * np.array([[1], [-1], [-1]]) * self.turn

    def project(self, points: Array) -> Array:
        """Points (..., 3) in the body frame to the camera frame."""
        return points @ self.linear.T + [*self.shift, 0]


@dataclass(frozen=True)
class Light:
    """Ambient light, as a fraction of all light, and one distant lamp: the
    unit vector towards it in the camera frame and its BGR colour."""

    direction: Array
    ambient: float
    tint: Array


def _apply(matrices: Array, vectors: Array) -> Array:
    return (matrices @ vectors[:, :, None])[:, :, 0]


class _Projection:
    """Solids in the camera frame; the first axis of all arrays is theirs.

    ``centre`` is that of the first ball, ``to_local`` takes camera offsets
    from it to local ones, ``low`` and ``high`` are corners of bounding boxes,
    ``axis`` runs between the balls, ``d2`` < 0 if one ball holds the other.
    """

    def __init__(self, solids: Sequence[Solid], view: View) -> None:
        self.solids = solids
        to_camera = view.linear @ np.stack([s.axes for s in solids])
        one = np.stack([s.one for s in solids])
        two = np.stack([s.two for s in solids])
        self.start, self.axis = one[:, :3], (two - one)[:, :3]
        self.centre = view.project(np.stack([s.origin for s in solids]))
        self.centre += _apply(to_camera, self.start)
        other = self.centre + _apply(to_camera, self.axis)
        reach = np.sqrt((to_camera**2).sum(axis=2))
        near, far = reach * one[:, 3:], reach * two[:, 3:]
        self.low = np.minimum(self.centre - near, other - far)[:, :2]
        self.high = np.maximum(self.centre + near, other + far)[:, :2]
        self.ra = one[:, 3].tolist()
        self.taper = one[:, 3] - two[:, 3]
        self.d2 = (self.axis**2).sum(axis=1) - self.taper**2
        # Rays in the local frames, and offsets across them.
        self.to_local = np.linalg.inv(to_camera)
        ray, plane = self.to_local[:, :, 2], self.to_local[:, :, :2]
        self.speed = np.linalg.norm(ray, axis=1)
        ray = ray / self.speed[:, None]
        tilt = _apply(plane.transpose(0, 2, 1), ray)
        self.tilt = -tilt / self.speed[:, None]
        flat = plane - ray[:, :, None] * tilt[:, None]
        self.square = flat.transpose(0, 2, 1) @ flat
        self.m1 = _apply(flat.transpose(0, 2, 1), self.axis)
        self.m2 = (self.axis * ray).sum(axis=1)

    def hits(self, i: int, u: Array, v: Array) -> Array:
        """Depths (H, W), from ``centre``, of solid ``i`` at offsets from it,
        (1, W) and (H, 1); NaN for a miss. Line and round cone after Inigo
        Quilez (iquilezles.org), with each ray parametrised from its point
        nearest to the first centre."""
        (xx, xy), (_, yy) = self.square[i].tolist()
        ra, d2 = self.ra[i], float(self.d2[i])
        # ra^2 - (squared distance of the ray from the first centre)
        g = (ra * ra - xx * u * u) - yy * v * v - (2 * xy * v) * u
        t = -np.sqrt(g)
        if self.axis[i].any():
            m2, k = float(self.m2[i]), float(self.taper[i])
            m0, (x, y) = d2 + k * k, self.m1[i].tolist()
            e = (x * u - k * ra) + y * v
            second = g + 2 * e + (k * k + m2 * m2 - m0)
            np.fmin(t, m2 - np.sqrt(second), out=t)
            if d2 > 0:
                k2 = d2 - m2 * m2
                k2 = k2 if abs(k2) > 1e-6 * m0 else 1e-6 * m0
                side = (m2 * e - np.sqrt(d2 * (e * e + k2 * g))) / k2
                foot = e + side * m2
                side[(foot <= 0) | (foot >= d2)] = np.nan
                np.fmin(t, side, out=t)
        x, y = self.tilt[i].tolist()
        t /= float(self.speed[i])
        return t + (x * u + y * v)

    def cast(
        self, depth: Array, front: Array, i: int, corners: list[int]
    ) -> None:
        """Update depth and index of the solid in front by solid ``i``, which
        lies in a window x0, y0, x1, y1."""
        x0, y0, x1, y1 = corners
        x, y, z = self.centre[i]
        u = (np.arange(x0, x1) - x).astype(np.float32)[None]
        v = (np.arange(y0, y1) - y).astype(np.float32)[:, None]
        w = self.hits(i, u, v)
        window, above = depth[y0:y1, x0:x1], w + np.float32(z)
        nearer = above < window
        for normal, offset in self.solids[i].cuts:
            a, b, c = (np.asarray(normal) @ self.to_local[i]).tolist()
            nearer &= a * u + b * v + c * w <= offset
        np.copyto(window, above, where=nearer)
        np.copyto(front[y0:y1, x0:x1], np.int16(i), where=nearer)

    def shade(
        self,
        depth: Array,
        front: Array,
        place: tuple[Array, Array],
        light: Light,
    ) -> Array:
        """Wrapped Lambert shading with a soft highlight: (3, N) float32 BGR
        of drawn samples, rows and columns sorted by solid."""
        points = np.float32([place[1], place[0], depth[place]])
        albedo, normal = np.empty_like(points), np.empty_like(points)
        gloss = np.empty(points.shape[1], np.float32)
        counts = np.bincount(front[place], minlength=len(self.solids))
        ends = np.cumsum(counts)
        for i in np.flatnonzero(counts):
            here = slice(ends[i] - counts[i], ends[i])
            matrix = self.to_local[i].astype(np.float32)
            q = points[:, here] - np.float32(self.centre[i, :, None])
            q = matrix @ q
            start = np.float32(self.start[i, :, None])
            albedo[:, here] = self.solids[i].paint(q + start)
            if self.d2[i] > 0:
                axis, d2 = np.float32(self.axis[i]), float(self.d2[i])
                foot = (axis @ q - float(self.taper[i]) * self.ra[i]) / d2
                q -= axis[:, None] * np.clip(foot, 0, 1)
            normal[:, here] = matrix.T @ q
            gloss[here] = self.solids[i].gloss
        normal /= np.sqrt(np.einsum('ij,ij->j', normal, normal)) + 1e-9
        direction = np.float32(light.direction)
        half = direction + np.float32([0, 0, -1])
        half /= np.linalg.norm(half)
        lit = np.maximum(0.35 + 0.65 * (direction @ normal), 0)
        ambient = light.ambient * (0.55 + 0.45 * np.clip(-normal[2], 0, 1))
        lamp = np.float32((1 - light.ambient) * light.tint)[:, None]
        shine = np.clip(half @ normal, 0, 1) ** 4
        return albedo * (ambient + lamp * lit) + gloss * shine * shine * shine


def render(
    solids: Sequence[Solid], view: View, light: Light, size: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Draw solids on a canvas of ``size`` (height, width) in samples: colour
    (H, W, 3) uint8 BGR, depth (H, W) float32 in samples, inf where nothing
    was drawn, and (H, W) int16 the index of the solid in front, else -1."""
    depth = np.full(size, np.inf, np.float32)
    front = np.full(size, -1, np.int16)
    color = np.zeros((*size, 3), np.uint8)
    parts = _Projection(solids, view)
    low = np.clip(np.floor(parts.low), 0, size[::-1]).astype(int)
    high = np.clip(np.ceil(parts.high) + 1, 0, size[::-1]).astype(int)
    with np.errstate(invalid='ignore'):  # square roots of rays that miss
        for i, corners in enumerate(np.hstack([low, high]).tolist()):
            if corners[0] < corners[2] and corners[1] < corners[3]:
                parts.cast(depth, front, i, corners)
    (x0, y0), (x1, y1) = low.min(axis=0), high.max(axis=0)
    rows, cols = np.nonzero(front[y0:y1, x0:x1] >= 0)
    if rows.size:
        rows, cols = rows + y0, cols + x0
        order = np.argsort(front[rows, cols], kind='stable')
        place = rows[order], cols[order]
        shades = parts.shade(depth, front, place, light)
        open_sky = _openness(depth[y0:y1, x0:x1], view.scale)
        shades *= 255 * open_sky[place[0] - y0, place[1] - x0]
        color[place] = np.clip(shades + 0.5, 0, 255).astype(np.uint8).T
    return color, depth, front


def _openness(depth: Array, unit: float) -> Array:
    """Fraction of light (H, W) that reaches surfaces behind near ones: Luft,
    Colditz and Deussen, unsharp masking of the depth buffer, SIGGRAPH 2006."""
    drawn = np.isfinite(depth)
    near = np.where(drawn, depth, 0)
    side = [max(3, int(0.035 * unit) | 1)] * 2
    share = np.maximum(cv2.blur(drawn.astype(np.float32), side), 1e-3)
    behind = (near - cv2.blur(near, side) / share) / (0.05 * unit)
    return 1 - 0.45 * np.clip(behind, 0, 1)
