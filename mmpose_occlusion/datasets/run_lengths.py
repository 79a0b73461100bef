"""Masks from COCO's run lengths, without its compiled library."""

from collections.abc import Mapping

import numpy as np


def decode_run_lengths(segment: Mapping) -> np.ndarray:
    """The mask of a ``segmentation`` that is given by run lengths.

    Runs go down the columns, of zeros and of ones in turn, zeros first.
    Compressed (a string), a run is a number in base 32, its lowest digit
    first: the characters from "0" on, whose fifth bit says that another one
    follows and whose fourth, in the last one, that it is negative; from the
    fourth run on it is the difference from the run but one before it.
    Source of the format: COCO's ``maskApi.c``.

    Args:
        segment: ``size``, [height, width], and ``counts``, a list of numbers,
            a string or bytes.

    Returns:
        ``(height, width)`` uint8, 0 or 1.
    """
    height, width = segment['size']
    counts = segment['counts']
    if isinstance(counts, bytes):
        counts = counts.decode('ascii')
    if isinstance(counts, str):
        counts = _decompressed(counts)
    ones = np.arange(len(counts)) % 2
    flat = np.repeat(ones.astype(np.uint8), counts)
    return np.ascontiguousarray(flat.reshape(width, height).T)


def _decompressed(text: str) -> list[int]:
    counts: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
        value = shift = 0
    return counts
