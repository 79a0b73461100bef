"""Batches from one clean copy: exact pixels on every device."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mmpose_occlusion.predictors.mmpose_topdown.batch import (
    Batch,
    load,
    put,
    send,
)
from mmpose_occlusion.predictors.mmpose_topdown.crop_maker import Crop
from mmpose_occlusion.predictors.mmpose_topdown.pixel_diff import (
    PixelDiff,
    find_diff,
    outcome_of,
)
from mmpose_occlusion.skeleton import Skeleton

SHAPE = (3, 16, 12)


def crop(number: int) -> tuple[Crop, np.ndarray]:
    """A crop, and the same under an attack."""
    generator = np.random.default_rng(number)
    inputs = generator.integers(0, 256, SHAPE, np.uint8)
    attacked = inputs.copy()
    attacked[:, number : number + 5, 2 : 4 + number] //= 2
    diff = find_diff(inputs.transpose(1, 2, 0), attacked.transpose(1, 2, 0))
    record = dict(hidden=[], pixels=number)
    sample = PoseDataSample(
        metainfo=dict(input_center=np.ones(2), img_id=number),
        gt_instances=InstanceData(bboxes=np.ones((1, 4))),
    )
    outcomes = {7: outcome_of(diff, [record], Skeleton(('nose',)))}
    return Crop(inputs, sample, outcomes), attacked


@pytest.fixture
def crops():
    return [crop(number) for number in range(4)]


def test_some_of_a_block_under_an_attack(crops):
    made = [c for c, _ in crops]
    clean = load(made, 'cpu')
    before = clean.clone()
    batch = Batch(clean, made, [0, 3, 1], attack=7)
    found = batch.inputs()
    assert len(batch) == len(found) == 3
    for row, inputs in zip([0, 3, 1], found, strict=True):
        assert np.array_equal(inputs.numpy(), crops[row][1])
    assert torch.equal(clean, before)


def test_clean_ones_are_not_copied(crops):
    batch = Batch.of([c for c, _ in crops])
    for inputs, (made, _) in zip(batch.inputs(), crops, strict=True):
        assert np.array_equal(inputs.numpy(), made.inputs)
    assert batch.inputs()[2].data_ptr() == batch.clean[2].data_ptr()


def test_samples_have_the_records_of_their_attack(crops):
    made = [c for c, _ in crops]
    attacked = Batch.of(made, attack=7).samples()
    assert [s.metainfo['occlusions'][0]['pixels'] for s in attacked] == [
        *range(4)
    ]
    clean = Batch.of(made).samples()
    assert all(s.metainfo['occlusions'] == [] for s in clean)
    assert 'occlusions' not in made[0].sample.metainfo
    # as MMEngine does before each pass
    moved = attacked[1].to('cpu')
    moved.pred_instances = InstanceData(scores=np.ones(1))
    moved.set_metainfo(dict(pad_shape=(1, 2)))
    assert 'pred_instances' not in attacked[1]
    assert 'pad_shape' not in attacked[1].metainfo
    assert moved.metainfo['img_id'] == 1
    assert np.array_equal(moved.gt_instances.bboxes, np.ones((1, 4)))
    assert isinstance(moved, PoseDataSample)


def test_tensors_of_a_sample_go_to_the_device(crops):
    made = crops[0][0]
    made.sample.gt_instances.weights = torch.ones(1, 17)
    (sample,) = Batch.of([made]).samples()
    moved = sample.to('meta')
    assert moved.gt_instances.weights.is_meta
    assert not sample.gt_instances.weights.is_meta


def diffs() -> list[PixelDiff]:
    generator = np.random.default_rng(0)
    shapes = [(3, 1, 1), (3, 16, 12), (3, 4, 7)]
    places = [(11, 15), (0, 0), (5, 3)]
    return [
        PixelDiff(x, y, generator.integers(0, 256, shape, np.uint8))
        for (x, y), shape in zip(places, shapes, strict=True)
    ]


def test_sent_in_one_piece_or_written_one_by_one():
    one = torch.zeros((3, *SHAPE), dtype=torch.uint8)
    two = one.clone()
    put(one, diffs())
    send(two, diffs())
    assert torch.equal(one, two)
    assert one[0, :, 15, 11].tolist() == diffs()[0].pixels.ravel().tolist()
    assert int((one[0] != 0).sum()) <= 3


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no GPU')
def test_on_a_gpu(crops):
    made = [c for c, _ in crops]
    batch = Batch.of(made, attack=7, device='cuda')
    for inputs, (_, attacked) in zip(batch.inputs(), crops, strict=True):
        assert inputs.is_cuda
        assert np.array_equal(inputs.cpu().numpy(), attacked)
