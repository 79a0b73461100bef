"""Testing with the tool: clean, under attack, with pictures, and refused."""

import json
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from tests.ranks import run_ranks

from .conftest import log_of

NOSE = ['--attack', 'keypoint:nose:black']
LEG = ['--attack', 'part:left_leg:mean']


@pytest.fixture
def run(config, checkpoint, tool, tmp_path):
    """Test with further arguments; gives the log and the metrics."""

    def test(*arguments, config=config):
        work_dir = tmp_path / f'run{len(list(tmp_path.iterdir()))}'
        argv = [config, checkpoint, '--work-dir', str(work_dir)]
        argv += ['--out', str(work_dir / 'metrics.json')]
        assert tool('test').main([*argv, *arguments]) == 0
        metrics = json.loads((work_dir / 'metrics.json').read_text())
        return log_of(work_dir), metrics

    return test


def attack_lines(log):
    return [
        line.partition('INFO - ')[2]
        for line in log.splitlines()
        if 'INFO - Attack ' in line
    ]


def test_clean(run, device, tmp_path):
    log, metrics = run()
    assert f'CUDA available: {device == "cuda"}' in log
    assert set(metrics) >= {'coco/AP', 'coco/AR'}
    assert attack_lines(log) == []
    (path,) = tmp_path.glob('run0/clean_2*.json')
    assert json.loads(path.read_text())['metrics'] == {
        name: None if value == -1 else value for name, value in metrics.items()
    }


def test_two_attacks_on_the_same_crops(run, tmp_path):
    dump = tmp_path / 'predictions.pkl'
    log, _ = run(*NOSE, *LEG, '--dump', str(dump))
    lines = attack_lines(log)
    assert len(lines) == 2
    assert lines[0].startswith('Attack keypoint:nose:black changed ')
    assert lines[1].startswith('Attack part:left_leg:mean changed ')
    assert all(' of 8 crops (' in line for line in lines)

    samples = pickle.loads(dump.read_bytes())
    assert len(samples) == 8
    calls = [
        [record['call'] for record in sample['occlusions']]
        for sample in samples
    ]
    assert calls == [[0, 1]] * 8
    changed = sum(bool(s['occlusions'][0]['pixels']) for s in samples)
    assert f' changed {changed} of 8 crops' in lines[0]
    assert 0 < changed <= 8


def test_attack_in_the_config_options(run):
    by_option, one = run(
        '--cfg-options',
        'attack.type=KeypointOcclusion',
        'attack.target=nose',
        'attack.fill=black',
    )
    by_argument, two = run(*NOSE)
    assert attack_lines(by_option) == attack_lines(by_argument) != []
    assert one == two


def test_attack_key_of_a_config(run, config, tmp_path):
    child = tmp_path / 'child.py'
    child.write_text(
        f'_base_ = {config!r}\n'
        'attack = ["keypoint:nose:black", '
        'dict(type="PartOcclusion", target="head", prob=0.0)]\n'
    )
    log, _ = run('--attack', 'part:hip:blur', config=str(child))
    lines = attack_lines(log)
    names = [line.split()[1] for line in lines]
    assert names == ['keypoint:nose:black', 'part:head:blur', 'part:hip:blur']
    assert ' changed 0 of 8 crops' in lines[1]
    assert '; 8 unchanged: left out at random, prob=0.0' in lines[1]


def test_pictures(run, tmp_path):
    shown = tmp_path / 'shown' / 'here'
    run(*NOSE, *LEG, '--show-dir', str(shown), '--interval', '3')
    files = sorted(shown.iterdir())
    assert len(files) == 3
    assert all(
        file.name.endswith('_keypoint-nose-black+part-left_leg-mean.png')
        for file in files
    )
    numbers = [file.name.split('_')[:2] for file in files]
    assert all(len(image) == 12 and int(person) for image, person in numbers)
    picture = cv2.imread(str(files[0]))
    assert picture.shape[0] > 512
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000


