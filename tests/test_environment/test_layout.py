"""Where an environment lies and what its key depends on."""

from pathlib import Path

from environment.layout import Layout, cache_folder, environment_key
from tests.test_environment.helpers import complete


class TestLayout:
    def test_the_cache_is_outside_the_checkout(self, tmp_path):
        folder = cache_folder({'XDG_CACHE_HOME': str(tmp_path)})
        assert folder == tmp_path / 'mmpose_occlusion'
        assert cache_folder({}) == Path.home() / '.cache' / 'mmpose_occlusion'

    def test_what_the_key_depends_on(self):
        keys = [
            environment_key('a==1', {}),
            environment_key('a==2', {}),
            environment_key('a==1', {'TORCH': 'torch==2.9.1'}),
            environment_key('a==1', {'TORCH_INDEX': 'https://x'}),
            environment_key('a==1', {'FORCE_CUDA': '1'}),
        ]
        assert len(set(keys)) == len(keys)
        assert environment_key('a==1', {'TORCH': '', 'HOME': 'x'}) == keys[0]

    def test_complete_needs_the_interpreter(self, tmp_path):
        folders = Layout(tmp_path, 'k')
        assert not folders.complete
        complete(folders)
        assert folders.complete
        folders.python.unlink()
        folders.python.symlink_to(tmp_path / 'gone')
        assert not folders.complete
