"""What holds for every occlusion and every picture, however odd."""

# ruff: noqa: NPY002 (MMEngine seeds NumPy's global generator; so do we)

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmcv.transforms import Compose, TransformBroadcaster
from mmcv.transforms.utils import cache_random_params
from mmpose.registry import TRANSFORMS

from tests.golden.donors import give, some_donors
from tests.golden.samples import (
    crop,
    crowd,
    labelled,
    mask,
    metainfo,
    names,
    photo,
    pixel_under,
    replayed,
    widen_visibility,
)
from tests.records import named, under
from tests.transform_cases import (
    ALL_CASES,
    CASES,
    PAPER_CASES,
    TARGET_CASES,
    make,
    make_black,
)

LAYOUTS = ('aic', 'mpii', 'coco', 'coco_wholebody')
KEYPOINTS = {'aic': 14, 'mpii': 16, 'coco': 17, 'coco_wholebody': 133}
ODD = (np.nan, np.inf, -np.inf, 0.0, -0.0, -1e-6, 1e-30, 1e6, -1e6, 3e38)
FEW = settings(max_examples=25, deadline=None, derandomize=True)

pictures = st.fixed_dictionaries(
    dict(
        layout=st.sampled_from(LAYOUTS),
        height=st.integers(1, 40),
        width=st.integers(1, 40),
        count=st.integers(0, 4),
        odd=st.sampled_from([0, 0.1, 0.9]),
        missing=st.sampled_from([0, 0.3, 1]),
        wide=st.booleans(),  # visibility (N, K, 2)
        view=st.booleans(),  # a strided view of a larger picture
        dtype=st.sampled_from(['uint8', 'float32']),
        seed=st.integers(0, 2**32 - 1),
    )
)


def people(rng, layout, height, width, count, odd, missing):
    """Joints in, at and beyond the borders, odd ones, missing ones."""
    shape = (count, KEYPOINTS[layout], 2)
    size = np.array([width, height])
    xy = rng.uniform(-0.3 * size - 1, 1.3 * size + 1, shape)
    whole = rng.random(shape) < 0.3
    xy[whole] = np.round(xy[whole])
    strange = rng.random(shape) < odd
    xy[strange] = rng.choice(ODD, shape)[strange]
    seen = rng.random(shape[:2]) >= missing
    return xy.astype(np.float32), seen.astype(np.float32)


def sample(
    layout='coco',
    height=64,
    width=48,
    count=3,
    odd=0.0,
    missing=0.2,
    wide=False,
    view=False,
    dtype='uint8',
    seed=0,
    warped=True,
    black_donors=False,
):
    """Results with random joints; boxes of every height, even none."""
    rng = np.random.default_rng(seed)
    image = photo(height, width, seed).astype(dtype)
    if view:
        image = np.repeat(np.repeat(image, 2, 0), 3, 1)[::-2, 1::3]
    results = crowd([{}] * count, image, 'coco', warped=warped)
    xy, seen = people(rng, layout, height, width, count, odd, missing)
    del results['dataset']
    results['keypoint_id2name'] = dict(enumerate(names(layout)))
    results['skeleton_links'] = metainfo(layout)['skeleton_links']
    results['keypoints'] = xy
    results['keypoints_visible'] = seen
    if warped:
        results['transformed_keypoints'] = xy.copy()
    if count:
        results['bbox'] = rng.uniform(-50, 100, results['bbox'].shape).astype(
            np.float32
        )
    if wide:
        widen_visibility(results)
    return give(results, some_donors(layout, black_donors))


def seen_of(results):
    visible = results['keypoints_visible']
    return visible if visible.ndim == 2 else visible[..., 0]


def check(transform, results):
    """Everything that is promised whatever the picture is."""
    given = {
        key: value
        for key, value in results.items()
        if isinstance(value, np.ndarray)
    }
    copies = {key: value.copy() for key, value in given.items()}
    clean, before = copies['img'], copies['keypoints_visible']
    xy = copies.get('transformed_keypoints', copies['keypoints'])
    height, width = clean.shape[:2]

    out = transform(dict(results))

    for key, value in given.items():
        np.testing.assert_array_equal(value, copies[key], err_msg=key)
    image, after = out['img'], out['keypoints_visible']
    assert (image.shape, image.dtype) == (clean.shape, clean.dtype)
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    records = out['occlusions']
    assert json.loads(json.dumps(records, allow_nan=False)) == records
    assert {r['instance'] for r in records} >= set(range(len(xy)))

    painted = np.zeros((height, width), bool)
    removed = set()
    id2name = out['keypoint_id2name']
    for record in records:
        assert (record['reason'] is None) == (record['pixels'] > 0)
        removed |= {(i, name) for i, name in record['removed']}
        if record['pixels']:
            x1, y1, x2, y2 = record['box']
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height
            assert record['pixels'] <= (x2 - x1) * (y2 - y1)
            painted[y1:y2, x1:x2] = True
        else:
            assert record['box'] is None
            assert record['region'] or 'no pixel here' not in record['reason']
            assert under(record) == []
        for i, name in under(record):
            k = names_index(id2name, name)
            assert seen_of(copies)[i, k] > 0
            row, col = pixel_under(xy[i, k].tolist(), height, width)
            assert painted[row, col]

    # nothing changes outside of the recorded boxes
    assert not (mask(out, clean) & ~painted).any()
    # the records say all that is needed to paint again
    np.testing.assert_array_equal(replayed(clean, records), image)
    # labels go where the records say, in both channels, and nowhere else
    gone = np.zeros(before.shape[:2], bool)
    for i, name in removed:
        gone[i, names_index(id2name, name)] = True
    assert not after[gone].any()
    np.testing.assert_array_equal(after[~gone], before[~gone])
    return out


