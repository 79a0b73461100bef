"""Clean numbers of test.py and of the benchmark are equal under each option of
a metric that a config can set, or the benchmark refuses the option."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from mmengine.fileio import load
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.api import run_benchmark
from mmpose_occlusion.datasets import match_detections
from mmpose_occlusion.engine.config import load_config, metainfo_of
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.mmpose_crops import Crops
from mmpose_occlusion.predictors.mmpose_dataset import describe_data
from mmpose_occlusion.skeleton import Skeleton
from tests.test_evaluation.runs import synthetic
from tests.test_tools.conftest import tool  # noqa: F401


@MODELS.register_module()
class TruthWithNoise(BaseModel):
    """Answers to a box with the best overlapping person, and noise that is
    the same for the same box."""

    def __init__(self, people, joints):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.people, self.joints = load(people), joints

    def forward(self, inputs, data_samples, mode):
        for sample in data_samples:
            (box,) = np.asarray(sample.gt_instances.bboxes, float)
            image = sample.metainfo['img_id']
            truth = min(
                self.people[str(image)],
                key=lambda joints: np.abs(
                    2 * np.mean(joints, axis=0) - box[:2] - box[2:]
                ).sum(),
            )
            size = max(box[2:] - box[:2])
            own = np.random.default_rng([image, *(10 * abs(box)).astype(int)])
            for rng, part in (np.random.default_rng(image), 0.06), (own, 0.03):
                noise = rng.normal(0, part, (self.joints, 2))
                truth = truth + size * noise
            scores = np.float32(own.uniform(0, 1, self.joints))[None]
            sample.pred_instances = InstanceData(
                keypoints=np.float32(truth)[None],
                keypoint_scores=scores,
            )
        return data_samples


CONFIG = """
default_scope = 'mmpose'
model = dict(type='TruthWithNoise', joints={joints}, people={people!r})
test_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset={dataset!r},
)
test_evaluator = {evaluator!r}
test_cfg = dict()
default_hooks = dict(logger=dict(type='LoggerHook'))
"""

COCO = {
    'default': {},
    'use_area': dict(use_area=False),
    'bbox': dict(score_mode='bbox'),
    'keypoint': dict(score_mode='keypoint'),
    'bbox_rle': dict(score_mode='bbox_rle'),
    'score_thr': dict(keypoint_score_thr=0.6),
    'no_nms': dict(nms_mode='none'),
    'nms_thr': dict(nms_thr=0.3),
    'collect_device': dict(collect_device='cpu'),
    'outfile_prefix': dict(outfile_prefix='results'),
    'crowd': dict(iou_type='keypoints_crowd'),
}
PCK = {
    'thr': dict(thr=0.02),
    'thr2': dict(thr=0.1),
    'default': {},
    'bbox': dict(norm_item=['bbox']),
}
MPII = {'default': {}, 'head': dict(norm_item='head', thr=0.5)}
REFUSED = [
    ('CocoMetric', 'format_only', True),
    ('CocoMetric', 'nms_mode', 'soft_oks_nms'),
    ('CocoMetric', 'gt_converter', dict(num_keypoints=1, mapping=[])),
    ('CocoMetric', 'pred_converter', dict(num_keypoints=1, mapping=[])),
    ('PCKAccuracy', 'norm_item', 'torso'),
    ('PCKAccuracy', 'norm_item', ['bbox', 'torso']),
    ('MpiiPCKAccuracy', 'norm_item', ['head', 'bbox']),
    ('MpiiPCKAccuracy', 'thr', 0.1),
]
METRICS = [
    *(('CocoMetric', name) for name in COCO),
    *(('PCKAccuracy', name) for name in PCK),
    *(('MpiiPCKAccuracy', name) for name in MPII),
]
IMAGES = 6

OPTIONS = dict(CocoMetric=COCO, PCKAccuracy=PCK, MpiiPCKAccuracy=MPII)


def people_of(root, mpii):
    """Image id -> joints of its people, also where they have no label."""
    folder = root / 'annotations'
    if not mpii:
        content = json.loads(
            (folder / 'person_keypoints_val.json').read_text()
        )
        out = {}
        for person in content['annotations']:
            joints = np.reshape(person['keypoints'], (-1, 3))[:, :2]
            out.setdefault(str(person['image_id']), []).append(joints.tolist())
        return out
    content = json.loads((folder / 'mpii_val.json').read_text())
    out = {}
    for person in content:
        out.setdefault(str(int(person['image'][:-4])), []).append(
            (np.array(person['joints']) - 1).tolist()
        )
    return out


def few_images(path, folder):
    """A file of the first images with people."""
    content = json.loads(path.read_text())
    ids = dict.fromkeys(p['image_id'] for p in content['annotations'])
    ids = list(ids)[:IMAGES]
    for key, name in (('images', 'id'), ('annotations', 'image_id')):
        content[key] = [e for e in content[key] if e[name] in ids]
    for index, image in enumerate(content['images']):
        image['crowdIndex'] = index / IMAGES  # for keypoints_crowd
    (folder / 'people.json').write_text(json.dumps(content))
    return str(folder / 'people.json')


@pytest.fixture(scope='module')
def folders(synthetic_people, tool, tmp_path_factory):  # noqa: F811
    """Metric -> its config's folder, with test.py's metrics, in one run for
    all options."""
    rng = np.random.default_rng(0)
    out = {}
    for metric, options in OPTIONS.items():
        folder = out[metric] = tmp_path_factory.mktemp(metric)
        mpii = metric == 'MpiiPCKAccuracy'
        dataset = synthetic(synthetic_people, mpii=mpii)
        crop = dataset['pipeline'][1]
        dataset['pipeline'] = [
            dataset['pipeline'][0],
            dict(crop, padding=1.1),
            *dataset['pipeline'][2:],
        ]
        people = people_of(synthetic_people, mpii)
        if metric == 'CocoMetric':
            dataset['ann_file'] = few_images(
                synthetic_people / dataset['ann_file'], folder
            )
            people = {k: people[k] for k in list(people)[:IMAGES]}
        else:  # which count crops
            dataset['indices'] = 6
        if metric == 'CocoMetric':
            boxes = [
                dict(
                    image_id=int(image),
                    category_id=1,
                    bbox=[*low.tolist(), *(high - low).tolist()],
                    score=float(rng.random()),
                )
                for image, found in people.items()
                for joints in found
                for shift in rng.normal(0, 2, (3, 2))
                for low, high in [
                    (
                        np.min(joints, axis=0) + shift,
                        np.max(joints, axis=0) + shift,
                    )
                ]
                if min(high - low) > 1
            ]
            (folder / 'boxes.json').write_text(json.dumps(boxes))
            dataset['bbox_file'] = str(folder / 'boxes.json')
        evaluator = [
            dict(type=metric, prefix=name, **option)
            for name, option in options.items()
        ]
        for each in evaluator:
            if 'outfile_prefix' in each:
                each['outfile_prefix'] = str(folder / each['outfile_prefix'])
        # as numbers of the config, formatting them would take seconds
        (folder / 'joints.json').write_text(json.dumps(people))
        text = CONFIG.format(
            joints=16 if mpii else 17,
            people=str(folder / 'joints.json'),
            dataset=dataset,
            evaluator=evaluator,
        )
        (folder / 'config.py').write_text(text)
        state = dict(state_dict=dict(weight=torch.zeros(1)))
        torch.save(state, folder / 'w.pth')
        argv = [str(folder / 'config.py'), str(folder / 'w.pth')]
        argv += ['--work-dir', str(folder), '--out', str(folder / 'out.json')]
        assert tool('test').main(argv) == 0
    return out


@pytest.fixture(scope='module')
def runs(folders):
    """Metric -> the benchmark's run."""

    def run(folder):
        joint = 'wrist' if folder.name.startswith('Mpii') else 'ankle'
        return run_benchmark(
            folder / 'config.py',
            folder / 'w.pth',
            out=folder / 'benchmark',
            attacks=[f'keypoint:left_{joint}:black'],
            cfg_options={'test_evaluator': [dict(type=folder.name[:-1])]},
        ).runs[0]

    return {metric: run(folder) for metric, folder in folders.items()}


