"""Geometry and paint of batches against the occluders."""

import cv2
import numpy as np
import pytest
import torch

from mmpose_occlusion.batched import (
    Levels,
    Patches,
    corrected_boxes,
    paint,
    views_of,
)
from mmpose_occlusion.datasets.transforms import (
    KeypointOcclusion,
    PartOcclusion,
)
from mmpose_occlusion.occluders import (
    Box,
    Disc,
    make_patch,
    make_record,
    replay_all,
)
from mmpose_occlusion.occluders.part_box import corrected_box
from mmpose_occlusion.skeleton import Skeleton
from tests.golden import samples

from .people import make_crops, pack

SHAPE = (40, 30)
LAYOUTS = ('coco', 'mpii', 'aic', 'crowdpose', 'jhmdb')


def patches_of(regions, paints, shape=SHAPE, **kwargs):
    records = [
        [
            make_record(
                transform='',
                call=0,
                instance=0,
                name='here',
                fill='',
                region=region,
                paint=paint,
            )
        ]
        for region, paint in zip(regions, paints, strict=True)
    ]
    return Patches.from_records(records, shape, **kwargs)


def test_discs_have_the_pixels_of_discs():
    rng = np.random.default_rng(0)
    discs = [
        Disc(tuple(center), radius)
        for radius in (0.8, 2, 5, 7.3, 13, 60)
        for step in (1, 2, 10, 0)
        for center in (
            np.round(xy * step) / step if step else xy
            for xy in rng.uniform(0, (29.4, 39.4), (20, 2))
        )
    ]
    black = dict(kind='color', color=[0.0] * 3)
    patches = patches_of(discs, [black] * len(discs))
    painted = np.zeros((len(discs), *SHAPE), bool)
    for patch, row, start, stop in np.stack(patches.spans(), axis=1):
        painted[patch, row, start:stop] = True
    wanted = np.stack([disc.mask((0, 0, 30, 40)) for disc in discs])
    np.testing.assert_array_equal(painted, wanted)
    np.testing.assert_array_equal(patches.pixels(), wanted.sum((1, 2)))


@pytest.mark.parametrize('layout', LAYOUTS)
def test_parts_have_the_boxes_of_parts(layout):
    parts = {'two': samples.names(layout)[:2]}
    skeleton = Skeleton.from_names(tuple(samples.names(layout)), parts)
    rng = np.random.default_rng(1)
    joints = len(skeleton.names)
    xy = rng.uniform(0, (47.99, 63.99), (300, joints, 2))
    xy[:100] = np.round(xy[:100])
    xy[100:200] = np.round(xy[100:200] * 2) / 2
    xy[200:] = 20 + xy[200:] / 8
    inside = (xy >= 0).all(2) & (xy < (48, 64)).all(2)
    available = inside & (rng.random((300, joints)) < 0.6)
    for part in skeleton.parts:
        index = list(skeleton.part_indices(part))
        has = available[:, index].any(axis=1)
        found = corrected_boxes(
            part, skeleton, xy[has], available[has], 64, (64, 48)
        )
        for box, points, there in zip(
            found, xy[has], available[has], strict=True
        ):
            named = {
                name: tuple(points[i].tolist())
                for i, name in enumerate(skeleton.names)
                if there[i]
            }
            wanted = corrected_box(part, skeleton, named, 64.0, (64, 48))
            assert tuple(box) == wanted.box, part


@pytest.mark.parametrize('ksize', [3, 5, 7, 9, 11, 31, 119])
def test_blurs_are_those_of_opencv_at_every_border(ksize):
    """A float batch is not rounded: within half a grey level and what
    OpenCV's own exact integer path is off by; uint8 within one level."""
    image = samples.photo(*SHAPE, 3)
    boxes = [
        (0, 0, 30, 40),
        (0, 0, 1, 1),
        (29, 39, 30, 40),
        (3, 35, 9, 40),
        (11, 12, 20, 18),
    ]
    recipe = dict(kind='blur', ksize=ksize, exact=False)
    patches = patches_of([Box(b) for b in boxes], [recipe] * len(boxes))
    wanted = cv2.GaussianBlur(image.astype(np.float64), (ksize, ksize), 0)
    clean = torch.as_tensor(image.transpose(2, 0, 1)).expand(5, -1, -1, -1)
    for batch, tolerance in ((clean.float(), 0.01), (clean.clone(), 0.51)):
        paint(batch, patches)
        painted = batch.permute(0, 2, 3, 1).numpy()
        for (x1, y1, x2, y2), got in zip(boxes, painted, strict=True):
            here = (slice(y1, y2), slice(x1, x2))
            assert np.abs(got[here] - wanted[here]).max() <= tolerance
            ours = make_patch(image, Box((x1, y1, x2, y2)), recipe).pixels
            assert np.abs(got[here] - ours.astype(float)).max() <= 1
            got[here] = image[here]
        np.testing.assert_array_equal(painted, np.stack([image] * 5))