def test_pictures_do_not_change_the_metrics(run, tmp_path):
    dump = tmp_path / 'predictions.pkl'
    _, plain = run(*NOSE)
    _, drawn = run(
        *NOSE, '--show-dir', str(tmp_path / 'shown'), '--dump', str(dump)
    )
    assert plain == drawn
    sample = pickle.loads(dump.read_bytes())[0]
    assert not [key for key in sample if key.startswith('image_')]


def test_random_attacks_are_the_same_each_time(run, tmp_path):
    arguments = ['--attack', 'keypoint:random:mean', '--attack-seed']
    drawn = []
    for name, seed in (('a', '5'), ('b', '5'), ('c', '6')):
        dump = tmp_path / f'{name}.pkl'
        run(*arguments, seed, '--dump', str(dump))
        samples = pickle.loads(dump.read_bytes())
        drawn.append([s['occlusions'][0]['target'] for s in samples])
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


@pytest.mark.slow
def test_two_processes_count_together(
    run, with_boxes, checkpoint, tool, tmp_path
):
    """The metrics and counts of one process, also if one of the two has a
    sample more."""
    config = with_boxes
    odd = 'test_dataloader.dataset.indices=7'
    more = ['--per-keypoint', '--cfg-options', odd]
    attack = [*NOSE, *more]
    log, metrics = run(*attack, config=config)
    assert 'nose/PCK' in metrics
    out = tmp_path / 'both'
    argv = [config, checkpoint, '--work-dir', str(out)]
    argv += ['--out', str(out / 'metrics.json'), *attack]
    run_ranks(2, tool('test').main, argv, tmp_path)
    together = log_of(out)
    assert 'GPU number: 2' in together
    assert attack_lines(together) == attack_lines(log)
    both = json.loads((out / 'metrics.json').read_text())
    assert both == pytest.approx(metrics, abs=1e-6)


@pytest.fixture
def with_boxes(config, synthetic_people, tmp_path):
    boxes = (
        synthetic_people / 'person_detection_results' / 'detections_val.json'
    )
    child = tmp_path / 'boxes.py'
    child.write_text(
        f'_base_ = {config!r}\n'
        f'val_dataloader = dict(dataset=dict(bbox_file={str(boxes)!r}))\n'
        'test_dataloader = val_dataloader\n'
    )
    return str(child)


def test_gt_boxes(run, with_boxes):
    log, _ = run(*NOSE, '--gt-boxes', config=with_boxes)
    assert ' of 8 crops (' in attack_lines(log)[0]


def samples_of(path):
    samples = pickle.loads(path.read_bytes())
    joints = np.array([s['pred_instances']['keypoints'] for s in samples])
    return samples, joints


def test_an_attack_that_changes_nothing_in_detector_boxes(
    run, with_boxes, tmp_path
):
    dumps = [tmp_path / f'{name}.pkl' for name in 'ab']
    dump = ['--dump', str(dumps[0])]
    _, clean = run(*dump, '--per-keypoint', config=with_boxes)
    log, metrics = run(
        '--dump',
        str(dumps[1]),
        '--per-keypoint',
        '--cfg-options',
        'attack.type=KeypointOcclusion',
        'attack.target=nose',
        'attack.prob=0.0',
        config=with_boxes,
    )
    assert metrics == clean
    assert ' changed 0 of ' in attack_lines(log)[0]
    assert len(clean) > 50
    _, before = samples_of(dumps[0])
    _, after = samples_of(dumps[1])
    np.testing.assert_array_equal(before, after)


def test_detector_boxes_under_attack(run, with_boxes, tmp_path):
    dump, shown = tmp_path / 'a.pkl', tmp_path / 'shown'
    boxes = ['--dump', str(dump), '--show-dir', str(shown)]
    log, metrics = run(*NOSE, *boxes, config=with_boxes)
    assert set(metrics) >= {'coco/AP', 'coco/AR'}
    samples, _ = samples_of(dump)
    reasons = [s['occlusions'][0]['reason'] for s in samples]
    painted = [bool(s['occlusions'][0]['pixels']) for s in samples]
    nobody = [r is not None and 'no annotated person' in r for r in reasons]
    assert any(painted)
    assert any(nobody)
    assert (
        f' changed {sum(painted)} of {len(samples)} cro'
        in (attack_lines(log)[0])
    )
    assert re.search(
        rf'minimum (…|0\.5)\) \({sum(nobody)}\)', attack_lines(log)[0]
    )
    assert f' of the {len(samples)} boxes of ' in log  # the data set's count
    # joints go to the attack alone
    for sample in samples:
        assert not np.any(sample['gt_instances']['keypoints'])
        assert 'matched_person' not in sample
    assert len(list(shown.iterdir())) == len(samples)


