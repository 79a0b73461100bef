"""What is drawn where."""

import html
import re

import numpy as np
import pytest

from mmpose_occlusion.transforms import KeepImage
from mmpose_occlusion.visualization import (
    CropPair,
    PoseStyle,
    draw_pair,
    gallery,
    record_caption,
)
from mmpose_occlusion.visualization.gallery import (
    LEFT,
    MIDDLE,
    RIGHT,
    side_color,
)

NAMES = ('nose', 'left_eye', 'right_eye')
METAINFO = {
    'keypoint_id2name': dict(enumerate(NAMES)),
    'skeleton_links': [(0, 1), (1, 2)],
}
DISC = {
    'transform': 'KeypointOcclusion',
    'call': 0,
    'instance': 0,
    'kind': 'keypoint',
    'target': 'nose',
    'fill': 'black',
    'region': {'shape': 'disc', 'center': [20.0, 10.0], 'radius': 4},
    'paint': {'kind': 'color', 'color': [0, 0, 0]},
    'box': [16, 6, 25, 15],
    'pixels': 49,
    'targets': [[0, 'nose']],
    'bystanders': [],
    'removed': [],
    'reason': None,
}
NOTHING = {
    **DISC,
    'region': None,
    'paint': None,
    'box': None,
    'pixels': 0,
    'targets': [],
    'reason': 'nose is not labelled',
}


@pytest.fixture
def style():
    return PoseStyle.from_metainfo(METAINFO)


def crops(**changes):
    clean = np.full((64, 48, 3), 128, np.uint8)
    occluded = clean.copy()
    occluded[6:15, 16:25] = 0
    values = {
        'title': 'image 7, person <3>',
        'clean': clean,
        'occluded': occluded,
        'joints': np.array([[[20.0, 10.0], [30.0, 30.0], [8.0, 30.0]]]),
        'labelled': np.array([[True, True, False]]),
        'records': [DISC],
        **changes,
    }
    return CropPair(**values)


def near(canvas, color, tolerance=40):
    """Number of pixels of about a colour: lines have soft edges."""
    off = np.abs(canvas.astype(int) - color).max(axis=-1)
    return int((off < tolerance).sum())


def test_sides():
    assert side_color('left_eye') == side_color('L_Eye') == LEFT
    assert side_color('right-ankle') == side_color('R_F_Paw') == RIGHT
    assert side_color('nose') == side_color('Lower') == MIDDLE


def test_links(style):
    assert style.links == [(0, 1), (1, 2)]
    # from the middle to a side is that side's, across is the middle's
    assert style.link_color((0, 1)) == LEFT
    assert style.link_color((1, 2)) == MIDDLE


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({}, 'keypoint:nose black: 49 px, hides nose'),
        ({'pixels': 1234, 'targets': []}, '1,234 px, hides no target'),
        (
            {'bystanders': [[0, 'left_eye'], [1, 'nose']]},
            'hides nose; bystanders left_eye, nose (other person)',
        ),
        ({'removed': [[0, 'nose']]}, 'hides nose; 1 labels removed'),
        ({'reason': 'it is late'}, 'no pixels painted, it is late'),
    ],
)
def test_outcome(changes, words):
    assert record_caption({**DISC, **changes}).endswith(words)


def test_joints_far_away_or_not_a_number(style):
    joints = np.array([[[1e30, -1e30], [np.nan, 3.0], [5.0, 5.0]]])
    far = crops(
        joints=joints,
        labelled=np.ones((1, 3), bool),
        records=[],
        predicted=joints,
        scores=np.ones((1, 3)),
    )
    assert near(draw_pair(far, style), RIGHT) > 20
    assert 'nan' not in gallery([far], style, 'x')


def test_pair_has_the_annotation_beside_the_prediction(style):
    predicted = np.array([[[40.0, 50.0], [30.0, 30.0], [8.0, 30.0]]])
    pair = crops(predicted=predicted, scores=np.array([[0.9, 0.9, 0.1]]))
    drawn = draw_pair(pair, style, 256)
    clean, occluded = drawn[:256, :192], drawn[:256, 192:]
    # 4 pixels for each of the crop; the right eye has no label
    for side, (x, y) in ((clean, (20, 10)), (occluded, (40, 50))):
        around = side[4 * y - 6 : 4 * y + 10, 4 * x - 6 : 4 * x + 10]
        assert near(around, MIDDLE) > 20
    assert near(clean, RIGHT) == 0
    assert 0 < near(occluded, RIGHT) < near(occluded, MIDDLE)
    assert (occluded[30:50, 70:90] == 0).all()
    assert draw_pair(pair, style, 64).shape[0] < drawn.shape[0]


def test_pair_changes_nothing(style):
    one = crops(predicted=crops().joints, scores=np.ones((1, 3)))
    before = one.clean.copy(), one.occluded.copy(), one.joints.copy()
    draw_pair(one, style)
    gallery([one], style, 'x')
    after = one.clean, one.occluded, one.joints
    for left, right in zip(before, after, strict=True):
        np.testing.assert_array_equal(left, right)


def test_gallery(style):
    hidden = {
        **DISC,
        'bystanders': [[0, 'right_eye']],
        'removed': [[0, 'left_eye']],
    }
    page = gallery(
        [crops(records=[hidden]), crops(records=[NOTHING])],
        style,
        'Hidden <joints>',
        ['a & b'],
        'python x --y "z"',
    )
    assert '<h1>Hidden &lt;joints&gt;</h1>' in page
    assert '<p>a &amp; b</p>' in page
    assert '<code>python x --y &#34;z&#34;</code>' in page
    assert 'image 7, person &lt;3&gt;' in page
    assert page.count('data-severity="0.0"') == 1
    regions = re.search('<g class="regions">(.*?)</g>', page)[1]
    assert regions.count('<circle cx="20.5" cy="10.5" r="4.5"') == 2
    titles = re.findall(r'<title>(.*?)</title>', page.partition('<main>')[2])
    # clean: two labelled joints; occluded: one removed, two hidden
    assert titles == [
        'nose',
        'left_eye',
        'left_eye, removed',
        'nose, target',
        'right_eye, bystander',
        'nose',
        'left_eye',
    ]
    assert '"reason": "nose is not labelled"' in html.unescape(page)
    assert page.count('<article') == page.count('</article>') == 2


def test_names_are_escaped(style):
    nasty = '<b>"$x_1$'
    odd = PoseStyle((nasty, *NAMES[1:]), style.links)
    record = {**DISC, 'target': nasty, 'targets': [[0, nasty]]}
    page = gallery([crops(records=[record])], odd, nasty)
    assert '<b>' not in page
    assert f'<title>{html.escape(nasty, quote=False)[:9]}' in page


def test_kept_image_is_a_copy():
    image = np.zeros((2, 2, 3), np.uint8)
    results = KeepImage('before')({'img': image})
    image[:] = 9
    assert results['before'].max() == 0
    assert repr(KeepImage('a')) == "KeepImage(key='a')"