def test_patches_of_many_attacks_on_one_clean_batch():
    crops = make_crops(6)
    clean, _ = pack(crops, normalise=False)
    before = clean.clone()
    attacks = [
        KeypointOcclusion(['nose', 'left_eye', 'right_eye'], 'mean', 24),
        PartOcclusion('left_arm', 'blur'),
        PartOcclusion(['head', 'corpus'], 'black'),
        KeypointOcclusion('left_hip', 'grey', 30),
    ]
    origin, records, wanted = [], [], []
    for attack in attacks:
        for number, crop in enumerate(crops):
            done = attack(dict(crop))['occlusions']
            origin.append(number)
            records.append(done)
            wanted.append(replay_all(crop['img'], done))
    patches = Patches.from_records(records, clean.shape[2:], origin)
    views = views_of(clean, patches, origin, Levels())
    np.testing.assert_array_equal(clean, before)
    off = np.abs(views.permute(0, 2, 3, 1).int().numpy() - np.stack(wanted))
    assert off.max() <= 1
    blurred = np.array([r[0]['fill'] == 'blur' for r in records])
    assert not off[~blurred].any()
    assert (views[len(crops) :] != before.repeat(3, 1, 1, 1)).any()


@pytest.mark.parametrize(
    'view',
    [
        lambda batch: batch.to(memory_format=torch.channels_last),
        lambda batch: torch.cat([batch, batch], 1)[:, 1:4].roll(-2, 1),
        lambda batch: torch.nn.functional.pad(batch, (3, 1, 2, 0))[
            :, :, 2:, 3:-1
        ],
    ],
)
def test_any_layout_of_memory(view):
    clean, _ = pack(make_crops(3))
    regions = [Disc((10, 12), 6), Box((3, 4, 20, 9)), Disc((0, 63), 4)]
    paints = [
        dict(kind='color', color=[1.0, 2.0, 3.0]),
        dict(kind='blur', ksize=5, exact=False),
        dict(kind='color', color=[np.nan] * 3),
    ]
    patches = patches_of(regions, paints, (64, 48))
    batch = view(clean)
    before = batch.clone()
    wanted = batch.clone(memory_format=torch.contiguous_format)
    paint(wanted, patches)
    paint(batch, patches)
    torch.testing.assert_close(batch, wanted)
    assert (batch != before).flatten(1).any(1).all()


def test_what_records_cannot_be_painted():
    with pytest.raises(ValueError, match='painted with noise; a batch'):
        patches_of([Disc((3, 3), 2)], [dict(kind='noise', seed=1)])
    with pytest.raises(ValueError, match='an exact blur'):
        patches_of([Disc((3, 3), 2)], [dict(kind='blur', ksize=3, exact=True)])
    crop = make_crops(2)[0]
    for _ in range(2):
        crop = KeypointOcclusion()(crop)
    with pytest.raises(ValueError, match='several occlusions'):
        Patches.from_records([crop['occlusions']], (64, 48))


def test_nothing_to_paint():
    clean, _ = pack(make_crops(2))
    batch = clean.clone()
    paint(batch, Patches.from_records([[], []], (64, 48)))
    assert torch.equal(batch, clean)


@pytest.mark.cuda
def test_a_gpu_paints_the_same():
    if not torch.cuda.is_available():
        pytest.skip('there is no GPU')
    clean, _ = pack(make_crops(4))
    regions = [Disc((9.3, 20), 8), Box((3, 4, 40, 50))] * 2
    paints = [dict(kind='blur', ksize=9, exact=False)] * 2
    paints += [dict(kind='color', color=[np.nan] * 3)] * 2
    patches = patches_of(regions, paints, (64, 48))
    there = clean.cuda()
    paint(clean, patches)
    paint(there, patches)
    torch.testing.assert_close(there.cpu(), clean, atol=1e-3, rtol=0)
