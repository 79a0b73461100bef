"""Blocks, pixel differences and files, each by itself."""

import json
import os
import shutil
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmpose_occlusion.benchmark.data import load_runs
from mmpose_occlusion.benchmark.effects import effect_of
from mmpose_occlusion.benchmark.store import Block, RunStore, empty_result
from mmpose_occlusion.benchmark.work import (
    Recorder,
    cut,
    image_ranges,
    order_by_image,
    plan,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import TEMPORARY, digest, digest_of_images
from mmpose_occlusion.occlusion import Person
from mmpose_occlusion.skeleton import Skeleton


def test_images_are_not_cut_through():
    #             two people, three, one, five (more than a block), one
    ids = [7, 7, 3, 3, 3, 9, 4, 4, 4, 4, 4, 8]
    found = [(b.number, b.start, b.stop) for b in cut(ids, 4)]
    assert found == [(0, 0, 2), (1, 2, 6), (2, 6, 10), (3, 10, 12)]
    assert cut([], 4) == []


people_of_images = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@given(people_of_images, st.integers(1, 12))
def test_blocks_cover_all_crops_once(people, size):
    ids = list(chain(*([i] * n for i, n in enumerate(people))))
    blocks = cut(ids, size)
    assert [b.number for b in blocks] == list(range(len(blocks)))
    rows = [r for b in blocks for r in range(b.start, b.stop)]
    assert rows == list(range(len(ids)))
    assert all(0 < b.people <= size for b in blocks)
    for start, stop in image_ranges(ids):
        inside = {b.number for b in blocks if b.start < stop > start < b.stop}
        assert stop - start > size or len(inside) == 1
    # more images change the last block at most
    assert cut([*ids, -1, -1], size)[: len(blocks) - 1] == blocks[:-1]


def test_order_by_image():
    order = order_by_image(np.array([5, 2, 5, 9, 2, 5]))
    assert order.tolist() == [0, 2, 5, 1, 4, 3]
    assert order_by_image(np.array([4, 4, 1])).tolist() == [0, 1, 2]


NAMES = ('nose', 'left_eye', 'left_hip')
SKELETON = Skeleton(NAMES)


@pytest.mark.parametrize('width', [5, 8])  # 8: eight bytes at a time
def test_an_effect_is_the_smallest_box(width):
    clean = np.arange(6 * width * 3, dtype=np.uint8).reshape(6, width, 3)
    attacked = clean.copy()
    attacked[2, 1, 2] += 1
    attacked[4, 3, 0] += 1
    found = effect_of(clean, attacked, [], SKELETON, (10, 20))
    assert found.patch.box == (11, 22, 14, 25)
    image = np.zeros((30, 30, 3), np.uint8)
    image[20:26, 10 : 10 + width] = clean
    found.paint(image)
    assert np.array_equal(image[20:26, 10 : 10 + width], attacked)
    assert found.patch.mask.sum() == 2
    xy = np.array([[11.2, 22.4], [12, 22], [13, 24]])
    person = Person(SKELETON, xy, *np.ones((2, 3), bool), 30)
    assert found.joints_under(person, image.shape) == [0, 2]
    nothing = effect_of(clean, clean.copy(), [], SKELETON)
    assert nothing.patch is None
    assert nothing.joints_under(person, image.shape) == []


def test_joints_under_an_effect():
    nose, eye, hip = ([0, name] for name in NAMES)
    record = dict(targets=[nose], bystanders=[eye], pixels=7)
    # a bystander of one patch, the target of the other
    other = dict(targets=[eye], bystanders=[hip], pixels=7)
    black, white = np.zeros((2, 2, 3)), np.ones((2, 2, 3))
    found = effect_of(black, white, [record, other], SKELETON)
    assert (found.targets, found.bystanders) == ((0, 1), (2,))
    assert (found.painted, found.excluded) == (14, False)
    # transforms of others may write other records
    assert effect_of(black, white, [dict(pixels=3)], SKELETON).targets == ()
    # black paint on black pixels
    nothing = effect_of(black, black, [record], SKELETON)
    assert (nothing.targets, nothing.bystanders) == ((), ())
    assert nothing.painted == 0
    excluded = dict(pixels=0, excluded=True)
    assert effect_of(black, black, [excluded], SKELETON).excluded


def test_plan():
    blocks = [Block(0, 0, 4), Block(1, 4, 6), Block(2, 6, 7)]
    stored = {0: {'clean', 'a', 'b'}, 1: {'clean', 'b', 'x'}}
    works = plan(blocks, ['a', 'b'], stored)
    assert [(w.block.number, w.keys) for w in works] == [
        (1, ('a',)),
        (2, ('clean', 'a', 'b')),
    ]
    assert [w.units for w in works] == [2, 3]


def result(changed, joints=2, value=1.0):
    changed = np.array(changed, bool)
    out = empty_result(len(changed), joints)
    out.changed, out.excluded = changed, ~changed
    out.targets[changed] = out.bystanders[~changed] = True
    out.pixels[changed] = 5
    out.keypoints[changed] = out.scores[changed] = value
    out.scores[~changed] = 0
    return out


@pytest.fixture
def store(tmp_path):
    blocks = [Block(0, 0, 3), Block(1, 3, 5)]
    return RunStore.create(
        tmp_path / 'store' / 'key',
        dict(model='m'),
        blocks,
        dict(x=np.arange(3)),
    )


def test_store(store):
    first = {
        'clean': result([1, 1, 1]),
        'a': result([0, 1, 0], value=2),
        'b': result([0, 0, 0]),
    }
    store.write(store.blocks[0], first, [3, 1, 0])
    store.write(store.blocks[1], {'clean': result([1, 1])}, [2])
    store.write(store.blocks[1], {'a': result([1, 1], value=3)}, [2])
    opened = RunStore.open(store.path)
    assert opened.blocks == store.blocks
    assert opened.people()['x'].tolist() == [0, 1, 2]
    assert opened.stored() == {0: {'clean', 'a', 'b'}, 1: {'clean', 'a'}}
    assert opened.complete() == {'clean', 'a'}
    assert opened.passes() == 8
    store.write(store.blocks[1], {'c': result([1, 1])})
    found = opened.read(['a', 'b', 'c'])
    assert set(found) == {'a'}  # the others lack a block
    for name in first['a'].dtype.names:
        read, array = found['a'][name][:3], first['a'][name]
        assert np.array_equal(read, array, array.dtype.kind == 'f'), name
        assert read.dtype == array.dtype
    assert found['a']['keypoints'][3:].ravel().tolist() == [3] * 8


def test_a_store_without_its_shards_is_computed_again(store):
    everything = {'clean': result([1, 1, 1])}
    store.write(store.blocks[0], everything)
    shutil.rmtree(store.path / 'shards')
    assert store.stored(repair=True) == {0: set(), 1: set()}
    assert store.read(['clean']) == {}
    with pytest.raises(UsageError, match='run its command again'):
        load_runs(store.path.parents[1])
    store.write(store.blocks[0], everything)
    assert store.stored() == {0: {'clean'}, 1: set()}


def test_files_of_others_in_the_store_are_left_alone(store):
    """Only this package's own temporary files are deleted."""
    store.write(store.blocks[0], {'clean': result([1, 1, 1])})
    shards = store.path / 'shards'
    theirs = [
        shards / '.ipynb_checkpoints' / 'x.txt',
        shards / '.hidden',
        store.path.parent / '.ipynb_checkpoints' / 'run.json',
    ]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_text('theirs')
    ours = shards / f'{TEMPORARY}000001-dead.npz.77'
    ours.write_bytes(b'half')
    assert store.stored(repair=True) == {0: {'clean'}, 1: set()}
    assert not ours.exists()
    assert all(path.is_file() for path in theirs)
    # only ours is read, and it is not complete
    with pytest.raises(UsageError, match='run its command again'):
        load_runs(store.path.parents[1])


def test_attacks_are_requested_one_after_another(store):
    a, b = (dict(key=k, name=k, suite='s') for k in 'ab')
    store.request([a])
    store.request([b, dict(a, key='new')])
    assert store.attacks == [dict(a, key='new'), b]


def test_digests_do_not_depend_on_order_or_tuples():
    assert digest(dict(a=1, b=(2, 3))) == digest(dict(b=[2, 3], a=1))
    assert digest([1]) != digest([2])


def test_images_count_by_content(tmp_path, monkeypatch):
    cache = tmp_path / 'store' / 'cache.json'
    paths = [tmp_path / name for name in ('a.jpg', 'b.jpg')]
    for path in paths:
        path.write_bytes(path.name.encode())
    known = digest_of_images(paths, cache)
    again = digest_of_images([*paths, paths[0]], tmp_path / 'no', save=False)
    assert again == known
    assert set(json.loads(cache.read_text())) == {str(p) for p in paths}
    read = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path,
        'read_bytes',
        lambda path: read.append(path.name) or read_bytes(path),
    )
    assert digest_of_images(paths, cache) == known
    assert read == ['cache.json']
    read.clear()
    # of the same size, at the same time
    stat = paths[1].stat()
    replacement = tmp_path / 'new'
    replacement.write_bytes(b'B.jpg')
    os.utime(replacement, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    replacement.replace(paths[1])
    assert digest_of_images(paths, cache) != known
    assert read == ['cache.json', 'b.jpg']
    # names count where the files are elsewhere
    elsewhere = [digest_of_images([f's3://{n}.jpg'], cache) for n in 'ab']
    assert elsewhere[0] != elsewhere[1]
    one = digest_of_images(paths[:1], cache)
    cache.write_text('damaged')
    assert digest_of_images(paths[:1], cache) == one


def test_progress(store, monkeypatch):
    now = [0.0]
    monkeypatch.setattr('time.monotonic', lambda: now[0])
    lines = []
    work = plan(store.blocks, ['a', 'b', 'c'], {})
    with Recorder(store, work, lines.append) as recorder:
        for now[0], w, key in (
            (5.0, work[0], 'a'),
            (20.0, work[0], 'b'),
            (25.0, work[1], 'a'),
            (40.0, work[1], 'b'),
        ):
            recorder.add(w.block, key, result([1] * w.block.people), 4)
    assert lines == [
        '30% done: 8 forward passes in 0:00:20 (0.4/s), 0:00:47 left',
        '50% done: 16 forward passes in 0:00:40 (0.4/s), 0:00:40 left',
    ]
    assert store.stored() == {0: {'a', 'b'}, 1: {'a', 'b'}}


def test_optional_arrays_are_stored(store):
    plain = result([1, 0, 1])
    more = plain.copy()
    more.person_scores = 0.5, 9, 0
    more.visibility = 0.25
    nothing = result([0, 0, 0])
    store.write(store.blocks[0], {'a': nothing, 'clean': more, 'b': plain})
    some = {'a': result([1, 1]), 'clean': result([1, 1]), 'b': result([1, 1])}
    store.write(store.blocks[1], some)
    read = RunStore.open(store.path).read(['a', 'b', 'clean'])
    found = {k: v[:3].view(np.recarray) for k, v in read.items()}
    clean, changed = found['clean'], more.changed
    assert clean.person_scores[changed].tolist() == [0.5, 0]
    assert np.isnan(clean.person_scores[~changed]).all()
    assert (clean.visibility[changed] == 0.25).all()
    # results without them: NaN
    assert np.isnan(found['b'].visibility).all()


@pytest.mark.parametrize('text', ['', '[1]', '{"attacks": [3]}'])
def test_damaged_lists_are_written_again(store, text):
    for name in ('attacks.json', 'last.json'):
        (store.path / name).write_text(text)
    store.request([dict(name='a', key='k')])
    assert store.attacks == [dict(name='a', key='k')]
    assert isinstance(store.last, dict)


def test_any_flipped_byte_is_found(store):
    """In a shard, the people or a list: it is not read as it is."""
    store.write(store.blocks[0], {'clean': result([1, 0, 1])})
    store.request([dict(name='a', key='k', suite=None, configs=[])])

    def content():
        opened = RunStore.open(store.path)
        return opened.info, opened.attacks, opened.stored(), opened.people()

    rng = np.random.default_rng(0)
    files = sorted(p for p in store.path.rglob('*') if p.is_file())
    assert len(files) == 4
    before = repr(content())
    for path in files:
        data = path.read_bytes()
        for place in rng.integers(len(data), size=25):
            damaged = bytearray(data)
            damaged[place] ^= 1 << rng.integers(8)
            path.write_bytes(damaged)
            try:
                after = repr(content())
            except UsageError:
                continue
            # a shard is as if it were not there; white space means nothing
            assert (
                after == before
                if path.suffix == '.json'
                else (after != before)
            )
        path.write_bytes(data)
