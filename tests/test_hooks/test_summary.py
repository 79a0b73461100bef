"""Counting what attacks did."""

import pytest

from mmpose_occlusion.hooks.attacked_crops import outcomes, summarize


def record(call, pixels, reason=None):
    return {'call': call, 'pixels': pixels, 'reason': reason}


def test_outcomes_of_one_picture():
    records = [
        record(0, 100),
        record(0, 13),
        record(1, 0, 'nose is not labelled'),
        record(2, 0, 'first reason'),
        record(2, 7),
        record(3, 0),
    ]
    assert outcomes(records) == {
        0: 113,
        1: 'nose is not labelled',
        2: 7,
        3: 'no pixel was painted',
    }
    assert outcomes([]) == {}


def test_summary_by_hand():
    crops = [{0: 100, 1: 'a'}, {0: 50, 1: 'b'}, {0: 'a'}, {0: 'a', 1: 1500}]
    assert summarize(crops, ['keypoint:nose:black']) == [
        'Attack keypoint:nose:black changed 2 of 4 crops (50 %), 75 px on '
        'average; 2 unchanged: a (2).',
        'Attack number 2 changed 1 of 4 crops (25 %), 1,500 px on average; '
        '3 unchanged: a (1), b (1), not attacked (1).',
    ]


@pytest.mark.parametrize('crops', [[], [{}], [{}, {}]])
def test_nothing_to_say(crops):
    assert summarize(crops, ['x']) == []


def test_numbers_do_not_split_reasons():
    reasons = [
        'nose at (-3.5, 200) is outside',
        'nose at (1, 2.25) is outside',
        'left_thumb4 at (1, 2.25) is outside',
    ]
    (line,) = summarize([{0: reason} for reason in reasons])
    assert line.endswith(
        '3 unchanged: nose at (…, …) is outside (2), '
        'left_thumb4 at (1, 2.25) is outside (1).'
    )
