"""The fast steps give what MMPose's own give, to the last bit."""

# ruff: noqa: NPY002 (MMEngine seeds NumPy's global generator; so do we)

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.dataset import Compose
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets import CocoDataset
from mmpose.datasets.transforms import RandomBBoxTransform, RandomFlip
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.engine.config import load_config
from mmpose_occlusion.transforms.fast_steps import (
    FastMSRAHeatmap,
    FastRandomBBoxTransform,
    FastRandomFlip,
    forwards,
    with_fast_steps,
)

HRNET = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)


# --- the flip ---------------------------------------------------------------


@pytest.mark.parametrize('axes', [(0,), (1,), (0, 1)])
@pytest.mark.parametrize('shape', [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_a_view_that_runs_backwards_becomes_an_array(axes, shape, dtype):
    image = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    view = np.flip(image, axes)
    out = forwards(view)
    np.testing.assert_array_equal(out, view)
    assert out.flags.c_contiguous
    assert out.dtype == dtype
    assert not np.shares_memory(out, image)


def test_other_arrays_stay_what_they_are():
    image = np.zeros((5, 7, 3), np.uint8)
    colours = image[..., ::-1]
    mask = np.zeros((5, 7), bool)[:, ::-1]
    for each in (image, colours, mask):
        assert forwards(each) is each


@pytest.mark.parametrize('direction', ['horizontal', 'vertical', 'diagonal'])
@pytest.mark.parametrize('many', [False, True])
def test_flip(direction, many):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (20, 30, 3), np.uint8)

    def flip(cls):
        results = cls(prob=1.0, direction=direction)(
            dict(
                img=[image, image[::2]] if many else image,
                img_shape=(20, 30),
                flip_indices=[1, 0, 2],
                bbox_center=np.array([[3.0, 4.0]]),
                keypoints=np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]),
                keypoints_visible=np.array([[0.0, 1.0, 2.0]]),
            )
        )
        pictures = results.pop('img')
        return results, pictures if many else [pictures]

    (expected, views), (found, pictures) = (
        flip(RandomFlip),
        flip(FastRandomFlip),
    )
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)
    for view, picture in zip(views, pictures, strict=True):
        np.testing.assert_array_equal(picture, view)
        assert picture.flags.c_contiguous


# --- the box ----------------------------------------------------------------


@pytest.mark.parametrize('bounds', [(-1.0, 1.0), (-2.0, 0.5), (0.2, 3.0)])
def test_truncated_normal_numbers_are_scipys(bounds):
    np.random.seed(0)
    expected = RandomBBoxTransform._truncnorm(*bounds, size=(2000, 4))
    after = np.random.random()
    np.random.seed(0)
    found = FastRandomBBoxTransform._truncnorm(*bounds, size=(2000, 4))
    assert np.random.random() == after
    assert found.dtype == expected.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


# --- the targets ------------------------------------------------------------


@given(
    joints=st.lists(
        st.tuples(
            st.floats(-60, 260, width=32),
            st.floats(-60, 320, width=32),
            st.sampled_from([0.0, 0.4, 1.0, 2.0]),
        ),
        min_size=1,
        max_size=5,
    ),
    sigma=st.sampled_from([2, 3, 2.0, 1.5]),
    unbiased=st.booleans(),
)
def test_targets(joints, sigma, unbiased):
    table = np.array(joints, np.float32)
    xy, visible = table[None, :, :2], table[None, :, 2]
    options = dict(
        input_size=(192, 256),
        heatmap_size=(48, 64),
        sigma=sigma,
        unbiased=unbiased,
    )
    expected = MSRAHeatmap(**options).encode(xy.copy(), visible.copy())
    found = FastMSRAHeatmap(**options).encode(xy, visible)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key].dtype == value.dtype
        np.testing.assert_array_equal(found[key], value)
    np.testing.assert_array_equal(table[None, :, 2], visible)  # not changed


