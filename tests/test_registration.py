"""What is imported with the package, a config and a pipeline."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from mmengine.registry import Registry

from mmpose_occlusion import registration

ROOT = Path(__file__).parents[1]
CONFIG = (
    ROOT / 'configs/body_2d_keypoint/topdown_heatmap/coco'
    '/td-hm_hrnet-w32_partmix-8xb64-210e_coco-256x192.py'
)

STEPS = """
import json, os, sys
import mmpose_occlusion
assert 'mmengine' not in sys.modules
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose import registry as registries

heavy = sys.argv[2].split(',')
loaded = lambda: [name for name in heavy if name in sys.modules]
cfg = Config.fromfile(sys.argv[1])
out = dict(config=loaded())
init_default_scope('mmpose')
reader, writer = os.pipe()
if not os.fork():  # one in which a compiled module is broken
    sys.modules['xtcocotools._mask'] = None
    try:
        registries.TRANSFORMS.get('LoadImage')
    except RuntimeError as error:
        os.write(writer, str(error).encode())
    os._exit(0)
os.wait()
os.close(writer)
out['broken'] = os.read(reader, 10_000).decode()
for step in cfg.train_dataloader.dataset.dataset.pipeline:
    registries.TRANSFORMS.build(step)
wrapper = cfg.train_dataloader.dataset
assert registries.DATASETS.get(wrapper.type)
registries.DATASETS.build(dict(wrapper.dataset, lazy_init=True))
out['pipeline'] = loaded()
print(json.dumps(out))
"""

BY_DATA_SETS = [
    'scipy',
    'matplotlib',
    'albumentations',
    'xtcocotools',
    'mmpose.datasets',
    'mmpose_occlusion.datasets',
    'mmpose_occlusion.occlusion',
]
"""MMPose's data sets import the first ones, needed or not."""

BY_OTHERS = [
    'torchvision',
    'torch._dynamo',
    'pandas',
    'mmdet',
    'mmpose.models',
    'mmpose.evaluation',
    'mmengine.runner',
    'mmpose_occlusion.models',
    'mmpose_occlusion.evaluation',
    'mmpose_occlusion.benchmark',
]


def registered() -> list[tuple[str, str]]:
    """Registry and name of each class that the package's files register."""
    pattern = r'^@([A-Z]+)\.register_module\(\)\n(?:@.*\n)?class (\w+)'
    return [
        found
        for file in sorted((ROOT / 'mmpose_occlusion').rglob('*.py'))
        for found in re.findall(pattern, file.read_text(), re.M)
    ]


@pytest.fixture(scope='module')
def steps() -> dict:
    """What a fresh interpreter has imported after each step."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.getenv('PYTHONPATH')]))
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', STEPS, str(CONFIG)]
        + [','.join(BY_DATA_SETS + BY_OTHERS)],
        env=dict(os.environ, PYTHONPATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_config_is_read_without_heavy_imports(steps):
    assert steps['config'] == []


@pytest.mark.slow
def test_pipeline_is_built_without_models_and_metrics(steps):
    assert steps['pipeline'] == BY_DATA_SETS


@pytest.mark.slow
def test_load_failure_is_reported_at_lookup(steps):
    """In one sentence, before the import of MMPose fails."""
    assert steps['broken'].startswith(
        'mmpose_occlusion cannot work here: xtcocotools, which MMPose reads '
        'data sets with, does not load ('
    )


def test_registered_classes_are_in_the_modules_that_are_imported():
    assert len(registered()) > 15
    for registry, name in registered():
        module = import_module(registration.LOCATIONS[registry])
        assert hasattr(module, name), name


def test_registration_at_once_where_mmengine_is_loaded(monkeypatch):
    calls = []
    monkeypatch.setattr(registration, 'register', lambda: calls.append(1))
    registration.register_when_loaded()
    assert calls


@pytest.fixture
def a_location(tmp_path, monkeypatch):
    """A registry with one location, and a module to add to it."""
    (tmp_path / 'first_location.py').write_text('')
    (tmp_path / 'added_location.py').write_text(
        'from mmpose.registry import LOOPS\n'
        'LOOPS.register_module(name="Added", module=dict)\n'
    )
    registry = Registry('loop', locations=['first_location'], scope='unknown')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr('mmpose.registry.LOOPS', registry)
    monkeypatch.setattr(registration, 'LOCATIONS', {'LOOPS': 'added_location'})
    yield registry
    for name in ('first_location', 'added_location'):
        sys.modules.pop(name, None)


def test_registry_imports_at_its_first_lookup(a_location):
    registration.register()
    assert 'added_location' not in sys.modules
    assert a_location.get('Added') is dict


def test_registry_after_a_lookup_imports_at_once(a_location):
    a_location.import_from_location()
    registration.register()
    assert 'Added' in a_location.module_dict


def test_an_unknown_attribute_is_refused():
    import mmpose_occlusion

    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'"):
        _ = mmpose_occlusion.nonsense
