"""The check of a data set's files."""

import json

import pytest

from mmpose_occlusion.cli.check import main
from tests.test_benchmark.test_annotation_file import GOOD, changed, write


@pytest.mark.parametrize(
    ('content', 'status', 'words'),
    [
        (GOOD, 0, '2 people with 2 keypoints in 2 images\n  no faults\n'),
        (changed('area', -3), 0, 'repaired: area is not positive ('),
        (changed('image_id', 9), 1, 'left out: its image_id is of no image'),
    ],
)
def test_status_and_faults(tmp_path, capsys, content, status, words):
    assert main([str(write(tmp_path, content))]) == status
    shown = capsys.readouterr()
    assert words in shown.out
    assert shown.err.count('\n') == status


def test_detections_and_images(tmp_path, capsys):
    people = write(tmp_path, GOOD)
    boxes = tmp_path / 'boxes.json'
    good = dict(image_id=1, category_id=1, bbox=[1, 2, 3, 4], score=0.5)
    boxes.write_text(json.dumps([good, dict(good, image_id=5)] * 5))
    assert main([str(people), '--detections', str(boxes)]) == 1
    shown = capsys.readouterr().out
    assert f'{boxes}: 5 boxes' in shown
    assert 'left out: 5 x its image_id is of no image' in shown
    assert '($[1].image_id = 5, $[3].image_id = 5, ' in shown
    assert main([str(people), str(tmp_path)]) == 1
    assert 'none of the images' in capsys.readouterr().err


def test_the_joints_of_a_config(tmp_path, capsys):
    people = write(tmp_path, GOOD)
    config = tmp_path / 'c.py'
    config.write_text(
        "test_dataloader = dict(dataset=dict(type='CocoDataset'))\n"
    )
    assert main([str(people), '--config', str(config)]) == 1
    assert 'has 2 keypoints per person' in capsys.readouterr().err
    text = config.read_text()
    config.write_text(text.replace('Coco', 'CocoWholeBody'))
    assert main([str(people), '--config', str(config)]) == 1
    assert '2 keypoints per person' in capsys.readouterr().err
    config.write_text(text.replace('Coco', 'Jhmdb'))
    assert main([str(people), '--config', str(config)]) == 0
    assert 'noted: this data set reads' in capsys.readouterr().out


def test_a_file_of_mpii(tmp_path, capsys):
    path = write(tmp_path, [dict(joints=[[1, 2]], joints_vis=[1])])
    assert main([str(path)]) == 1
    assert "MPII's files are lists" in capsys.readouterr().err
