"""The model index lists every config, in MMPose's format."""

from pathlib import Path

import yaml

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


def test_every_config_is_listed_once():
    listed = sorted(model['Config'] for model in models())
    configs = (ROOT / 'configs/body_2d_keypoint').rglob('*.py')
    assert listed == sorted(str(c.relative_to(ROOT)) for c in configs)


def test_names_are_those_of_the_files():
    for model in models():
        assert model['Name'] == Path(model['Config']).stem
        assert model['Results'][0]['Task'] == 'Body 2D Keypoint'
