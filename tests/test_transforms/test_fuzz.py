"""Any sample is occluded as promised, or refused in one sentence.

``OCCLUSION_FUZZ_CASES=5000`` runs that many samples for each transform.
"""

# ruff: noqa: NPY002, PT017 (transforms draw from NumPy's global generator)

import os

import numpy as np
import pytest

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import occlude, replay_all
from tests.transform_cases import ALL_CASES, CASES, TARGET_CASES, make

from .test_properties import CODECS, LAYOUTS, check, sample, targets

CASES_EACH = int(os.environ.get('OCCLUSION_FUZZ_CASES', '40'))
REFUSED = ('float16', 'bool', 'int64')
TYPES = ('uint8', 'uint16', 'float32', 'float64', *REFUSED)
SEEDS = (None, 0, 1, 2**31 - 1, 2**32, 2**64 - 1, 2**100)
NOT_FINITE = (np.nan, np.inf, -np.inf)
FILLS = ('object', 'black', 'grey', 'mean', 'blur', 'pixelate')


def odd_image(rng, height, width):
    """Any layout, type and memory of an image, in most cases a usual one."""
    channels = [(), (1,), (2,), (3,), (4,)][rng.integers(5)]
    dtype = TYPES[0] if rng.random() < 0.4 else rng.choice(TYPES)
    shape = (2 * height, width + 1, *channels)
    image = rng.integers(1, 255, shape).astype(dtype)
    image = image[::-2, 1:] if rng.random() < 0.3 else image[::2, 1:].copy()
    image.setflags(write=rng.random() < 0.7)
    return image


def odd_size(rng):
    usual = rng.integers(1, 40, 2)
    return [(0, 5), (5, 0), (1, 1), usual, usual, usual][rng.integers(6)]


def odd_sample(rng, warped):
    height, width = map(int, odd_size(rng))
    results = sample(
        str(rng.choice(LAYOUTS[:3])),
        max(height, 1),
        max(width, 1),
        count=int(rng.choice([0, 1, 2, 3, 50], p=[0.1, 0.4, 0.3, 0.15, 0.05])),
        odd=float(rng.choice([0, 0.1, 0.9])),
        missing=float(rng.choice([0, 0.3, 1])),
        wide=bool(rng.random() < 0.3),
        seed=int(rng.integers(2**32)),
        warped=warped,
    )
    results['img'] = odd_image(rng, height, width)
    if len(results.get('bbox', ())) and rng.random() < 0.2:
        at = rng.integers(len(results['bbox'])), rng.integers(4)
        results['bbox'][at] = rng.choice(NOT_FINITE)
    return results


def one_sentence(error):
    text = str(error)
    assert '\n' not in text
    assert 20 < len(text) < 1500
    return text


@pytest.mark.parametrize('case', ALL_CASES)
def test_any_sample(case):
    rng = np.random.default_rng(list(case.encode()))
    done = 0
    for _ in range(CASES_EACH):
        warped = case not in CASES or bool(rng.random() < 0.5)
        results = odd_sample(rng, warped)
        seed = SEEDS[rng.integers(len(SEEDS))]
        np.random.seed(rng.integers(2**32))
        try:
            check(make(case, seed=seed), results)
            done += 1
        except UsageError as error:
            one_sentence(error)
            # a usual image is refused for its boxes alone
            assert results['img'].dtype in REFUSED or (
                'box' in str(error) and not np.isfinite(results['bbox']).all()
            ), str(error)
    assert done > CASES_EACH / 4


@pytest.mark.parametrize('case', TARGET_CASES)
def test_any_targets(case):
    """Removed joints get empty maps and the weight, whoever is there and
    whatever is missing, or the sample is refused."""
    transform = make(case)
    occlude = make('parts-blur', remove_keypoints=True)
    done = 0
    for number in range(CASES_EACH):
        rng = np.random.default_rng([number, *case.encode()])
        picture = dict(
            layout=str(rng.choice(LAYOUTS[:3])),
            missing=float(rng.choice([0, 0.3, 1])),
            seed=number,
        )
        results = targets(str(rng.choice(list(CODECS))), picture, occlude)
        for key in ('heatmaps', 'keypoint_weights', 'label_mapping_table'):
            if rng.random() < 0.1:
                del results[key]
        odd = rng.integers(8)
        if odd == 0:
            results['occlusions'] = []
        elif odd == 1:  # nobody
            results['keypoint_weights'] = np.zeros((0, 17), np.float32)
        elif odd == 2:  # maps of something else
            results['heatmaps'] = np.zeros((3, 4, 4), np.float32)
        gone = [
            (i, name)
            for record in results.get('occlusions', ())
            for i, name in record['removed']
        ]
        names = list(results['keypoint_id2name'].values())
        try:
            out = transform(dict(results))
        except ValueError as error:
            assert one_sentence(error).startswith('EmptyRemovedHeatmaps')
            continue
        done += 1
        maps, weights = out['heatmaps'], out.get('keypoint_weights')
        for i, name in gone:
            k = names.index(name)
            for one in maps if isinstance(maps, list) else [maps]:
                assert not one[k].any()
            for one in weights if isinstance(weights, list) else [weights]:
                assert one[i, k] == transform.weight
    assert done > CASES_EACH / 4


def test_any_call_of_occlude():
    rng = np.random.default_rng(0)
    done = 0
    for _ in range(CASES_EACH):
        results = odd_sample(rng, warped=False)
        image, xy = results['img'], results['keypoints']
        before, joints = image.copy(), xy.copy()
        names = list(results['keypoint_id2name'].values())
        try:
            found = occlude(
                image,
                xy,
                target=str(rng.choice(['random', 'random_part'])),
                fill=str(rng.choice(FILLS)),
                size=['20%', 6, '400%', 0.5][rng.integers(4)],
                names=names,
                bbox=results['bbox'] if len(xy) else None,
                seed=SEEDS[rng.integers(len(SEEDS))],
            )
        except UsageError as error:
            one_sentence(error)
            assert image.dtype != np.uint8, str(error)
            continue
        done += 1
        np.testing.assert_array_equal(image, before)
        np.testing.assert_array_equal(xy, joints)
        again = replay_all(image, found.records)
        np.testing.assert_array_equal(found.image, again)
        assert not (found.targets & ~found.hidden).any()
    assert done > CASES_EACH / 4
