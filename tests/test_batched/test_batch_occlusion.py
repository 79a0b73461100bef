"""``BatchOcclusion`` against the transforms of the same configs."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed
from mmpose.registry import MODELS

from mmpose_occlusion.datasets.transforms import (
    KeypointOcclusion,
    PartOcclusion,
    RandomOcclusion,
)
from mmpose_occlusion.models import BatchOcclusion
from mmpose_occlusion.occluders import replay_all
from tests.narrow import few, narrowing
from tests.transform_cases import CASES

from .people import NORMALISED, levels, make_crops, pack

DOCS = Path(__file__).resolve().parents[2] / 'docs/batches.md'
FILLS = ('blur', 'mean', 'black', 'grey')


def fits(cls, kwargs):
    """Whether a case of the transforms' table can be done to a batch."""
    return (
        cls in (KeypointOcclusion, PartOcclusion, RandomOcclusion)
        and kwargs.get('fill', 'blur') in FILLS
        and not {'diameter', 'place'} & kwargs.keys()
    )


BATCHED = {name: case for name, case in CASES.items() if fits(*case)}
BATCHED |= {
    f'{cls.__name__}-{fill}': (cls, dict(fill=fill))
    for cls in (KeypointOcclusion, PartOcclusion, RandomOcclusion)
    for fill in FILLS
}


def build(cls, kwargs, **more):
    return BatchOcclusion(dict(type=cls.__name__, **kwargs), **more)


@pytest.mark.parametrize('normalise', [True, False], ids=['float', 'uint8'])
@pytest.mark.parametrize('layout', ['coco', 'mpii'])
@pytest.mark.parametrize('case', BATCHED)
def test_a_batch_gets_what_its_crops_get(case, layout, normalise):
    """Pixels, hidden and removed joints, names and boxes: all of it."""
    cls, kwargs = BATCHED[case]
    kwargs = {**kwargs, 'seed': 5}
    crops = make_crops(12, layout)
    batch, people = pack(crops, normalise)
    more = NORMALISED if normalise else {}
    out, same = build(cls, kwargs, record=True, **more)(batch, people)
    assert out is batch
    assert same is people
    transform, changed = cls(**kwargs), 0
    for crop, person, pixels in zip(crops, people, levels(out), strict=True):
        wanted = transform(dict(crop))
        off = np.abs(pixels - wanted['img'])
        changed += bool((wanted['img'] != crop['img']).any())
        blurred = kwargs.get('fill', 'blur') == 'blur'
        assert off.max() <= (1 if blurred else 1e-4)
        done = [r for r in wanted['occlusions'] if r['pixels']]
        ours = [r for r in person.occlusions if r['pixels']]
        json.dumps(person.occlusions)
        assert [{**r, 'transform': cls.__name__} for r in ours] == done
        assert all(
            r['transform'] == 'BatchOcclusion' and (r['pixels'] or r['reason'])
            for r in person.occlusions
        )
        replayed = replay_all(crop['img'], person.occlusions)
        np.testing.assert_array_equal(replayed, wanted['img'])
        removed = (
            crop['keypoints_visible'] != wanted['keypoints_visible']
        ).reshape(-1)
        weights = person.gt_instance_labels.keypoint_weights.reshape(-1)
        np.testing.assert_array_equal(weights == 0, removed)
    assert changed > 1