def names_index(id2name, name):
    return next(k for k in id2name if id2name[k] == name)


@pytest.mark.parametrize('case', ALL_CASES)
@FEW
@given(picture=pictures)
def test_any_crop(case, picture):
    check(make(case), sample(**picture))


@pytest.mark.parametrize('case', CASES)
@FEW
@given(picture=pictures)
def test_any_whole_image(case, picture):
    check(make(case), sample(**picture, warped=False))


@pytest.mark.parametrize('case', CASES)
@FEW
@given(picture=pictures)
def test_hidden_and_removed_are_the_truth(case, picture):
    """On white, black paint shows itself: compare pixels with records."""
    transform = make_black(case)
    results = sample(**picture, black_donors=True)
    results['img'] = np.full_like(results['img'], 255)
    clean = results['img'].copy()
    height, width = clean.shape[:2]
    xy, seen = results['transformed_keypoints'], seen_of(results)
    out = check(transform, results)
    painted = mask(out, clean)
    records = out['occlusions']
    boxes = np.zeros_like(painted)  # discs remove nothing
    for record in records:
        if record['pixels'] and named(record).startswith('part:'):
            x1, y1, x2, y2 = record['box']
            boxes[y1:y2, x1:x2] = getattr(transform, 'remove_keypoints', False)
    hidden, removable = set(), set()
    for i, k in np.argwhere(seen > 0):
        x, y = xy[i, k].tolist()
        inside = 0 <= x < width and 0 <= y < height
        if not inside:
            continue
        pixel = pixel_under((x, y), height, width)
        for where, found in ((painted, hidden), (boxes, removable)):
            if where[pixel]:
                found.add((i, names(picture['layout'])[k]))
    if transform.label == 'drop':
        removable = hidden
    listed = {(i, name) for r in records for i, name in under(r)}
    assert listed == hidden
    assert {(i, n) for r in records for i, n in r['removed']} == removable
    if len(records) == 1:
        assert records[0]['pixels'] == painted.sum()


@pytest.mark.parametrize('size', [(1, 1), (1, 7), (101, 33)])
@pytest.mark.parametrize('case', ALL_CASES)
def test_odd_sizes(case, size):
    height, width = size
    for seed in range(5):
        check(make(case), sample(height=height, width=width, seed=seed))


@pytest.mark.parametrize('warped', [True, False])
@pytest.mark.parametrize('count', [0, 50])
@pytest.mark.parametrize('case', CASES)
def test_any_number_of_people(case, count, warped):
    layout = 'coco_wholebody' if warped else 'coco'
    out = check(make(case), sample(layout, count=count, warped=warped))
    assert out['keypoints_visible'].shape == (count, KEYPOINTS[layout])


@pytest.mark.parametrize('count', [0, 50])
@pytest.mark.parametrize('case', PAPER_CASES)
def test_any_number_of_people_in_a_papers_crop(case, count):
    check(make(case), sample(count=count))


@pytest.mark.parametrize('case', ALL_CASES)
def test_prob_zero_is_the_identity(case):
    results = sample()
    clean, before = results['img'].copy(), results['keypoints_visible'].copy()
    out = make(case, prob=0)(results)
    assert (out['img'] == clean).all()
    assert (out['keypoints_visible'] == before).all()
    assert all(record['reason'] for record in out['occlusions'])


@pytest.mark.parametrize('case', ALL_CASES)
def test_a_pickled_transform_does_the_same(case):
    transform = make(case)
    np.random.seed(5)
    expected = transform(sample())
    again = pickle.loads(pickle.dumps(transform))  # a used one, too
    np.random.seed(5)
    results = again(sample())
    np.testing.assert_array_equal(results['img'], expected['img'])
    assert results['occlusions'] == expected['occlusions']


@pytest.mark.parametrize('case', ALL_CASES)
def test_registered_and_printable(case):
    """Configs build it by name, in and out of mmcv's pipelines."""
    cls, kwargs = ALL_CASES[case]
    built = TRANSFORMS.build(dict(type=cls.__name__, **kwargs))
    assert type(built) is cls
    assert repr(built).startswith(f'{cls.__name__}(')
    for key, value in kwargs.items():
        assert f'{key}={value!r}' in repr(built)
    np.random.seed(5)
    expected = make(case)(sample())
    np.random.seed(5)
    results = Compose([built])(sample())
    np.testing.assert_array_equal(results['img'], expected['img'])


