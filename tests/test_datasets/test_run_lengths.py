"""Run lengths, against masks drawn by hand and COCO's own code."""

import numpy as np
import pytest

from mmpose_occlusion.datasets.run_lengths import decode_run_lengths

# columns first: 2 zeros, 3 ones, 1 zero, 2 ones, 1 zero
MASK = np.array([[0, 1, 1], [0, 1, 1], [1, 0, 0]])


def test_runs_go_down_the_columns():
    found = decode_run_lengths(dict(size=[3, 3], counts=[2, 3, 1, 2, 1]))
    assert (found == MASK).all()
    assert found.dtype == np.uint8


@pytest.mark.parametrize('counts', ['231O0', b'231O0'])
def test_compressed_by_hand(counts):
    """2, 3 and 1 as they are; then 2 - 3 = -1, five bits that are all set,
    is character 48 + 31, "O", and 1 - 1 = 0 is "0"."""
    assert (decode_run_lengths(dict(size=[3, 3], counts=counts)) == MASK).all()


def test_as_cocos_own_code():
    coco = pytest.importorskip('pycocotools.mask')
    rng = np.random.default_rng(0)
    for size in ((1, 1), (7, 90), (300, 200)):
        for share in (0.5, 0.01, 0.999):
            mask = (rng.random(size) < share).astype(np.uint8)
            # long runs, too: up to 60,000 pixels
            segment = coco.encode(np.asfortranarray(mask))
            assert (decode_run_lengths(segment) == mask).all()
