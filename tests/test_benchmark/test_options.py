"""Faster networks: other bits, so other runs."""

import pytest
import torch

from mmpose_occlusion.benchmark.identity import numerics, run_key
from mmpose_occlusion.benchmark.runs import load_runs
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.mmpose_topdown.options import Options

from .small import assert_same, config, network, run

NOSE = ('keypoint:nose:black',)


pytestmark = pytest.mark.usefixtures('scope')


@pytest.fixture(scope='module')
def cfg(synthetic_people):
    return config(synthetic_people)


def test_each_has_a_key_of_its_own():
    device = torch.device('cpu')
    known = run_key(numerics(4, device))
    assert run_key(numerics(4, device, Options().chosen())) == known
    chosen = [
        Options(autocast='bfloat16'),
        Options(autocast='float16'),
        Options(channels_last=True),
        Options(compile=True),
        Options(channels_last=True, compile=True),
    ]
    keys = {run_key(numerics(4, device, o.chosen())) for o in chosen}
    assert len(keys | {known}) == 6


def test_stored_apart(cfg, tmp_path):
    exact, passes = run(cfg, network(), tmp_path, NOSE)
    for options in (dict(autocast='bfloat16'), dict(channels_last=True)):
        found, more = run(cfg, network(), tmp_path, NOSE, **options)
        assert more == passes
        # a narrow network's heat maps have many places of nearly one height
        moved = abs(found.clean.keypoints - exact.clean.keypoints).max(-1)
        assert (moved < 2).mean() > 0.9
    assert len(load_runs(tmp_path)) == 3
    again, more = run(cfg, network(), tmp_path, NOSE)
    assert more == 0
    assert_same(again, exact)


def test_bfloat16_is_what_the_network_computes_in(cfg, tmp_path):
    model, seen = network(), set()
    final = model.head.final_layer
    final.register_forward_hook(lambda m, i, out: seen.add(out.dtype))
    run(cfg, model, tmp_path, NOSE, autocast='bfloat16')
    assert seen == {torch.bfloat16}


def test_compiled_for_all_sizes_at_once(cfg, tmp_path, monkeypatch):
    asked = []

    def compile_(method, **options):
        asked.append(options)
        return method

    monkeypatch.setattr(torch, 'compile', compile_)
    model = network()
    exact, _ = run(cfg, model, tmp_path / 'exact', NOSE)
    assert asked == []
    found, _ = run(cfg, model, tmp_path / 'compiled', NOSE, compile=True)
    assert_same(found, exact)
    assert asked == [dict(dynamic=True)] * 2
    assert 'forward' not in vars(model.backbone)
    assert 'forward' not in vars(model.head)


def test_no_compiler(cfg, tmp_path, monkeypatch):
    def compile_(method, **options):
        def run(*args):
            raise torch._dynamo.exc.TorchDynamoException('no g++\n\nand more')

        return run

    monkeypatch.setattr(torch, 'compile', compile_)
    with pytest.raises(UsageError, match=r'\(no g\+\+\): install a C\+\+'):
        run(cfg, network(), tmp_path, NOSE, compile=True)


def test_unknown_autocast():
    with pytest.raises(UsageError, match='autocast is "int8": give one of'):
        Options(autocast='int8')
