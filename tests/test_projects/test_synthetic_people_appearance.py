"""Colours are independent of side and joint."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, ttest_1samp
from synthetic_people.appearance import (
    contrasting,
    sample_color,
    sample_outfit,
)
from synthetic_people.figure import sample_figure
from synthetic_people.rendering import Light
from synthetic_people.scene import (
    COCO_JOINTS,
    Stage,
    compose,
    describe,
    place,
)

PAIRS = [n[5:] for n in COCO_JOINTS if n.startswith('left_')]


@pytest.mark.parametrize('seed', range(8))
def test_both_sides_wear_the_same(seed):
    """On a limb's own axis left and right have equal colours."""
    person = sample_figure(np.random.default_rng(seed))
    left = [s for s in person.solids if s.tag.startswith('left_')]
    right = [s for s in person.solids if s.tag.startswith('right_')]
    assert len(left) == len(right) > 15
    tags = {s.tag[5:] for s in left}
    assert tags == {s.tag[6:] for s in right}
    for tag in tags:
        ones = [s for s in left if s.tag == f'left_{tag}']
        twos = [s for s in right if s.tag == f'right_{tag}']
        for one, two in zip(ones, twos, strict=True):
            share = np.linspace(0, 1, 9)
            q = np.outer(one.one[:3], 1 - share)
            q += np.outer(one.two[:3], share)
            q[0] = 0
            q = q.astype(np.float32)
            np.testing.assert_allclose(
                np.broadcast_to(one.paint(q), (3, 9)),
                np.broadcast_to(two.paint(q), (3, 9)),
                err_msg=tag,
            )


def color_somewhere(paint, rng):
    """Albedo at a point of a cube of a fifth of a stature."""
    q = rng.uniform(-0.1, 0.1, (3, 1)).astype(np.float32)
    return paint(q)[:, 0]


def test_all_garments_draw_from_one_distribution():
    """Tops, trousers, shoes and socks have the same colours."""
    rng = np.random.default_rng(1)
    outfits = [sample_outfit(rng, 0.5, False) for _ in range(1500)]
    shod = [o for o in outfits if o.sock_height]
    clothes = dict(
        top=[o.top for o in outfits],
        bottom=[o.bottom for o in outfits],
        hat=[o.hat_paint for o in outfits],
        sock=[o.sock for o in shod],
        shoe=[o.shoe for o in shod],
    )
    colors = {
        name: np.array([color_somewhere(paint, rng) for paint in paints])
        for name, paints in clothes.items()
    }
    for name, values in colors.items():
        for channel in range(3):
            top = colors['top'][:, channel]
            apart = ks_2samp(top, values[:, channel]).statistic
            assert apart < 0.1, (name, channel)


def test_the_sides_look_alike_on_average():
    """Around joints the left is neither lighter nor redder than the right.

    Lit from anywhere, in any pose; the differences of 150 people have a mean
    that is not told from zero (24 tests at 0.001 each).
    """
    differences = {name: [] for name in PAIRS}
    backdrop = np.full((150, 150, 3), 128, np.uint8)
    for number in range(150):
        rng = np.random.default_rng([3, number])
        person = sample_figure(rng)
        direction = np.array([rng.uniform(-0.9, 0.9), -0.6, -0.6])
        light = Light(direction / np.linalg.norm(direction), 0.45, np.ones(3))
        stage = Stage((150, 150), 0.0, 1.0, 0.0, light)
        placed = place(person, (75, 140), 120, stage)
        image, front = compose(backdrop, [placed])
        truth = describe(placed, front == 0)
        for name in PAIRS:
            sides = [f'{side}_{name}' for side in ('left', 'right')]
            if all(truth.visible[side] == 2 for side in sides):
                colors = [patch(image, truth.joints[side]) for side in sides]
                differences[name].append(colors[0] - colors[1])
    for name, values in differences.items():
        assert len(values) > 20, name
        values = np.array(values)
        assert np.abs(values).max() > 0
        for channel in range(3):
            result = ttest_1samp(values[:, channel], 0)
            assert result.pvalue > 1e-3, (name, channel)


def patch(image, point):
    """Mean colour of 3 x 3 pixels."""
    x, y = (round(v) for v in point)
    window = image[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
    return window.reshape(-1, 3).mean(axis=0)


def test_contrasting_colors_can_be_told_apart():
    rng = np.random.default_rng(0)
    for _ in range(50):
        color = sample_color(rng)
        assert ((color >= 0) & (color <= 1)).all()
        other = contrasting(rng, color)
        assert np.abs(other - color).sum() > 0.2
