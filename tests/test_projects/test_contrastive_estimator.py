"""The estimator around the loss: views in, ordinary checkpoints out."""

import copy

import numpy as np
import pytest
import torch
import torch.distributed
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample

import projects.tilting_at_windmills.contrastive_views  # noqa: F401
from tests.test_models.conftest import _one_thread  # noqa: F401
from tests.test_models.small import FAMILIES, build, item

VIEWS = ('plain', 'keypoint_view', 'part_view')
TERMS = ['loss_kpt', 'loss_keypoint_view', 'loss_part_view']


def batch_of(collate=pseudo_collate, size=2, **kwargs):
    return collate([item(seed, **kwargs) for seed in range(size)])


def loss_of(model, batch):
    return model(**model.data_preprocessor(batch, True), mode='loss')


# two crops, two joints, maps of one row and two columns
MAPS = torch.tensor(
    [
        [[[[1.0, 0]], [[2, 2]]], [[[0, 3]], [[5, 5]]]],  # plain
        [[[[1.0, 2]], [[2, 2]]], [[[0, 3]], [[9, 9]]]],
        [[[[0.0, 0]], [[2, 6]]], [[[2, 3]], [[5, 5]]]],
    ]
)
TARGET = torch.tensor([[[[0.0, 0]], [[0, 2]]], [[[0, 1]], [[0, 0]]]])
WEIGHTS = torch.tensor([[1.0, 1], [1, 0]])  # the last joint has no label

# Squared differences, crop by crop, halved after the mean over 2 x 2 values:
# plain to target   joint 1: (1 0) (0 4) -> 5/8   joint 2: (4 0) - -> 1/2
# keypoint to plain joint 1: (0 4) (0 0) -> 1/2   joint 2: (0 0) - -> 0
# part to plain     joint 1: (1 0) (4 0) -> 5/8   joint 2: (0 16) - -> 2
BY_HAND = dict(
    loss_kpt=(5 / 8 + 1 / 2) / 2,
    loss_keypoint_view=(1 / 2 + 0) / 2,
    loss_part_view=(5 / 8 + 2) / 2,
)


def losses_of(stages, target, weights):
    """Of given heatmaps: for each stage (3, B, K, h, w), and of targets."""
    model = build('ContrastivePoseEstimator')
    model.extract_feat = lambda inputs: inputs
    model.head.forward = lambda _: [maps.flatten(0, 1) for maps in stages]
    samples = [
        PoseDataSample(
            metainfo=dict(view=view),
            gt_fields=PixelData(heatmaps=maps),
            gt_instance_labels=InstanceData(keypoint_weights=weight[None]),
        )
        for view in VIEWS
        for maps, weight in zip(target, weights, strict=True)
    ]
    losses = model.loss(torch.zeros(1), samples)
    assert list(losses) == TERMS
    return losses


def values(losses):
    return {name: loss.item() for name, loss in losses.items()}


def test_terms_by_hand():
    losses = losses_of([MAPS], TARGET, WEIGHTS)
    assert values(losses) == pytest.approx(BY_HAND)


def test_stages_are_summed_each_against_its_own_plain_view():
    """A second stage that answers the target in every view costs nothing."""
    right = torch.stack([TARGET] * 3)
    losses = losses_of([MAPS, right], TARGET, WEIGHTS)
    assert values(losses) == pytest.approx(BY_HAND)
    losses = losses_of([MAPS, MAPS], TARGET, WEIGHTS)
    doubled = {name: 2 * value for name, value in BY_HAND.items()}
    assert values(losses) == pytest.approx(doubled)


def reference_loss(output, target, weights):
    """Half a mean squared error for each joint, averaged over joints."""
    total = 0.0
    for joint in range(output.shape[1]):
        weight = weights[:, joint, None]
        ours = output[:, joint].flatten(1) * weight
        theirs = target[:, joint].flatten(1) * weight
        total += 0.5 * torch.nn.functional.mse_loss(ours, theirs)
    return total / output.shape[1]


def test_terms_are_the_references_for_weights_of_0_and_1():
    generator = torch.Generator().manual_seed(0)
    shape = (3, 17, 8, 6)
    maps = torch.randn((3, *shape), generator=generator)
    target = torch.randn(shape, generator=generator)
    labelled = torch.rand(shape[:2], generator=generator).round()
    found = list(values(losses_of([maps], target, labelled)).values())
    wanted = [target, maps[0], maps[0]]
    assert found == [
        pytest.approx(reference_loss(view, other, labelled))
        for view, other in zip(maps, wanted, strict=True)
    ]