def scored_as(run, folder, evaluator):
    """The analysis of a run with another evaluator in its config: what the
    store holds, but the predictions, is made again."""
    cfg = load_config(str(folder / 'config.py'))
    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = match_detections(cfg.test_dataloader.dataset.to_dict())
        skeleton = Skeleton.from_metainfo(metainfo_of(dataset))
        made = describe_data(Crops(dataset), skeleton, evaluator)
    boxes, people, about = made
    how = about['evaluation']
    run = replace(run, boxes=boxes, people=people, evaluation=how, attacks=[])
    return analyse([run], draws=0)[0][0]


@pytest.mark.parametrize(('metric', 'name'), METRICS)
def test_equal(folders, runs, metric, name):
    folder = folders[metric]
    said = json.loads((folder / 'out.json').read_text())
    option = OPTIONS[metric][name]
    evaluator = dict(option, type=metric, prefix=name)
    found = scored_as(runs[metric], folder, evaluator)
    ours = {f'{name}/{k}': e.value for k, e in found.clean.items()}
    if metric == 'MpiiPCKAccuracy':
        ours = {f'{name}/PCK': 100 * ours[f'{name}/PCKh']}
    elif metric == 'PCKAccuracy':
        ours = found.config_pck
    wanted = ('AP', 'AR') if metric == 'CocoMetric' else ('PCK',)
    for key in wanted:
        assert ours[f'{name}/{key}'] > 0
        assert ours[f'{name}/{key}'] == pytest.approx(
            said[f'{name}/{key}'], abs=1e-9
        )


def test_options_matter(folders):
    """Otherwise equal numbers would say nothing."""
    said = json.loads((folders['CocoMetric'] / 'out.json').read_text())
    same = ('default', 'collect_device', 'outfile_prefix', 'crowd')
    names = [n for n in COCO if n not in same]
    changed = {n for n in names if said[f'{n}/AP'] != said['default/AP']}
    assert changed == set(names)


@pytest.mark.parametrize(('metric', 'option', 'value'), REFUSED)
def test_refused(folders, metric, option, value):
    with pytest.raises(UsageError, match=f'{metric} with {option}='):
        run_benchmark(
            folders[metric] / 'config.py',
            folders[metric] / 'w.pth',
            out=folders[metric] / 'refused',
            attacks=['part:head'],
            cfg_options={
                'test_evaluator': [dict({option: value}, type=metric)]
            },
        )
    assert not (folders[metric] / 'refused').exists()
