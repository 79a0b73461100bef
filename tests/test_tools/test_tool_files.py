"""Files that a test replaces, and that a training starts from."""

import pytest
import torch
from _test_config import check_out
from _train_config import fetch_pretrained, read_start
from mmengine.config import Config

from mmpose_occlusion.errors import UsageError


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
    with pytest.raises(UsageError, match=r'^checkpoint "x\.pth" does not'):
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