def test_gradients_reach_the_plain_view():
    maps = MAPS.clone().requires_grad_()
    losses = losses_of([maps], TARGET, WEIGHTS)
    (losses['loss_keypoint_view'] + losses['loss_part_view']).backward()
    plain, keypoint, part = maps.grad
    # d/dv of 1/2 1/K mean over B h w of (v - p)^2: (v - p) / 8
    assert keypoint[0, 0, 0].tolist() == [0, 2 / 8]
    assert part[0, 1, 0].tolist() == [0, 4 / 8]
    assert not keypoint[1, 1].any()  # no label, no pull
    assert torch.equal(plain, -(keypoint + part))


def test_plain_term_is_half_of_what_the_head_itself_says():
    model = build('ContrastivePoseEstimator')
    ordinary = build('TopdownPoseEstimator')
    for each in (model, ordinary):
        each.backbone.eval(), each.head.eval()
    batch = batch_of()
    plain = {key: value[0] for key, value in copy.deepcopy(batch).items()}
    ours, theirs = loss_of(model, batch), loss_of(ordinary, plain)
    half = theirs['loss_kpt'].item() / 2
    assert ours['loss_kpt'].item() == pytest.approx(half, rel=1e-5)


@pytest.mark.parametrize('family', FAMILIES)
def test_every_parameter_learns(family):
    """So distributed training needs no find_unused_parameters."""
    model = build('ContrastivePoseEstimator', FAMILIES[family])
    losses = loss_of(model, batch_of())
    sum(losses[name] for name in TERMS).backward()
    unused = [n for n, p in model.named_parameters() if p.grad is None]
    assert unused == []


def test_all_views_share_one_pass_and_its_statistics():
    model = build('ContrastivePoseEstimator')
    loss_of(model, batch_of())
    norm = model.backbone.bn1
    assert norm.num_batches_tracked == 1


def test_collate_functions_agree_and_views_are_normalised_as_ever():
    model = build('ContrastivePoseEstimator')
    ordinary = build('TopdownPoseEstimator')
    made = [
        model.data_preprocessor(batch_of(collate), True)
        for collate in (pseudo_collate, default_collate)
    ]
    assert torch.equal(made[0]['inputs'], made[1]['inputs'])
    for index, view in enumerate(VIEWS):
        alone = pseudo_collate(
            [
                {key: value[index] for key, value in item(seed).items()}
                for seed in range(2)
            ]
        )
        expected = ordinary.data_preprocessor(alone, True)
        rows = slice(2 * index, 2 * index + 2)
        for data in made:
            assert torch.equal(data['inputs'][rows], expected['inputs'])
            names = [s.metainfo['view'] for s in data['data_samples'][rows]]
            assert names == [view] * 2


def test_checkpoints_and_predictions_are_the_ordinary_models():
    model = build('ContrastivePoseEstimator').eval()
    torch.manual_seed(1)
    ordinary = build('TopdownPoseEstimator').eval()
    for parameter in ordinary.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    assert list(model.state_dict()) == list(ordinary.state_dict())
    model.load_state_dict(ordinary.state_dict())
    plain = {key: value[0] for key, value in batch_of().items()}
    ours, theirs = (
        each.test_step(copy.deepcopy(plain)) for each in (model, ordinary)
    )
    for one, other in zip(ours, theirs, strict=True):
        for key in ('keypoints', 'keypoint_scores'):
            assert np.array_equal(
                one.pred_instances[key], other.pred_instances[key]
            )


def test_views_may_be_others_than_the_references():
    model = build('ContrastivePoseEstimator')
    losses = loss_of(model, batch_of(views=('plain', 'hat')))
    assert list(losses) == ['loss_kpt', 'loss_hat']


@pytest.fixture
def process_group(tmp_path):
    """This process alone, over gloo."""
    torch.distributed.init_process_group(
        'gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1
    )
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures('process_group')
@pytest.mark.parametrize('family', FAMILIES)
def test_distributed_training_takes_the_same_step(family):
    alone, copy_ = (
        build('ContrastivePoseEstimator', FAMILIES[family]) for _ in range(2)
    )
    wrapped = MMDistributedDataParallel(
        copy_, device_ids=None, broadcast_buffers=False
    )
    logs = []
    for model in (alone, wrapped):
        sgd = torch.optim.SGD(model.parameters(), lr=0.1)
        optimizer = OptimWrapper(sgd)
        # the second step fails if a gradient of the first is missing
        logs.append(
            [model.train_step(batch_of(), optimizer) for _ in range(2)]
        )
    for ours, theirs in zip(*logs, strict=True):
        assert ours.keys() == {'loss', *TERMS}
        for name in ours:
            assert ours[name].item() == pytest.approx(theirs[name].item())
    for one, other in zip(alone.parameters(), copy_.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_batch_without_views_is_an_error():
    model = build('ContrastivePoseEstimator')
    plain = {key: value[0] for key, value in batch_of().items()}
    with pytest.raises(ValueError, match='wrap the data set, train_data'):
        loss_of(model, plain)
