"""Pictures are decoded once, and are the same ever after."""

import os
import zipfile

import cv2
import mmengine.fileio as fileio
import numpy as np
import pytest
from mmpose.datasets.transforms import LoadImage

from mmpose_occlusion.datasets import decoded_backend


@pytest.fixture
def jpeg(tmp_path):
    return write_jpeg(tmp_path / 'picture.jpg', seed=0)


def write_jpeg(path, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (8, 6, 3), np.uint8)
    large = cv2.resize(noise, (61, 83), interpolation=cv2.INTER_CUBIC)
    assert cv2.imwrite(str(path), large)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'decoded'


def load(path, folder=None, **kwargs):
    args = folder and dict(backend='decoded', folder=str(folder), **kwargs)
    return LoadImage(backend_args=args)(dict(img_path=str(path)))


def bitmaps(folder):
    return sorted(folder.glob('*/*'))


def test_the_second_reading_decodes_no_jpeg(jpeg, folder, monkeypatch):
    expected = load(jpeg)
    first = load(jpeg, folder)
    monkeypatch.setattr(decoded_backend.cv2, 'imencode', None)  # not again
    second = load(jpeg, folder)
    for results in (first, second):
        np.testing.assert_array_equal(results.pop('img'), expected['img'])
        assert results == {k: v for k, v in expected.items() if k != 'img'}
    (kept,) = bitmaps(folder)
    assert kept.suffix == '.bmp'
    np.testing.assert_array_equal(cv2.imread(str(kept)), expected['img'])


def test_a_photograph_that_lies_on_its_side(jpeg, folder):
    """EXIF says how to turn it; a bitmap has been turned."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(jpeg) as image:
        image.save(jpeg, exif=exif)
    for _ in range(2):
        assert load(jpeg, folder)['img'].shape == (61, 83, 3)
        np.testing.assert_array_equal(
            load(jpeg, folder)['img'], load(jpeg)['img']
        )


def test_a_picture_that_has_changed_is_decoded_anew(jpeg, folder):
    before = load(jpeg, folder)['img']
    write_jpeg(jpeg, seed=1)
    os.utime(jpeg, ns=(0, 12345))
    after = load(jpeg, folder)['img']
    assert (before != after).any()
    np.testing.assert_array_equal(after, load(jpeg)['img'])


def test_pictures_of_another_backend(jpeg, folder):
    archive = jpeg.with_name('train.zip')
    with zipfile.ZipFile(archive, 'w') as file:
        file.write(jpeg, 'picture.jpg')
    path = f'{archive}/picture.jpg'
    for _ in range(2):
        found = load(path, folder, backend_args=dict(backend='zip'))
        np.testing.assert_array_equal(found['img'], load(jpeg)['img'])
    assert len(bitmaps(folder)) == 1


def test_other_files_are_read_as_they_are(tmp_path, folder):
    args = dict(backend='decoded', folder=str(folder))
    for content in (b'', b'no picture'):
        (tmp_path / 'notes').write_bytes(content)
        assert fileio.get(tmp_path / 'notes', args) == content
    assert fileio.get_text(tmp_path / 'notes', backend_args=args) == (
        'no picture'
    )
    assert bitmaps(folder) == []
    with pytest.raises(FileNotFoundError, match=r'gone\.jpg'):
        fileio.get(tmp_path / 'gone.jpg', args)


def test_without_room_there_is_a_warning(jpeg, folder, monkeypatch):
    def full(partial, place):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(decoded_backend.os, 'replace', full)
    with pytest.warns(UserWarning, match='not kept in .*decoded: .*No space'):
        found = load(jpeg, folder)
    np.testing.assert_array_equal(found['img'], load(jpeg)['img'])
    assert bitmaps(folder) == []  # nor a part of one