@pytest.mark.parametrize('x', [-26.0, -24.0, -22.0, 208.0, 212.0, 216.0])
def test_targets_at_the_very_edge(x):
    """Where one column of the Gaussian is in the map, or just none."""
    options = dict(input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
    xy = np.array([[[x, 128.0]]], np.float32)
    visible = np.ones((1, 1), np.float32)
    expected = MSRAHeatmap(**options).encode(xy, visible)
    found = FastMSRAHeatmap(**options).encode(xy, visible)
    np.testing.assert_array_equal(found['heatmaps'], expected['heatmaps'])
    np.testing.assert_array_equal(
        found['keypoint_weights'], expected['keypoint_weights']
    )


# --- all of them in a pipeline ----------------------------------------------


@pytest.fixture(scope='module')
def people(synthetic_people):
    return CocoDataset(
        ann_file=str(
            synthetic_people / 'annotations/person_keypoints_val.json'
        ),
        data_prefix=dict(img=str(synthetic_people / 'val')),
    )


def packed(pipeline, dataset, rows, seeds):
    steps = Compose([TRANSFORMS.build(step) for step in pipeline])
    for row, seed in itertools.product(rows, seeds):
        np.random.seed(seed)
        yield steps(dataset.get_data_info(row))


def test_mmposes_pipeline_gives_the_same_bits(people):
    plain = load_config(HRNET, find_data=False).train_pipeline
    fast = with_fast_steps(plain)
    changed = [
        new['type'] for new, old in zip(fast, plain, strict=True) if new != old
    ]
    assert changed == [
        'FastRandomFlip',
        'FastRandomBBoxTransform',
        'GenerateTarget',
    ]
    chance = (people, range(3), range(6))
    flipped = 0
    for one, other in zip(
        packed(plain, *chance), packed(fast, *chance), strict=True
    ):
        assert torch.equal(one['inputs'], other['inputs'])
        samples = one['data_samples'], other['data_samples']
        maps = [sample.gt_fields.heatmaps for sample in samples]
        weights = [s.gt_instance_labels.keypoint_weights for s in samples]
        assert torch.equal(*maps)
        assert torch.equal(*weights)
        scales = [sample.metainfo['input_scale'] for sample in samples]
        np.testing.assert_array_equal(*scales)
        flipped += samples[0].metainfo['flip']
    assert 0 < flipped < 18


def test_with_fast_steps_finds_them_wherever_they_are():
    codec = dict(type='MSRAHeatmap', sigma=2)
    pipeline = [
        dict(type='mmpose.RandomFlip', direction='horizontal'),
        dict(type='mmdet.RandomFlip'),
        dict(type='RandomApply', transforms=[dict(type=RandomFlip)]),
        dict(type='GenerateTarget', encoder=[codec, dict(type='SPR')]),
        dict(type='PackPoseInputs', meta_keys=('id', 'img_id')),
    ]
    assert with_fast_steps(pipeline) == [
        dict(type='FastRandomFlip', direction='horizontal'),
        dict(type='mmdet.RandomFlip'),
        dict(type='RandomApply', transforms=[dict(type=FastRandomFlip)]),
        dict(
            type='GenerateTarget',
            encoder=[dict(codec, type='FastMSRAHeatmap'), dict(type='SPR')],
        ),
        dict(type='PackPoseInputs', meta_keys=('id', 'img_id')),
    ]
    assert pipeline[0]['type'] == 'mmpose.RandomFlip'
    assert codec['type'] == 'MSRAHeatmap'


def test_the_config_of_the_page_is_mmposes_with_fast_steps(tmp_path):
    page = Path(__file__).parents[2] / 'docs' / 'speed_pipeline.md'
    (text,) = re.findall(r'```python\n(.*?)```', page.read_text(), re.S)
    (tmp_path / 'mine.py').write_text(text)
    found = load_config(str(tmp_path / 'mine.py'), find_data=False)
    plain = load_config(HRNET, find_data=False).train_pipeline
    pipeline = found.train_dataloader.dataset.pipeline
    pipeline[-2].encoder.pop('_scope_')  # put there with the base
    assert pipeline == with_fast_steps(plain)