@pytest.mark.parametrize('case', ALL_CASES)
def test_randomness_can_be_shared(case):
    """Two pictures of one sample get the same holes, if mmcv is asked to."""
    transform = make(case)
    broadcast = TransformBroadcaster(
        transforms=[transform],
        mapping=dict(
            img=['rgb', 'depth'],
            occlusions=['rgb_occlusions', 'depth_occlusions'],
        ),
        auto_remap=True,
        share_random_params=True,
    )
    for seed in range(6):
        results = sample(seed=seed)
        image = results.pop('img')
        results.update(rgb=image, depth=image.copy())
        results.update(rgb_occlusions=[], depth_occlusions=[])
        results = broadcast(results)
        np.testing.assert_array_equal(results['rgb'], results['depth'])
        assert results['rgb_occlusions'] == results['depth_occlusions']
        assert len({r['call'] for r in results['rgb_occlusions']}) == 1


def test_randomness_is_not_shared_unless_asked():
    transform = make('joint-unseeded')
    np.random.seed(0)
    drawn = {
        json.dumps([transform(sample())['occlusions'] for _ in range(2)])
        for _ in range(5)
    }
    assert len(drawn) == 5
    with cache_random_params(transform):
        drawn = [transform(sample())['occlusions'] for _ in range(5)]
    assert all(records == drawn[0] for records in drawn)


@pytest.mark.parametrize('case', CASES)
def test_occlusions_compose_with_mmposes_own(case):
    """Before the warp and after it, in one pipeline."""
    joints = {name: (20 + 3 * k, 30 + 5 * k) for k, name in enumerate(
        names('coco'))}  # fmt: skip
    results = crop(joints, photo(256, 192))
    del results['transformed_keypoints']
    results['img'] = photo(700, 600)
    give(results, some_donors('coco'))
    pipeline = Compose([
        make(case),
        TRANSFORMS.build(dict(type='TopdownAffine', input_size=(192, 256))),
        make(case),
    ])  # fmt: skip
    results = pipeline(results)
    assert results['img'].shape == (256, 192, 3)
    assert {record['call'] for record in results['occlusions']} == {0, 1}
    removed = {n for r in results['occlusions'] for _, n in r['removed']}
    assert labelled(results) == joints.keys() - removed


# --- transforms of targets --------------------------------------------------

CODECS = {
    'msra': dict(type='MSRAHeatmap', sigma=2),
    'udp': dict(type='UDPHeatmap', sigma=2),
    'megvii': dict(type='MegviiHeatmap', kernel_size=5),
}
SIZES = dict(input_size=(48, 64), heatmap_size=(12, 16))


def targets(codec, picture, occlude):
    """Results of one person after an occlusion and ``GenerateTarget``."""
    fixed = dict(count=1, height=64, width=48, odd=0, view=False)
    results = occlude(sample(**{**picture, **fixed}))
    step = dict(type='GenerateTarget', encoder={**CODECS[codec], **SIZES})
    return TRANSFORMS.build(step)(results)


@pytest.mark.parametrize('codec', CODECS)
@pytest.mark.parametrize('case', TARGET_CASES)
@FEW
@given(picture=pictures, remove=st.booleans())
def test_targets_of_removed_joints(case, codec, picture, remove):
    """Empty and with a weight where a label was removed; all others stay,
    and so do the arrays that came."""
    transform = make(case)
    occlude = make('parts-blur', remove_keypoints=remove)
    results = targets(codec, picture, occlude)
    keys = ('heatmaps', 'keypoint_weights')
    given = {key: results[key] for key in keys}
    copies = {key: given[key].copy() for key in keys}
    out = transform(dict(results))
    gone = sorted(
        names_index(out['keypoint_id2name'], name)
        for record in out['occlusions']
        for _, name in record['removed']
    )
    assert bool(gone) <= remove
    stay = [k for k in out['keypoint_id2name'] if k not in gone]
    for key in keys:
        np.testing.assert_array_equal(given[key], copies[key])
        assert out[key].shape == given[key].shape
        assert out[key].dtype == given[key].dtype
    maps, weights = (out[key] for key in keys)
    assert not maps[gone].any()
    np.testing.assert_array_equal(maps[stay], given['heatmaps'][stay])
    assert (weights[0, gone] == transform.weight).all()
    before = given['keypoint_weights'][0, stay]
    np.testing.assert_array_equal(weights[0, stay], before)


@pytest.mark.parametrize('case', TARGET_CASES)
def test_transforms_of_targets_are_registered_and_pickled(case):
    cls, kwargs = TARGET_CASES[case]
    built = TRANSFORMS.build(dict(type=cls.__name__, **kwargs))
    assert type(built) is cls
    again = pickle.loads(pickle.dumps(built))
    assert repr(again) == repr(built)
    assert f'weight={built.weight}' in repr(built)
