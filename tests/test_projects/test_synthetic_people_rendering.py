"""The rays: against brute force, and what stands before what."""

import numpy as np
import pytest

from synthetic_people.patterns import plain
from synthetic_people.raster import (
    Buffer,
    Light,
    Solid,
    View,
    extent_of,
    first_hit,
    meeting_points,
    render,
)

FLAT = Light(np.array([0.0, 0.0, -1.0]), 1.0, np.ones(3))
FRONT = View(np.eye(3), 10.0, np.array([20.0, 20.0]))


def swept_balls(b, ra, rb, origins, along):
    """First hit with 4,001 balls along the axis: (N,), inf for a miss."""
    share = np.linspace(0, 1, 4001)
    radius = ra + share * (rb - ra)
    dd = along @ along
    out = []
    for start in origins:
        q = start - share[:, None] * b
        half = q @ along
        h = half**2 - dd * ((q * q).sum(1) - radius**2)
        hit = h >= 0
        t = (-half[hit] - np.sqrt(h[hit])) / dd
        out.append(t.min() if t.size else np.inf)
    return np.array(out)


def one_meeting(rays, along, b, ra, rb):
    return meeting_points(
        rays[None], along[None], b[None], np.array([ra]), np.array([rb])
    )[0]


@pytest.mark.parametrize('seed', range(12))
def test_first_hit_is_that_of_balls_swept_along_the_axis(seed):
    rng = np.random.default_rng(seed)
    b = rng.normal(0, 1, 3)
    if seed % 3 == 0:  # along the rays, the hard case
        b = np.array([0.05, 0.03, rng.choice([-1, 1]) * rng.uniform(0.5, 1)])
    ra, rb = rng.uniform(0.1, 0.6, 2)
    rays = np.eye(3) + rng.normal(0, 0.1, (3, 3))
    rays[:, 2] = rng.normal(0, 0.1, 3) - (0, 0, 3)
    along = np.array([0.0, 0.0, 1.0]) + rng.normal(0, 0.1, 3)
    xs, ys = np.linspace(-1.5, 1.5, 19), np.linspace(-1.4, 1.4, 17)
    found = first_hit(xs, ys, one_meeting(rays, along, b, ra, rb))
    grid = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    starts = np.column_stack([grid, np.ones(len(grid))]) @ rays.T
    wanted = swept_balls(b, ra, rb, starts, along).reshape(found.shape)
    hit = np.isfinite(wanted)
    assert 5 < hit.sum() < hit.size
    # Grazing rays may differ: at most one in a hundred.
    assert (hit != np.isfinite(found)).mean() < 0.01
    both = hit & np.isfinite(found)
    error = np.abs(found[both] - wanted[both])
    assert np.quantile(error, 0.98) < 2e-3
    assert error.max() < 0.05


@pytest.mark.parametrize(('ra', 'rb'), [(1.0, 0.2), (0.2, 1.0)])
def test_a_ball_inside_the_other_is_not_seen(ra, rb):
    b = np.array([0.1, 0.0, 0.0])
    rays = np.eye(3)
    along = np.array([0.0, 0.0, 1.0])
    rays[:, 2] = (0, 0, -3)
    found = first_hit(
        np.array([0.0]), np.array([0.0]), one_meeting(rays, along, b, ra, rb)
    )
    centre = 0.0 if ra > rb else 0.1
    assert found[0, 0] == pytest.approx(3 - np.sqrt(1 - centre**2), abs=1e-5)


def ball(x, y, z, radius, color, tag='ball', keep=()):
    return Solid(
        tag,
        np.array([x, y, z], float),
        np.eye(3),
        np.zeros(3),
        np.zeros(3),
        radius,
        radius,
        plain(np.array(color, float)),
        list(keep),
    )


def draw(*solids):
    buffer = Buffer.empty(0, 0, 40, 40)
    render(buffer, list(solids), FRONT, FLAT)
    return buffer


@pytest.mark.parametrize('turned', [False, True])
def test_the_nearer_solid_shows_whatever_the_order(turned):
    solids = [ball(0, 0, 1, 1, (0, 0, 1)), ball(0, 0, -1, 1, (0, 1, 0))]
    near = 0
    if turned:
        solids, near = solids[::-1], 1
    buffer = draw(*solids)
    # Z points to the viewer, depth away from them.
    assert (buffer.solid[buffer.drawn] == near).all()
    assert buffer.depth[20, 20] == pytest.approx(-10 - 10, abs=1e-3)
    assert (buffer.color[20, 20] == (0, 0, 1)).all()


def test_a_ball_covers_its_disc():
    buffer = draw(ball(0, 0, 0, 1, (1, 1, 1)))
    rows, cols = np.mgrid[:40, :40]
    inside = (rows - 20) ** 2 + (cols - 20) ** 2
    assert buffer.drawn[inside < 99].all()
    assert not buffer.drawn[inside > 101].any()


def test_up_is_up_and_right_is_right():
    buffer = draw(
        ball(1.5, 0, 0, 0.2, (1, 0, 0)), ball(0, 1, 0, 0.2, (0, 1, 0))
    )
    assert buffer.solid[20, 35] == 0
    assert buffer.solid[10, 20] == 1


def test_a_cut_removes_its_side():
    whole = draw(ball(0, 0, 0, 1, (1, 1, 1)))
    cut = draw(ball(0, 0, 0, 1, (1, 1, 1), keep=[(np.array([1, 0, 0]), 0.0)]))
    assert (cut.drawn[:, :20] == whole.drawn[:, :20]).all()
    assert not cut.drawn[:, 22:].any()


def test_a_squeezed_solid_is_thin():
    thin = ball(0, 0, 0, 1, (1, 1, 1))
    thin.axes = np.diag([0.5, 1.0, 1.0])
    buffer = draw(thin)
    assert buffer.drawn[20].sum() == pytest.approx(10, abs=1)
    assert buffer.drawn[:, 20].sum() == pytest.approx(20, abs=1)


def test_extent_holds_what_is_drawn():
    rng = np.random.default_rng(3)
    for _ in range(10):
        solid = ball(*rng.uniform(-0.5, 0.5, 3), 0.3, (1, 1, 1))
        solid.b = rng.uniform(-0.8, 0.8, 3)
        solid.rb = rng.uniform(0.1, 0.5)
        solid.axes = np.linalg.qr(rng.normal(size=(3, 3)))[0] * (1, 0.6, 1)
        (x0, y0), (x1, y1) = extent_of([solid], FRONT)
        rows, cols = np.nonzero(draw(solid).drawn)
        assert x0 <= cols.min() <= x0 + 1.01
        assert y0 <= rows.min() <= y0 + 1.01
        assert x1 - 1.01 <= cols.max() <= x1
        assert y1 - 1.01 <= rows.max() <= y1


def test_light_from_a_side_lights_that_side():
    buffer = Buffer.empty(0, 0, 40, 40)
    light = Light(np.array([-1.0, 0.0, 0.0]), 0.3, np.ones(3))
    render(buffer, [ball(0, 0, 0, 1, (1, 1, 1))], FRONT, light)
    assert buffer.color[20, 13].sum() > 1.5 * buffer.color[20, 27].sum()


def test_nothing_outside_the_buffer_is_an_error():
    buffer = Buffer.empty(0, 0, 40, 40)
    render(buffer, [ball(50, 0, 0, 1, (1, 1, 1))], FRONT, FLAT)
    assert not buffer.drawn.any()
    empty = Buffer.empty(5, 5, 5, 5)
    render(empty, [ball(0, 0, 0, 1, (1, 1, 1))], FRONT, FLAT)
    assert empty.depth.size == 0