def test_box_nms(
    run, config, checkpoint, synthetic_people, tool, tmp_path, capsys
):
    folder = synthetic_people / 'person_detection_results'
    found = json.loads((folder / 'detections_val.json').read_text())
    twice = [(box, dict(box, score=box['score'] / 2)) for box in found]
    (tmp_path / 'twice.json').write_text(json.dumps(sum(twice, ())))
    with_boxes = tmp_path / 'boxes.py'
    boxes = f'dict(bbox_file={str(tmp_path / "twice.json")!r})'
    with_boxes.write_text(
        f'_base_ = {config!r}\n'
        f'val_dataloader = dict(dataset={boxes})\n'
        'test_dataloader = val_dataloader\n'
    )
    dumps = [tmp_path / f'{name}.pkl' for name in 'ab']
    for dump, thr in zip(dumps, ('1.0', '0.9'), strict=True):
        nms = ['--dump', str(dump), '--box-nms', thr]
        run(*nms, config=str(with_boxes))
    every, few = (samples_of(dump)[0] for dump in dumps)
    places = [
        {tuple(s['input_center']) for s in samples} for samples in (every, few)
    ]
    assert 2 * len(places[0]) == len(every)
    assert len(places[1]) == len(few)
    argv = [config, checkpoint, '--box-nms', '0.5']
    assert tool('test').main(argv) == 2
    assert 'no boxes of a detector' in capsys.readouterr().err


def test_a_missing_detector_file_is_named_by_its_own_key(
    with_boxes, checkpoint, tool, capsys
):
    argv = [with_boxes, checkpoint, *NOSE, '--cfg-options']
    argv.append('test_dataloader.dataset.bbox_file=no.json')
    assert tool('test').main(argv) == 2
    assert capsys.readouterr().err.startswith(
        'error: test_dataloader.dataset.bbox_file: file "no.json" does not'
    )


def test_result_file_of_an_attack(
    config, checkpoint, tool, tmp_path, monkeypatch
):
    said = {'coco/AP': 0.5, 'coco/AP (M)': -1.0}
    monkeypatch.setattr('mmengine.runner.Runner.test', lambda self: said)
    monkeypatch.setattr(
        'mmpose_occlusion.checkpoints.load_into', lambda *arguments: None
    )
    argv = [config, checkpoint, '--work-dir', str(tmp_path), *NOSE]
    assert tool('test').main(argv) == 0
    (path,) = tmp_path.glob('keypoint-nose-black_2*.json')
    result = json.loads(path.read_text())
    assert result['attack'] == 'keypoint:nose:black'
    assert result['checkpoint'] == checkpoint
    # COCOeval's -1 stands for no person
    assert result['metrics'] == {'coco/AP': 0.5, 'coco/AP (M)': None}