def test_without_a_seed_torch_says_what_is_hidden():
    crops = make_crops(40)
    occlude = build(KeypointOcclusion, dict(prob=0.5), **NORMALISED)

    def run(seed):
        torch.manual_seed(seed)
        clean, people = pack(crops)
        batch, _ = occlude(clean.clone(), people)
        assert all('occlusions' not in p.metainfo for p in people)
        return batch, (batch != clean).flatten(1).any(1)

    (first, hit), (again, _), (other, _) = run(0), run(0), run(1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 8 < hit.sum() < 32


@pytest.mark.parametrize(
    ('occlusion', 'more', 'sentence'),
    [
        (dict(type='PartMix'), {}, 'cannot do PartMix to a batch'),
        (
            dict(type='KeypointOcclusion', fill='noise'),
            {},
            "fill='noise' is not for batches",
        ),
        (
            dict(type='KeypointOcclusion', place='off_person'),
            {},
            "place='off_person' is not for batches",
        ),
        (
            dict(type='KeypointOcclusion', diameter=0.1),
            {},
            'diameter=0.1 is not for batches',
        ),
        (
            dict(type='PartOcclusion', paper_exact=True),
            {},
            'paper_exact=True is not for batches',
        ),
        (
            dict(type='PartOcclusion'),
            dict(mean=[1, 2, 3]),
            'give mean and std',
        ),
    ],
)
def test_what_a_batch_refuses(occlusion, more, sentence):
    with pytest.raises(ValueError, match=sentence):
        BatchOcclusion(occlusion, **more)


def test_samples_that_do_not_fit():
    batch, people = pack(make_crops(2))
    unknown = build(KeypointOcclusion, dict(target='tail'))
    with pytest.raises(ValueError, match="no joint 'tail'"):
        unknown(batch, people)
    file = 'configs/_base_/datasets/mpii.py'
    occlude = build(KeypointOcclusion, {}, metainfo=dict(from_file=file))
    with pytest.raises(ValueError, match='17 joints, but the metainfo names'):
        occlude(batch, people)
    missing = build(KeypointOcclusion, {}, metainfo='no/such.py')
    with pytest.raises(ValueError, match='no metainfo "no/such'):
        missing(batch, people)
    occlude = build(KeypointOcclusion, {})
    for person in people:
        del person.gt_instances.transformed_keypoints
    with pytest.raises(ValueError, match='pack_transformed=True'):
        occlude(batch, people)
    person = people[0].gt_instances
    person.transformed_keypoints = np.zeros((1, 17, 2))
    people[0].gt_instances = person.cat([person, person])
    with pytest.raises(ValueError, match='one person each'):
        occlude(batch[:1], people[:1])
    del people[0].dataset_name
    with pytest.raises(ValueError, match='names of the joints'):
        occlude(batch[:1], people[:1])


def test_removal_needs_weights():
    batch, people = pack(make_crops(3))
    for person in people:
        del person.gt_instance_labels.keypoint_weights
    occlude = build(PartOcclusion, dict(remove_keypoints=True))
    with pytest.raises(ValueError, match='before GenerateTarget'):
        occlude(batch, people)


def test_the_config_of_the_docs_trains(synthetic_people, tmp_path):
    """Two iterations through MMPose's own preprocessor, data and loss."""
    (text, *_) = re.findall('```python\n(.*?)```', DOCS.read_text(), re.S)
    path = tmp_path / 'config.py'
    path.write_text(text)
    cfg = Config.fromfile(path)
    init_default_scope('mmpose')
    cfg.merge_from_dict(narrowing(cfg.model) | few(cfg, 'train', 4, 2))
    dataset = cfg.train_dataloader.dataset
    dataset.data_root = str(synthetic_people)
    dataset.ann_file = 'annotations/person_keypoints_train.json'
    dataset.data_prefix = dict(img='train/')
    set_random_seed(0)
    model = MODELS.build(cfg.model)
    (occlude,) = model.data_preprocessor.batch_augments
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    seen = []
    occlude.register_forward_hook(lambda _, args, out: seen.append(args))
    for _, data in zip(range(2), loader, strict=False):
        clean = model.data_preprocessor(data, False)
        before = [
            s.gt_instance_labels.keypoint_weights.clone()
            for s in clean['data_samples']
        ]
        assert len(seen) == 0, 'occluded outside training'
        losses = model.train_step(data, optimizer)
        assert torch.isfinite(losses['loss_kpt'])
        ((inputs, samples),) = seen
        seen.clear()
        assert not torch.equal(inputs, clean['inputs'])
        for sample, kept in zip(samples, before, strict=True):
            weights = sample.gt_instance_labels.keypoint_weights
            assert 0 < weights.sum() < kept.sum() or kept.sum() == 0
