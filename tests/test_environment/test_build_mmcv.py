"""How mmcv is compiled."""

import functools
import subprocess
import tarfile
from pathlib import Path

import pytest

from environment import build_mmcv


class TestMmcv:
    @pytest.mark.parametrize(
        ('torch', 'cuda', 'page'),
        [
            (
                '2.14.1+cu130',
                '13.0',
                'https://mmwheels.onedl.ai/cu130-torch2140/simple/onedl-mmcv/'
                'index.html',
            ),
            (
                '2.9.1+cpu',
                None,
                'https://mmwheels.onedl.ai/cpu-torch290/simple/onedl-mmcv/'
                'index.html',
            ),
        ],
    )
    def test_wheel_page(self, torch, cuda, page):
        assert build_mmcv.wheel_page(torch, cuda, {}) == page
        mirror = {'MMCV_BASE_URL': 'https://mirror.example'}
        assert build_mmcv.wheel_page(torch, cuda, mirror).startswith(
            'https://mirror.example/c'
        )

    def test_the_compiler_is_told_another_standard(self, tmp_path):
        echo = tmp_path / 'echo'
        echo.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
        echo.chmod(0o755)
        variables = build_mmcv.build_variables(
            tmp_path / 'x',
            {'CC': '/bin/cc', 'CXX': f'{echo} -m64'},
            {},
            4,
            8e9,
        )
        done = subprocess.run(
            [variables['CXX'], '-O2', '-std=c++17', 'a b', '-std=c++14'],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == '-m64|-O2|-std=c++20|a b|-std=c++14|'

    def test_variables(self, tmp_path):
        compilers = {'CC': 'cc', 'CXX': 'c++'}
        build = functools.partial(
            build_mmcv.build_variables, tmp_path, compilers
        )
        variables = build({}, 8, 6e9)
        assert variables['MAX_JOBS'] == '4'
        assert variables['CFLAGS'] == '-O2 -DNDEBUG -g0'
        assert variables['CUDA_VISIBLE_DEVICES'] == ''
        assert build({}, 2, 64e9)['MAX_JOBS'] == '2'
        assert build({}, 2, 1e9)['MAX_JOBS'] == '1'
        asked = build(
            {'MAX_JOBS': '3', 'CFLAGS': '-O3', 'FORCE_CUDA': '1'}, 8, 64e9
        )
        assert asked['MAX_JOBS'] == '3'
        assert asked['CFLAGS'] == '-O2 -DNDEBUG -g0 -O3'
        assert 'CUDA_VISIBLE_DEVICES' not in asked
        assert 'nvcc' in Path(asked['PYTORCH_NVCC']).read_text()

    def test_unpacking_keeps_what_has_been_compiled(self, tmp_path):
        source = tmp_path / 'onedl_mmcv-1.0'
        source.mkdir()
        (source / 'setup.py').write_text('1')
        archive = tmp_path / 'onedl_mmcv-1.0.tar.gz'
        with tarfile.open(archive, 'w:gz') as tar:
            tar.add(source, source.name)
        folder = tmp_path / 'build'
        (folder / 'unpacking').mkdir(parents=True)  # of an interrupted run
        tree = build_mmcv.unpack(archive, folder)
        assert (tree / 'setup.py').read_text() == '1'
        (tree / 'compiled.o').touch()
        assert build_mmcv.unpack(archive, folder) == tree
        assert (tree / 'compiled.o').exists()

    def test_the_smoke_test_passes_here(self):
        exec(build_mmcv.SMOKE_TEST, {})
