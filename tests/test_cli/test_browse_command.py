"""Galleries."""

import json
import re

import pytest

BLACK = ['--attack', 'keypoint:random:black']


@pytest.fixture
def browse(config, tool, tmp_path, capsys):
    def run(*arguments, config=config, status=0):
        out = tmp_path / f'out{len(list(tmp_path.iterdir()))}'
        argv = [config, '--out', str(out), *arguments]
        assert tool('browse').main(argv) == status
        return out, capsys.readouterr()

    return run


def records_of(page):
    """The records that a page shows, per crop."""
    from html import unescape

    texts = re.findall(r'<pre>(.*?)</pre>', page, flags=re.DOTALL)
    return [json.loads(unescape(text)) for text in texts]


def test_attacks_on_a_test_split(browse):
    out, printed = browse(
        *BLACK, '--attack', 'part:head:blur', '--split', 'test', '--num', '5'
    )
    assert 'Attack keypoint:random:black changed' in printed.out
    assert f'Wrote {out}/gallery.html' in printed.out
    page = (out / 'gallery.html').read_text()
    assert page.count('<article') == 5
    assert page.count('data:image/png;base64,') == 10
    # self-contained
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert 'http' not in page
    for records in records_of(page):
        assert [record['call'] for record in records] == [0, 1]
        assert (records[1]['kind'], records[1]['target']) == ('part', 'head')


def test_own_occlusions_of_the_training(browse):
    out, printed = browse('--num', '8')
    assert re.search(r'^PartOcclusion changed \d of 8 ', printed.out, re.M)
    page = (out / 'gallery.html').read_text()
    assert page.count('<article') == 8
    for records in records_of(page):
        assert len(records) == 1
        assert records[0]['transform'] == 'PartOcclusion'


@pytest.fixture
def mixed(config, tmp_path_factory):
    """The tiny config with PartMix, whose data set is in a wrapper."""
    path = tmp_path_factory.mktemp('mixed') / 'mixed.py'
    path.write_text(f"""
_base_ = [{config!r}]
pipeline = [dict(type='PartMix', prob=1.0) if s.type == 'PartOcclusion' else s
            for s in _base_.train_pipeline]
train_dataloader = dict(dataset=dict(
    _delete_=True,
    type='DonorDataset',
    dataset=dict(_base_.train_dataloader.dataset, pipeline=pipeline),
))
""")
    return str(path)


@pytest.mark.parametrize('arguments', [[], BLACK])
def test_data_sets_in_a_wrapper(browse, mixed, arguments):
    out, _ = browse(*arguments, '--num', '4', config=mixed)
    page = (out / 'gallery.html').read_text()
    wanted = 'KeypointOcclusion' if arguments else 'PartMix'
    shown = records_of(page)
    assert len(shown) == 4
    assert all(records[-1]['transform'] == wanted for records in shown)
    assert any(record['pixels'] for records in shown for record in records)


def test_removed_labels_are_marked(config, browse, tmp_path):
    """With a dot of their own on the page, on joints that the truth has."""
    from mmpose_occlusion.engine import crops
    from mmpose_occlusion.engine.config import load_config

    child = tmp_path / 'removing.py'
    child.write_text(f"""
_base_ = [{config!r}]
pipeline = [dict(s, remove_keypoints=True, prob=1.0)
            if s.type == 'PartOcclusion' else s for s in _base_.train_pipeline]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
""")
    dataset = crops.crop_dataset(load_config(str(child)), 'train')
    views = list(crops.views(dataset, 6))
    removed = [view.listed('removed') for view in views]
    assert any(removed)
    for view, joints in zip(views, removed, strict=True):
        names = list(dataset.metainfo['keypoint_id2name'].values())
        for person, joint in joints:
            assert view.labelled[person, names.index(joint)]
    out, _ = browse('--num', '6', config=str(child))
    assert ', removed</title>' in (out / 'gallery.html').read_text()


def test_same_seed_same_images(browse):
    pages = []
    for seed in ('1', '1', '2'):
        out, _ = browse('--num', '3', '--seed', seed)
        page = (out / 'gallery.html').read_text()
        pages.append(re.findall(r'src="([^"]+)"', page))
        assert len(pages[-1]) == 6
    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


def test_the_page_names_its_command(browse, monkeypatch):
    monkeypatch.setattr('sys.argv', ['occlusion-browse', 'a b.py', *BLACK])
    out, _ = browse(*BLACK, '--num', '1')
    page = (out / 'gallery.html').read_text()
    assert '--attack keypoint:random:black' in page


def test_nothing_to_look_at(browse, config):
    _, printed = browse('--split', 'val', status=2)
    assert printed.err == (
        f'error: the val pipeline of config "{config}" has no occlusion: '
        'name one, for example --attack keypoint:random:black\n'
    )
    with pytest.raises(SystemExit, match='2'):
        browse(*BLACK, '--num', '0')


def test_more_crops_than_there_are(browse):
    out, _ = browse(*BLACK, '--split', 'test', '--num', '500')
    assert (out / 'gallery.html').read_text().count('<article') == 8


def test_boxes_of_a_detector(browse, synthetic_people):
    boxes = 'person_detection_results/detections_val.json'
    key = 'test_dataloader.dataset.bbox_file'
    out, printed = browse(
        *['--attack', 'part:corpus:black', '--split', 'test', '--num', '99'],
        *['--cfg-options', f'{key}={synthetic_people / boxes}'],
    )
    assert 'no annotated person' in printed.out
    page = (out / 'gallery.html').read_text()
    assert re.search(r'image \d+, box \d+, person \d+', page)
    assert re.search(r'image \d+, box \d+, unmatched', page)
    changed = [float(x) > 0 for x in re.findall(r'severity="([\d.]+)"', page)]
    assert any(changed)
    assert changed == sorted(changed, reverse=True)
    unmatched = ['unmatched' in t for t in re.findall('<h2>(.*?)</h2>', page)]
    assert unmatched == sorted(unmatched)
