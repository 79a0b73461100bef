"""Result files of a test, and checkpoints that a training starts from."""

import json
from multiprocessing.pool import ThreadPool

import numpy as np
import pytest
import torch
from _test_config import check_out, write_result
from _train_config import fetch_pretrained, read_start
from mmengine.config import Config

from mmpose_occlusion.errors import UsageError

NOON = dict(model='hrnet', data='coco', attack='clean')
NOON['time'] = '2026-01-02T12:00:30'


@pytest.mark.parametrize(
    ('facts', 'name'),
    [
        (dict(attack='keypoint:nose:black'), 'hrnet_coco_keypoint-nose-black'),
        (dict(), 'hrnet_coco_clean'),
        (dict(data='../../etc'), 'hrnet_etc_clean'),
        (dict(data=''), 'hrnet_unnamed_clean'),
    ],
)
def test_name(tmp_path, facts, name):
    path = write_result(tmp_path / 'new', NOON | facts)
    assert path == tmp_path / 'new' / f'{name}_20260102_120030.json'


def test_long_attacks_stay_apart(tmp_path):
    attacks = [f'keypoint:{"left_wrist," * 30}{end}:black' for end in 'ab']
    paths = {write_result(tmp_path, NOON | dict(attack=a)) for a in attacks}
    assert len({path.name.removesuffix('_2.json') for path in paths}) == 2
    assert all(len(path.name) < 130 for path in paths)


def test_writers_at_once_overwrite_nothing(tmp_path):
    def write(number):
        return write_result(tmp_path, NOON | dict(number=number))

    with ThreadPool(8) as pool:
        paths = pool.map(write, range(24))
    names = {path.name for path in paths}
    stem = 'hrnet_coco_clean_20260102_120030'
    assert names == {
        f'{stem}{f"_{n}" if n > 1 else ""}.json' for n in range(1, 25)
    }
    for number, path in enumerate(paths):
        assert json.loads(path.read_text())['number'] == number


def test_what_is_written(tmp_path):
    facts = NOON | dict(
        score=np.float32(0.5),
        nothing=float('nan'),
        table={'nose': np.array([1.0, np.inf])},
    )
    path = write_result(tmp_path, facts)
    assert json.loads(path.read_text()) == NOON | dict(
        score=0.5, nothing=None, table={'nose': [1.0, None]}
    )


def test_pretrained_parts_are_found():
    weights = {'type': 'Pretrained', 'checkpoint': 'no.pth'}
    cfg = Config(
        {
            'model': {
                'init_cfg': None,
                'backbone': {'init_cfg': [{'type': 'Normal'}]},
                'necks': [{'type': 'A'}, {'init_cfg': weights}],
            }
        }
    )
    with pytest.raises(
        UsageError, match=r'^the weights model\.necks\.1\.init_cfg starts from'
    ):
        fetch_pretrained(cfg)
    cfg.model.necks.pop()
    fetch_pretrained(cfg)


def test_pretrained_file_is_accepted(tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save({'state_dict': {}}, path)
    weights = {'type': 'Pretrained', 'checkpoint': str(path)}
    fetch_pretrained(Config({'model': {'init_cfg': weights}}))


def test_checkpoint_to_start_from():
    read_start(Config({'load_from': None}))
    with pytest.raises(UsageError, match=r'^load_from "x\.pth" does not'):
        read_start(Config({'load_from': 'x.pth', 'resume': False}))


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('x.json', '{"coco/AP": 0.5}', None),
        ('new.json', None, None),
        ('x.json', '{"notes": "mine"}', 'exists and does not hold metrics'),
        ('x.json', '[1]', 'exists and does not hold metrics'),
        ('x.json', 'text', 'exists and does not hold metrics'),
        ('x.pkl', 'text', 'exists and does not hold metrics'),
        ('x.txt', None, 'must be a .json or .pkl'),
    ],
)
def test_only_metrics_are_replaced(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    if words is None:
        check_out(str(path))
    else:
        with pytest.raises(UsageError, match=words):
            check_out(str(path))
