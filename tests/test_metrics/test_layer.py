"""What metrics/ and the analysis import: no MMPose, no matplotlib."""

import ast
import sys
from pathlib import Path

import pytest

import mmpose_occlusion

ROOT = Path(mmpose_occlusion.__file__).parent
LIBRARIES = {'numpy', 'scipy', 'pycocotools', *sys.stdlib_module_names}
FILES = [
    path.relative_to(ROOT).as_posix()
    for folder in ('metrics', 'benchmark/analysis')
    for path in sorted((ROOT / folder).glob('*.py'))
]
OWN = (
    'mmpose_occlusion.metrics',
    'mmpose_occlusion.benchmark.analysis',
    'mmpose_occlusion.benchmark.data',
    'mmpose_occlusion.benchmark.image_worst_case',
    'mmpose_occlusion.errors',
    'mmpose_occlusion.occlusion',
    'mmpose_occlusion.skeleton',
)


@pytest.mark.parametrize('name', FILES)
def test_imports(name):
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module]
        for module in modules:
            own = OWN[:1] if name.startswith('metrics/') else OWN
            known = module.split('.')[0] in LIBRARIES
            assert known or module.startswith(own), module
