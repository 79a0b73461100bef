"""The place on each person where an occluder of a given size hurts most.

The candidates are the points of a grid on the person's pixels, and the
person's joints; then the best one is moved in steps that are halved. The
objective is the person's OKS over all labelled joints, hidden ones included,
or the per-keypoint OKS of one joint, which falls with its error: the fall,
clean minus occluded, is the loss.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import index
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import read_json
from mmpose_occlusion.metrics.oks_pck import keypoint_oks, mean_oks
from mmpose_occlusion.occlusion.regions import DiscSize, Point
from mmpose_occlusion.skeleton import Skeleton

from .effects import PLACED, PersonSurroundings
from .image_loop import ImageLoop
from .image_people import ImagePeople
from .store import CLEAN, Block, BlockResult
from .suite import SuiteAttack, load_suites
from .work import Work

GRID, REFINED, WORST, TRANSFERRED = 'grid', 'refined', 'worst', 'transferred'
"""First words of the attacks' names; joints have their short form."""

ROUNDS, LEAST = 3, 4
"""Halvings of the step, and candidates on the grid at least."""

_AROUND = [(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if x or y]

Places = Mapping[tuple[int, int], tuple[str, float, float]]
"""Image and annotation id -> joint attack's name or GRID or REFINED, x, y."""


@dataclass(frozen=True)
class WorstCaseSearch:
    """What is searched."""

    size: str  # of the disc, such as '10%'
    fill: str
    candidates: int = 64  # places of the grid on each person at most
    rounds: int = ROUNDS  # of refinement, each with 8 places around the best
    budget: int | None = None
    """Forward passes of the whole search at most: the grid becomes coarser
    where it does not suffice."""
    places: Places | None = None  # of another model, to be tried on this one
    joint: str | None = None  # that is to be moved, of those who have it

    @property
    def objective(self) -> str:
        """What is to be as large as possible."""
        if self.joint is None:
            return 'fall of OKS, mean over the labelled joints of a person'
        return f'fall of the per-keypoint OKS of {self.joint}'

    @property
    def around(self) -> int:
        """Number of places around the best, in all rounds."""
        return len(_AROUND) * self.rounds

    def counted(self, data: ImagePeople) -> np.ndarray:
        """``(N, K)`` bool, the labelled joints of the objective."""
        chosen = [self.joint in (None, name) for name in data.joints.names]
        return (data.boxes.visible > 0) & chosen

    def within_budget(
        self, data: ImagePeople, log: Callable[[str], object]
    ) -> 'WorstCaseSearch':
        """With as many candidates as the budget allows; logs the plan."""
        if self.joint not in (None, *data.joints.names):
            raise UsageError(
                f'--joint is "{self.joint}": the data set has '
                f'{", ".join(data.joints.names)}'
            )
        rows = np.flatnonzero(self.counted(data).any(axis=1)).tolist()
        people, images, count = len(rows), len(data.paths), self.candidates
        joints = sum(data.annotations[row]['num_keypoints'] for row in rows)
        each = self.around + (self.places is not None)
        rest = images + joints + people * each
        if self.budget is not None:
            least = min(LEAST, count)
            count = min(count, (self.budget - rest) // max(people, 1))
            if count < least:
                raise UsageError(
                    f'--budget {self.budget} is too small for {people:,} '
                    f'people: give at least {rest + people * least}, or fewer '
                    'images with --max-images'
                )
        log(
            f'At most {rest + people * count:,} forward passes for {people:,} '
            f'people in {images:,} images: each with {count} places on a '
            f'grid, its joints, and {self.around} places around the worst. '
            f'Loss: {self.objective}.'
        )
        return replace(self, candidates=count)

    def suite(self, skeleton: Skeleton) -> list[SuiteAttack]:
        """Each joint hidden, then the places in the order of the search."""
        spec = f'keypoint:*:{self.fill}:{self.size}'
        joints = load_suites((), (spec,), skeleton)
        config: dict[str, Any] = dict(
            type=PLACED,
            target=skeleton.names[0],
            fill=self.fill,
            size=DiscSize.of(self.size).plain,
            candidates=self.candidates,
            rounds=self.rounds,
        )
        if self.joint:
            config['joint'] = self.joint
        grid = [f'{GRID} {i}' for i in range(self.candidates)]
        around = [f'{REFINED} {i}' for i in range(self.around)]
        steps = [dict(config, step=s) for s in (*grid, *around, WORST)]
        if self.places is not None:
            known = sorted([*k, *v] for k, v in self.places.items())
            steps.append(dict(config, step=TRANSFERRED, places=known))
        return [*joints, *(SuiteAttack(s['step'], PLACED, s) for s in steps)]


class WorstCaseLoop(ImageLoop):
    """Searches the worst place of each person of an image: what is predicted
    follows from the results of those before."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.one, self.blocks = True, self.data.blocks(1)
        self.search: WorstCaseSearch = self.options.search
        self.keys = {attack.name: attack.key for attack in self.attacks}
        self.counted = self.search.counted(self.data)

    def depends_on(self) -> dict[str, Any]:
        """As of other runs, whose blocks have another size."""
        joint = f' {self.search.joint}' if self.search.joint else ''
        return dict(super().depends_on(), search=f'{PLACED}{joint}')

    def results(
        self, work: Work
    ) -> Iterator[tuple[Block, str, BlockResult, int]]:
        """As :meth:`.image_loop.ImageLoop.results`; ``excluded`` are people
        with whom a place was not tried."""
        keys = CLEAN, *self.effects
        self.found = {key: self.data.empty(work.block) for key in keys}
        self.passed = 0
        for key in self.effects:
            self.found[key].excluded[:] = True
        own = work.keys != (self.keys.get(TRANSFERRED),)
        (self.image,) = self.data.read(work.block)
        if own:
            self.predict_all(self.image.passes(None, self.found[CLEAN], True))
        for row in self.image.people:
            if self.counted[row].any():
                if own:
                    self._search(row)
                self._transfer(row)
        for key in work.keys:
            yield work.block, key, self.found[key], self.passed
            self.passed = 0

    def _search(self, row: int) -> None:
        image, keys = self.image, self.keys
        person, raw = image.people[row], self.data.annotations[row]
        about = image.pixels.shape, [person], self.data.joints.links
        mask = PersonSurroundings(raw, *about).person_mask(0)
        own = [self.options.seed, int(raw['image_id']), int(raw['id'])]
        shift = np.random.default_rng(own).random(2).tolist()
        points, step = grid(mask, self.search.candidates, shift)
        # the first attacks hide each joint
        joints = zip(person.skeleton.names, keys.values(), strict=False)
        at = person.points
        tried = {key: at[name] for name, key in joints if name in at}
        self._occlude(row, dict.fromkeys(tried))
        places = {keys[f'{GRID} {i}']: p for i, p in enumerate(points)}
        for turn in range(self.search.rounds + 1):
            self._occlude(row, places)
            tried |= places
            if not tried:
                return
            best = min(tried, key=lambda key: self._oks(row, key))
            step, places = step / 2, {}
            for i, (dx, dy) in enumerate(_AROUND, turn * len(_AROUND)):
                x, y = _rounded(np.add(tried[best], (dx * step, dy * step)))
                if turn < self.search.rounds and _is_on(mask, x, y):
                    places[keys[f'{REFINED} {i}']] = x, y
        self._copy(row, best, keys[WORST])

    def _transfer(self, row: int) -> None:
        raw, to = self.data.annotations[row], self.keys.get(TRANSFERRED, '')
        ids = int(raw['image_id']), int(raw['id'])
        name, *point = (self.search.places or {}).get(ids, ('',))
        if key := self.keys.get(name):
            self._occlude(row, {key: None})
            self._copy(row, key, to)
        elif point:
            self._occlude(row, {to: (point[0], point[1])})

    def _copy(self, row: int, key: str, to: str) -> None:
        """Take a person's result of one attack as that of another."""
        i = row - self.image.first
        self.found[to][i] = self.found[key][i]

    def _occlude(self, row: int, places: Mapping[str, Point | None]) -> None:
        """Predict a person with the disc of each attack at its place, by
        default its own joint; those that were tried are not tried again."""
        found = self.found
        todo = [
            (self.effects[key], found[key], point)
            for key, point in places.items()
            if found[key].excluded[row - self.image.first]
        ]
        self.predict_all(
            one for how in todo for one in self.image.attacked([row], *how)
        )

    def _oks(self, row: int, key: str) -> float:
        """A person's OKS under an attack."""
        i, boxes = row - self.image.first, self.data.boxes
        result = self.found[key]
        if not result.changed[i]:
            result = self.found[CLEAN]
        offsets = result.keypoints[i].astype(float) - boxes.truth[row]
        sigmas = self.data.joints.sigmas
        similar = keypoint_oks(offsets, boxes.areas[row], sigmas)
        return float(mean_oks(np.nan_to_num(similar), self.counted[row]))


def grid(
    mask: np.ndarray, count: int, shift: Sequence[float]
) -> tuple[list[Point], float]:
    """At most ``count`` points of a square grid on a mask ``(H, W)``, and its
    step in pixels.

    The step is the least for which there are not more points, to 2 %; the
    grid is offset by ``shift`` steps in x and y, and points are whole eighths
    of a pixel. A mask that no point hits has the pixel in its middle.

    >>> grid(np.ones((4, 4), bool), 4, (0.25, 0.25))[0]
    [(0.5, 0.5), (2.5, 0.5), (0.5, 2.5), (2.5, 2.5)]
    """
    pixels = np.argwhere(mask)[:, ::-1]
    if not len(pixels):
        return [], 1.0
    (left, top), (right, bottom) = pixels.min(0), pixels.max(0)
    step = max(1.0, math.sqrt(len(pixels) / count))
    while True:
        x = _rounded(np.arange(left + shift[0] * step, right + 1, step))
        y = _rounded(np.arange(top + shift[1] * step, bottom + 1, step))
        xy = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        xy = xy[_is_on(mask, *xy.T)]
        if len(xy) <= count:
            break
        step *= 1.02
    if not len(xy):
        xy = pixels[len(pixels) // 2 :][:1].astype(float)
    return [(x, y) for x, y in xy.tolist()], step


def _rounded(value: Any) -> Any:
    """To whole eighths of a pixel, which are exact in any float."""
    return np.round(np.asarray(value) * 8) / 8


def _is_on(mask: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether the nearest pixels of points are in a mask."""
    col, row = (np.floor(each + 0.5).astype(int) for each in (x, y))
    inside = (col >= 0) & (row >= 0)
    inside &= (row < mask.shape[0]) & (col < mask.shape[1])
    return inside & mask[np.where(inside, row, 0), np.where(inside, col, 0)]


def read_places(path: str | Path, settings: WorstCaseSearch) -> Places:
    """The worst places of another run: its folder or ``worst.json``; the disc
    must have the same size and fill, the joint be the same."""
    path = Path(path)
    path = path if path.is_file() else path / 'worst.json'
    raw = read_json(path, 'file of places')
    own = dict(fill=settings.fill, size=settings.size, joint=settings.joint)
    try:
        disc = {key: raw['search'].get(key) for key in own}
        places = {
            (index(p['image_id']), index(p['annotation_id'])): (
                str(p['place']),
                float(p['x']),
                float(p['y']),
            )
            for p in raw['people']
            if p['x'] is not None
        }
        if not np.isfinite([place[1:] for place in places.values()]).all():
            raise ValueError('a place is not finite')
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f'"{path}" is no result of occlusion-worst ({error!r}): give its '
            '--out'
        ) from error
    if disc != own:
        joint = f' and of {disc["joint"]}' if disc['joint'] else ''
        raise UsageError(
            f'"{path}" has the places of {disc["fill"]} discs of '
            f'{disc["size"]}{joint}: give the same --fill, --size and --joint'
        )
    return places
