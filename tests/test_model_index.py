"""The model index lists every config, in MMPose's format."""

from pathlib import Path

import pytest
import yaml

from mmpose_occlusion.engine.config import load_config, walk_datasets

ROOT = Path(__file__).resolve().parents[1]


def models() -> list[dict]:
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    found = []
    for name in index['Import']:
        metafile = yaml.safe_load((ROOT / name).read_text())
        collections = {c['Name'] for c in metafile['Collections']}
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            found.append(model)
    return found


def collections() -> list[dict]:
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    return [
        collection
        for name in index['Import']
        for collection in yaml.safe_load((ROOT / name).read_text())[
            'Collections'
        ]
    ]


def test_every_metafile_is_imported():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    written = (ROOT / 'configs').rglob('*.yml')
    assert sorted(index['Import']) == sorted(
        str(path.relative_to(ROOT)) for path in written
    )


def test_collections_have_a_page():
    names = [collection['Name'] for collection in collections()]
    assert len(set(names)) == len(names)
    for collection in collections():
        assert (ROOT / collection['README']).is_file()
        assert collection['Paper']['Title']
        assert collection['Paper']['URL'].startswith('https://')


@pytest.mark.parametrize('model', models(), ids=lambda model: model['Name'])
def test_an_entry_says_what_its_config_does(model):
    cfg = load_config(str(ROOT / model['Config']), find_data=False)
    metadata = model['Metadata']
    backbone = cfg.model.backbone.type.replace('HourglassNet', 'Hourglass')
    assert metadata['Architecture'] == [backbone]
    *_, (_, dataset) = walk_datasets(cfg.train_dataloader.dataset)
    data = {'CocoDataset': 'COCO', 'MpiiDataset': 'MPII'}[dataset['type']]
    assert metadata['Training Data'] == data
    assert [result['Dataset'] for result in model['Results']] == [data]


def test_every_config_is_listed_once():
    listed = sorted(model['Config'] for model in models())
    configs = (ROOT / 'configs/body_2d_keypoint').rglob('*.py')
    assert listed == sorted(str(c.relative_to(ROOT)) for c in configs)


def test_names_are_those_of_the_files():
    for model in models():
        assert model['Name'] == Path(model['Config']).stem
        assert model['Results'][0]['Task'] == 'Body 2D Keypoint'