def test_per_keypoint(run):
    log, metrics = run('--per-keypoint', '--per-keypoint-paper')
    for name in ('nose/AP', 'mean/PCK', 'paper/nose/AP', 'coco/AP'):
        assert 0 <= metrics[name] <= 1
    assert metrics['nose/PCK'] == metrics['paper/nose/PCK']
    lines = log.splitlines()
    (start,) = [i for i, x in enumerate(lines) if x.endswith('of each joint')]
    assert lines[start + 1].split() == ['AP', 'AR', 'PCK']
    assert lines[start + 2].split()[0] == 'nose'
    assert any(x.endswith('as the reference code counts them') for x in lines)


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (
            ['--attack', 'nose'],
            'attack "nose" must look like "keypoint:NAME:FILL:SIZE"',
        ),
        (
            ['--attack', 'keypoint:tail:black'],
            'attack "keypoint:tail:black": There is no joint \'tail\' in this '
            'data set; its joints are: nose, left_eye,',
        ),
        (
            ['--attack', 'part:tail:black'],
            'attack "part:tail:black": There is no part \'tail\' in this data '
            'set; its parts are: head,',
        ),
        (
            ['--attack', 'keypoint:nose:pink'],
            'attack "keypoint:nose:pink": KeypointOcclusion: fill=\'pink\' is '
            'unknown',
        ),
        (
            ['--cfg-options', 'attack.type=Occluder'],
            'attack "Occluder:random:blur": there is no transform "Occluder"',
        ),
        (
            ['--cfg-options', 'attack.target=nose'],
            "the config key \"attack\" is {'target': 'nose'}, which has no",
        ),
        (
            ['--cfg-options', 'attacks.type=KeypointOcclusion'],
            '--cfg-options attacks.type would change nothing, since no tool '
            'reads "attacks": is "attack.type" meant?',
        ),
        (
            ['--cfg-options', 'train_pipeline=[]'],
            '--cfg-options train_pipeline would change nothing, since no tool '
            'reads "train_pipeline"; variables of a',
        ),
        (
            ['--cfg-options', 'model.head.type=Heatmapp'],
            'model.head: type="Heatmapp" is no class that MMPose or this',
        ),
        (
            ['--cfg-options', 'attack=None'],
            'the config key "attack" is None, which attacks nothing',
        ),
        (
            ['--cfg-options', 'test_dataloader.dataset.ann_file=no.json'],
            'test_dataloader.dataset.ann_file: file "',
        ),
    ],
)
def test_refusals(arguments, sentence, config, checkpoint, tool, capsys):
    assert tool('test').main([config, checkpoint, *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'error: {sentence}')
    assert error.count('\n') == 1


@pytest.mark.parametrize('value', ['-1', 'nan', '2', 'x'])
def test_box_nms_is_a_fraction(tool, capsys, value):
    with pytest.raises(SystemExit):
        tool('test').main(['c.py', 'w.pth', f'--box-nms={value}'])
    error = capsys.readouterr().err
    assert f'"{value}" is not a number from 0 to 1' in error


def test_missing_checkpoint(config, tool, capsys):
    assert tool('test').main([config, 'no.pth']) == 2
    assert capsys.readouterr().err == (
        'error: checkpoint "no.pth" does not exist or is no file: give a .pth '
        'file or its URL\n'
    )


def test_file_names_are_legal():
    from mmengine.structures import BaseDataElement

    from mmpose_occlusion.hooks.attacked_crops import file_name

    sample = BaseDataElement(metainfo={'img_id': 785, 'id': 442619})
    name = file_name(sample, 'keypoint:left_eye,nose:black')
    assert name == '000000000785_442619_keypoint-left_eye-nose-black.png'
    whole = BaseDataElement(metainfo={'img_id': 'a/b', 'id': [1, 2]})
    assert file_name(whole, 'clean') == 'a-b_clean.png'
    assert Path(file_name(whole, 'x' * 500)).name == file_name(
        whole, 'x' * 500
    )
    assert len(file_name(whole, 'x' * 500)) <= 255


def test_the_metric_reads_the_annotations_of_the_data_set(
    config, checkpoint, tool, capsys, tmp_path
):
    cfg = Config.fromfile(config)
    dataset = cfg.test_dataloader.dataset
    read = Path(dataset.get('data_root') or '') / dataset.ann_file
    other = tmp_path / 'other.json'
    argv = [config, checkpoint, '--work-dir', str(tmp_path / 'out')]
    argv += ['--cfg-options', f'test_evaluator.ann_file={other}']
    other.write_bytes(read.read_bytes() + b' ')
    assert tool('test').main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith(f'error: test_evaluator.ann_file is "{other}" and')
    assert 'set --cfg-options test_evaluator.ann_file=None' in error
    other.write_bytes(read.read_bytes())
    assert tool('test').main(argv) == 0
