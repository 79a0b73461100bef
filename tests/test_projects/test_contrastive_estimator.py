"""The estimator around the loss: views in, ordinary checkpoints out."""

import copy

import numpy as np
import pytest
import torch
import torch.distributed
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmpose.evaluation.functional import pose_pck_accuracy

from projects.tilting_at_windmills.contrastive_views import (
    OcclusionContrastLoss,
)
from tests.test_models.conftest import _one_thread  # noqa: F401
from tests.test_models.small import FAMILIES, RESNET, build, item

VIEWS = ('plain', 'keypoint_view', 'part_view')
TERMS = ['loss_kpt', 'loss_keypoint_view', 'loss_part_view']


def batch_of(collate=pseudo_collate, size=2, **kwargs):
    return collate([item(seed, **kwargs) for seed in range(size)])


def loss_of(model, batch):
    return model(**model.data_preprocessor(batch, True), mode='loss')


@pytest.mark.parametrize('family', FAMILIES)
def test_loss_is_that_of_the_networks_heatmaps(family):
    model = build('ContrastivePoseEstimator', FAMILIES[family])
    batch = batch_of()
    losses = loss_of(model, batch)
    ordinary = build('TopdownPoseEstimator', FAMILIES[family])
    crops = [crop for view in batch['inputs'] for crop in view]
    samples = [s for view in batch['data_samples'] for s in view]
    data = dict(inputs=crops, data_samples=copy.deepcopy(samples))
    with torch.no_grad():
        output = ordinary(
            **ordinary.data_preprocessor(data, True), mode='tensor'
        )
    stages = output if isinstance(output, list) else [output]
    assert len(stages) == (2 if family == 'hourglass' else 1)
    labels = [s.gt_instance_labels.keypoint_weights for s in samples[:2]]
    target = torch.stack([s.gt_fields.heatmaps for s in samples[:2]])
    cuts = dict(zip(VIEWS, (slice(0, 2), slice(2, 4), slice(4, 6)), strict=1))
    expected = OcclusionContrastLoss()(
        {name: [maps[cut] for maps in stages] for name, cut in cuts.items()},
        target,
        torch.cat(labels),
    )
    assert list(losses) == [*TERMS, 'acc_pose']
    for name in TERMS:
        assert losses[name].item() == pytest.approx(expected[name].item())
        assert losses[name] > 0
    _, accuracy, _ = pose_pck_accuracy(
        stages[-1][:2].numpy(),
        target.numpy(),
        torch.cat(labels).numpy() > 0,
    )
    assert losses['acc_pose'].item() == pytest.approx(accuracy)


def test_accuracy_is_the_last_stages_on_the_plain_view():
    model = build('ContrastivePoseEstimator', FAMILIES['hourglass'])
    for norm in model.modules():  # so that each pass gives the same maps
        norm.training = False
    batch = batch_of()
    crops = [crop for view in batch['inputs'] for crop in view]
    data = model.data_preprocessor(dict(inputs=crops, data_samples=[]))
    with torch.no_grad():
        first, last = (maps[:2] for maps in model(**data, mode='tensor'))
    for each, maps in zip(batch['data_samples'][0], last, strict=True):
        each.gt_fields = PixelData(heatmaps=maps)
        each.gt_instance_labels.keypoint_weights[:] = 1
    everywhere = np.ones(last.shape[:2], bool)
    by_stage = [
        pose_pck_accuracy(maps.numpy(), last.numpy(), everywhere)[1]
        for maps in (first, last)
    ]
    assert by_stage[0] < by_stage[1]
    assert loss_of(model, batch)['acc_pose'].item() == by_stage[1]


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
    assert ours['acc_pose'] == theirs['acc_pose']


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


def test_a_copy_of_the_model_trains_alike():
    """The moving average of a model's weights is a copy of it."""
    model = build('ContrastivePoseEstimator')
    twin = copy.deepcopy(model)
    assert loss_of(model, batch_of()) == loss_of(twin, batch_of())


def test_accuracy_can_be_left_out():
    model = build(
        'ContrastivePoseEstimator', train_cfg=dict(compute_acc=False)
    )
    assert list(loss_of(model, batch_of())) == TERMS


def test_views_may_be_others_than_the_references():
    model = build('ContrastivePoseEstimator')
    losses = loss_of(model, batch_of(views=('plain', 'hat')))
    assert list(losses) == ['loss_kpt', 'loss_hat', 'acc_pose']


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
        assert ours.keys() == {'loss', *TERMS, 'acc_pose'}
        for name in ours:
            assert ours[name].item() == pytest.approx(theirs[name].item())
    for one, other in zip(alone.parameters(), copy_.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_batch_without_views_is_an_error():
    model = build('ContrastivePoseEstimator')
    plain = {key: value[0] for key, value in batch_of().items()}
    with pytest.raises(ValueError, match='wrap the data set, train_data'):
        loss_of(model, plain)


def test_a_batch_of_unlike_views_is_an_error():
    model = build('ContrastivePoseEstimator')
    mixed = pseudo_collate([item(0), item(1, ('plain', 'hat', 'part_view'))])
    with pytest.raises(ValueError, match='2 of plain, 1 of keypoint_view'):
        loss_of(model, mixed)


def test_targets_of_another_size_are_an_error():
    model = build('ContrastivePoseEstimator')
    batch = batch_of()
    for each in batch['data_samples'][0]:
        half = each.gt_fields.heatmaps[:, ::2, ::2]
        each.gt_fields = PixelData(heatmaps=half)
    with pytest.raises(ValueError, match='do not go together'):
        loss_of(model, batch)


def test_samples_without_heatmaps_are_an_error():
    model = build('ContrastivePoseEstimator')
    batch = batch_of()
    for each in batch['data_samples'][0]:
        del each.gt_fields
    with pytest.raises(ValueError, match='give GenerateTarget one heatmap'):
        loss_of(model, batch)


def test_another_head_is_an_error():
    head = dict(
        type='RegressionHead',
        in_channels=64,
        num_joints=5,
        loss=dict(type='SmoothL1Loss', use_target_weight=True),
    )
    neck = dict(type='GlobalAveragePooling')
    with pytest.raises(
        ValueError, match=r'model\.head of type RegressionHead'
    ):
        build('ContrastivePoseEstimator', dict(RESNET, head=head, neck=neck))
