"""Ray casting against brute force, and occlusion between solids."""

import numpy as np
import pytest
from synthetic_people.appearance import plain
from synthetic_people.rendering import Light, Solid, View, render

FLAT = Light(np.array([0.0, 0.0, -1.0]), 1.0, np.ones(3))
FRONT = View(np.eye(3), 10.0, np.array([20.0, 20.0]))


def swept_balls(solid):
    """Depth of 2,001 balls along the axis, (40, 40), inf for a miss."""
    share = np.linspace(0, 1, 2001)[:, None]
    balls = (1 - share) * solid.one + share * solid.two
    inverse = np.linalg.inv(FRONT.linear @ solid.axes)
    along = inverse[:, 2]
    out = np.full((40, 40), np.inf)
    for row in range(40):
        for col in range(40):
            q = inverse @ (col - 20, row - 20, 0) - balls[:, :3]
            half, dd = q @ along, along @ along
            h = half**2 - dd * ((q * q).sum(1) - balls[:, 3] ** 2)
            if (h >= 0).any():
                t = (-half[h >= 0] - np.sqrt(h[h >= 0])) / dd
                out[row, col] = t.min()
    return out


@pytest.mark.parametrize('seed', range(8))
def test_depth_is_that_of_balls_swept_along_the_axis(seed):
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0] * (1, 0.7, 1.2)
    one = np.append(rng.normal(0, 0.3, 3), rng.uniform(0.2, 0.7))
    two = np.append(rng.normal(0, 0.3, 3), rng.uniform(0.2, 0.7))
    if seed % 3 == 0:  # along the rays, the hard case
        axes = np.diag([1, 0.7, 1.2])
        two[:3] = one[:3] + (0.05, 0.03, rng.choice([-1, 1]) * 0.8)
    if seed == 7:  # one ball inside the other
        two = np.append(one[:3] + 0.05, one[3] / 3)
    solid = ball(0, 0, 0, 1, (1, 1, 1))
    solid.axes, solid.one, solid.two = axes, one, two
    depth = draw(solid)[1]
    wanted = swept_balls(solid)
    hit = np.isfinite(wanted)
    assert 20 < hit.sum() < hit.size
    # Grazing rays may differ: at most one in a hundred.
    assert (hit != np.isfinite(depth)).mean() < 0.01
    both = hit & np.isfinite(depth)
    error = np.abs(depth[both] - wanted[both])
    assert np.quantile(error, 0.98) < 0.02
    assert error.max() < 0.5


def ball(x, y, z, radius, color, cuts=()):
    centre = np.array([x, y, z], float)
    shape = np.array([0, 0, 0, radius], float)
    paint = plain(np.array(color, float))
    return Solid('ball', centre, np.eye(3), shape, shape, paint, list(cuts))


def draw(*solids, light=FLAT):
    return render(list(solids), FRONT, light, (40, 40))


@pytest.mark.parametrize('turned', [False, True])
def test_nearer_solid_is_visible_in_any_order(turned):
    solids = [ball(0, 0, 1, 1, (0, 0, 1)), ball(0, 0, -1, 1, (0, 1, 0))]
    near = 0
    if turned:
        solids, near = solids[::-1], 1
    color, depth, solid = draw(*solids)
    # Z points to the viewer, depth away from the viewer.
    assert (solid[solid >= 0] == near).all()
    assert depth[20, 20] == pytest.approx(-10 - 10, abs=1e-3)
    assert (color[20, 20] == (0, 0, 255)).all()


def test_a_ball_covers_its_disc():
    drawn = draw(ball(0, 0, 0, 1, (1, 1, 1)))[2] >= 0
    rows, cols = np.mgrid[:40, :40]
    inside = (rows - 20) ** 2 + (cols - 20) ** 2
    assert drawn[inside < 99].all()
    assert not drawn[inside > 101].any()


def test_up_is_up_and_right_is_right():
    solids = ball(1.5, 0, 0, 0.2, (1, 0, 0)), ball(0, 1, 0, 0.2, (0, 1, 0))
    solid = draw(*solids)[2]
    assert solid[20, 35] == 0
    assert solid[10, 20] == 1


def test_a_cut_removes_its_side():
    whole = draw(ball(0, 0, 0, 1, (1, 1, 1)))[2]
    cut = draw(ball(0, 0, 0, 1, (1, 1, 1), cuts=[((1, 0, 0), 0.0)]))[2]
    assert (cut[:, :20] == whole[:, :20]).all()
    assert (cut[:, 22:] == -1).all()


def test_a_squeezed_solid_is_thin():
    thin = ball(0, 0, 0, 1, (1, 1, 1))
    thin.axes = np.diag([0.5, 1.0, 1.0])
    drawn = draw(thin)[2] >= 0
    assert drawn[20].sum() == pytest.approx(10, abs=1)
    assert drawn[:, 20].sum() == pytest.approx(20, abs=1)


def test_light_from_a_side_lights_that_side():
    light = Light(np.array([-1.0, 0.0, 0.0]), 0.3, np.ones(3))
    color = draw(ball(0, 0, 0, 1, (1, 1, 1)), light=light)[0].astype(float)
    assert color[20, 13].sum() > 1.5 * color[20, 27].sum()


def test_solids_outside_the_canvas():
    color, depth, solid = draw(ball(50, 0, 0, 1, (1, 1, 1)))
    assert not color.any()
    assert np.isinf(depth).all()
    assert (solid == -1).all()
