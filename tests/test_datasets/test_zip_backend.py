"""Files are read out of zip archives, in any process."""

import os
import zipfile
from pathlib import Path

import cv2
import mmengine.fileio as fileio
import numpy as np
import pytest
from mmpose.datasets.transforms import LoadImage
from torch.utils.data import DataLoader, Dataset

from mmpose_occlusion.datasets import zip_backend
from mmpose_occlusion.datasets.zip_backend import (
    ZipBackend,
    close_archives,
    open_archive,
    split_path,
)

NUM = 12


def picture(index: int) -> np.ndarray:
    """Noise: files that no buffer holds together."""
    noise = np.random.default_rng(index).integers(0, 256, (64, 64, 3))
    return noise.astype(np.uint8)


def encoded(index: int) -> bytes:
    return cv2.imencode('.png', picture(index))[1].tobytes()


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_archives()


@pytest.fixture(params=['top', 'folder'])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """``val2017.zip`` with its files at the top or in ``val2017/``."""
    path = tmp_path / 'val2017.zip'
    inside = 'val2017/' if request.param == 'folder' else ''
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        for index in range(NUM):
            file.writestr(f'{inside}{index:03d}.png', encoded(index))
        file.writestr(f'{inside}notes/read me.txt', 'höher')
    return path


@pytest.mark.parametrize('form', ['{}/{}', '{}@/{}', 'zip://{}/{}'])
def test_every_way_of_writing_a_path(archive, form):
    path = form.format(archive, '003.png')
    args = None if '://' in form else dict(backend='zip')
    assert fileio.get(path, args) == encoded(3)
    assert fileio.exists(path, args)
    assert fileio.isfile(path, args)
    assert not fileio.isdir(path, args)
    results = LoadImage(backend_args=args)(dict(img_path=path))
    assert np.array_equal(results['img'], picture(3))


def test_path_with_the_folder_spelled_out(archive):
    with zipfile.ZipFile(archive) as file:
        stored = file.namelist()[5]
    assert ZipBackend().get(f'{archive}/{stored}') == encoded(5)


def test_other_questions(archive):
    backend = ZipBackend()
    uri = f'zip://{archive}'
    assert backend.get_text(f'{uri}/notes/read me.txt') == 'höher'
    assert backend.isdir(uri)
    assert backend.isdir(f'{uri}/notes')
    assert not backend.isdir(f'{uri}/note')
    assert not backend.exists(f'{uri}/999.png')
    assert not backend.exists(f'{archive.parent}/other.zip/003.png')
    assert not backend.exists(f'{archive.parent}/003.png')
    joined = fileio.join_path(uri, 'notes', 'read me.txt')
    with fileio.get_local_path(joined) as local:
        assert Path(local).suffix == '.txt'
        assert Path(local).read_text() == 'höher'
    assert not os.path.exists(local)


def test_listing(archive):
    backend = ZipBackend()
    images = [f'{index:03d}.png' for index in range(NUM)]
    listed = backend.list_dir_or_file
    assert sorted(listed(archive)) == [*images, 'notes']
    assert list(listed(archive, list_dir=False, suffix='.png')) == images
    assert list(listed(archive, list_file=False)) == ['notes']
    assert sorted(listed(archive, recursive=True)) == [
        *images,
        'notes',
        'notes/read me.txt',
    ]
    assert list(listed(archive / 'notes')) == ['read me.txt']


class Pictures(Dataset):
    """Whether each picture is right, read in whichever process asks."""

    def __init__(self, archive: Path) -> None:
        self.archive = archive
        self.load = LoadImage(backend_args=dict(backend='zip'))

    def __len__(self) -> int:
        return NUM

    def __getitem__(self, index: int) -> tuple[bool, int]:
        path = f'{self.archive}/{index:03d}.png'
        right = True
        for _ in range(20):  # workers read at the same time
            img = self.load(dict(img_path=path))['img']
            right &= np.array_equal(img, picture(index))
        return right, len(zip_backend._archives)


@pytest.mark.parametrize('opened_before', [True, False])
@pytest.mark.parametrize('workers', [0, 2])
def test_data_loader_workers(archive, workers, opened_before):
    if opened_before:
        open_archive(archive)
    loader = DataLoader(
        Pictures(archive), batch_size=2, num_workers=workers, collate_fn=list
    )
    assert [item for batch in loader for item in batch] == [(True, 1)] * NUM


def test_archive_is_opened_once(archive, monkeypatch):
    opened = []
    original = zip_backend.Archive

    def counting(path: str):
        opened.append(path)
        return original(path)

    monkeypatch.setattr(zip_backend, 'Archive', counting)
    backend = ZipBackend()
    for index in range(NUM):
        backend.get(f'{archive}/{index:03d}.png')
        backend.get(f'zip://{os.path.relpath(archive)}/{index:03d}.png')
    assert len(opened) == 1
    close_archives()
    assert backend.get(f'{archive}/001.png') == encoded(1)
    assert len(opened) == 2


def test_split_path(tmp_path):
    assert split_path('zip://a/B.ZIP/c/d.jpg') == ('a/B.ZIP', 'c/d.jpg')
    assert split_path('/a/b.zip@/c.jpg') == ('/a/b.zip', 'c.jpg')
    assert split_path('a/b.zip') == ('a/b.zip', '')
    folder = tmp_path / 'folder.zip'
    folder.mkdir()
    assert split_path(folder / 'b.zip' / 'c') == (f'{folder}/b.zip', 'c')


def test_missing_file_names_archive(archive):
    with pytest.raises(
        FileNotFoundError, match=r'"9\.png" is not in zip arch'
    ) as e:
        ZipBackend().get(f'{archive}/9.png')
    assert '"000.png"' in str(e.value)


def test_errors_pass_through_load_image(archive):
    load = LoadImage(backend_args=dict(backend='zip'))
    with pytest.raises(FileNotFoundError, match='is not in zip archive'):
        load(dict(img_path=f'{archive}/9.png'))


def test_missing_archive(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'"[^"]*/no\.zip" does not'):
        ZipBackend().get(tmp_path / 'no.zip' / 'a.jpg')


def test_path_without_archive():
    with pytest.raises(FileNotFoundError, match='names no zip archive'):
        ZipBackend().get('data/coco/val2017/a.jpg')


def test_archive_that_was_cut_off(archive):
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(zipfile.BadZipFile, match='not a complete zip'):
        ZipBackend().get(f'{archive}/001.png')


def test_damaged_file(archive):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        entry = file.infolist()[2]
    start = entry.header_offset + 30 + len(entry.filename)
    content[start + 5 : start + 15] = bytes(10)
    archive.write_bytes(content)
    with pytest.raises(zipfile.BadZipFile, match=r'"002\.png" in zip archive'):
        ZipBackend().get(f'{archive}/002.png')


def test_empty_archive(tmp_path):
    path = tmp_path / 'empty.zip'
    zipfile.ZipFile(path, 'w').close()
    with pytest.raises(FileNotFoundError, match='which has no files'):
        ZipBackend().get(path / 'a.jpg')
