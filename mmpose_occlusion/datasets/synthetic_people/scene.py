"""A picture by chance: a place, light, people, things before and behind."""

from dataclasses import dataclass

import cv2
import numpy as np

from .backdrop import sample_backdrop
from .figure import Figure, sample_figure
from .furniture import draw_stool, draw_thing
from .raster import Light
from .stage import SAMPLES, Placed, Prop, compose, place
from .truth import Person, describe

SIZES = ((384, 288), (320, 240), (320, 320), (288, 384), (352, 288))
"""(width, height) of pictures, in pixels."""
PEOPLE = (1, 2, 3, 4)
PEOPLE_WEIGHTS = (0.71, 0.21, 0.06, 0.02)
STATURES = (100, 300)
"""Smallest and largest standing height, in pixels."""

MIN_LABELLED = 9
"""A person with fewer joints inside the picture is not put into it,"""
MIN_SEEN = 6
"""nor one with fewer joints seen,"""
MIN_SHOWN = 0.6
"""nor one of whose pixels inside the picture less than this share shows."""


@dataclass
class Scene:
    """A picture (H, W, 3) uint8 BGR and the people in it, far to near."""

    image: np.ndarray
    people: list[Person]


@dataclass
class Stage:
    """An empty picture: its size, and how the camera looks at the ground.

    ``size`` is (width, height) in pixels, ``horizon`` the row of the horizon,
    ``camera`` the camera's height above the ground in statures (somebody of
    stature s stands on row ``horizon + camera * s``), ``pitch`` how far it
    looks down in degrees.
    """

    size: tuple[int, int]
    horizon: float
    camera: float
    pitch: float
    light: Light

    def floor(self, stature: float) -> float:
        """The row on which somebody of this stature in pixels stands."""
        return self.horizon + self.camera * stature


def make_scene(rng: np.random.Generator) -> Scene:
    """Draw a picture with at least one person.

    Args:
        rng: The only source of chance: equal states give equal pictures.
    """
    while True:
        scene = _try_scene(rng)
        if scene.people:
            return scene


def _try_scene(rng: np.random.Generator) -> Scene:
    stage, stature = _sample_stage(rng)
    cast = _sample_people(rng, stage, stature)
    backdrop = sample_backdrop(rng, *stage.size[::-1], stage.horizon)
    props = _sample_props(rng, stage, cast)
    while True:
        layers: list[Placed | Prop] = sorted(
            [*props, *cast], key=lambda layer: layer.floor
        )
        picture, fronts = compose(backdrop, layers)
        truths = [
            (layer, describe(layer, index, fronts, stage.size))
            for index, layer in enumerate(layers)
            if isinstance(layer, Placed)
        ]
        kept = [layer for layer, person in truths if _belongs(person)]
        if len(kept) == len(cast):
            break
        cast = kept
        props = [
            prop
            for prop in props
            if prop.owner is None or any(prop.owner is p for p in cast)
        ]
    people = [person for _, person in truths]
    return Scene(_develop(rng, picture), people)


def _belongs(person: Person) -> bool:
    flags = list(person.visible.values())
    return (
        sum(flag > 0 for flag in flags) >= MIN_LABELLED
        and sum(flag == 2 for flag in flags) >= MIN_SEEN
        and person.visible_area >= MIN_SHOWN * person.area
    )


def _sample_stage(rng: np.random.Generator) -> tuple[Stage, float]:
    """An empty picture, and the stature of the first one to step into it."""
    width, height = SIZES[rng.integers(len(SIZES))]
    camera = rng.uniform(0.4, 1.05)
    stature = _sample_stature(rng, height)
    floor = rng.uniform(min(1.02 * stature, 0.98 * height), 1.02 * height)
    horizon = float(np.clip(floor - camera * stature, 0, 0.55 * height))
    direction = np.array(
        [rng.uniform(-0.9, 0.9), -rng.uniform(0.3, 1), -rng.uniform(0.25, 1)]
    )
    tint = np.clip(1 + rng.normal(0, 0.05, 3), 0.8, 1.2)
    light = Light(
        direction / np.linalg.norm(direction),
        rng.uniform(0.35, 0.6),
        tint * rng.uniform(0.9, 1.1),
    )
    stage = Stage((width, height), horizon, camera, rng.uniform(-3, 14), light)
    return stage, stature


def _sample_stature(rng: np.random.Generator, height: int) -> float:
    """A standing person's height in pixels."""
    return float(np.clip(height * rng.uniform(0.52, 0.97), *STATURES))


def _sample_people(
    rng: np.random.Generator, stage: Stage, stature: float
) -> list[Placed]:
    """People, more than half of the later ones next to an earlier one."""
    width, height = stage.size
    count = int(rng.choice(PEOPLE, p=PEOPLE_WEIGHTS))
    wanted: list[tuple[float, float, Figure]] = []
    for number in range(count):
        x = rng.uniform(0.12, 0.88) * width
        if number:
            stature = _sample_stature(rng, height)
            if rng.random() < 0.4:
                x, other, _ = wanted[rng.integers(number)]
                side = 1 if rng.random() < 0.5 else -1
                x += side * other * rng.uniform(0.18, 0.55)
                stature = other * rng.uniform(0.72, 1.3)
                stature = float(np.clip(stature, *STATURES))
        wanted.append((x, stature, sample_figure(rng)))
    placed = []
    for x, stature, figure in wanted:
        floor = stage.floor(stature) + rng.normal(0, 0.02) * height
        rise = 0.0
        if not figure.pose.seat and rng.random() < 0.06:
            rise = rng.uniform(0.03, 0.16) * stature
        placed.append(
            place(
                figure,
                (x, floor),
                stature,
                stage.size,
                stage.light,
                stage.pitch,
                rise,
            )
        )
    return placed


def _sample_props(
    rng: np.random.Generator, stage: Stage, cast: list[Placed]
) -> list[Prop]:
    """Seats for those who sit, and things here and there."""
    props = []
    for person in cast:
        if person.figure.pose.seat:
            pelvis = person.view.project(person.figure.joints['pelvis'][None])
            top = (pelvis[0, 0], pelvis[0, 1] + 0.055 * person.unit)
            props.append(
                Prop(
                    person.floor - 0.01,
                    _by_seed(
                        rng,
                        draw_stool,
                        seat=top,
                        floor=person.floor,
                        unit=person.unit,
                    ),
                    person,
                )
            )
    width, height = stage.size
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.6, 0.28, 0.1, 0.02]))):
        unit = rng.uniform(0.35, 1.05) * height
        base = (
            rng.uniform(0, 1) * width * SAMPLES,
            stage.floor(unit) * SAMPLES,
        )
        props.append(_thing(rng, base, unit * SAMPLES))
    if rng.random() < 0.08:  # something before somebody
        person = cast[rng.integers(len(cast))]
        base = (
            person.view.shift[0] + rng.normal(0, 0.25) * person.unit,
            person.floor + rng.uniform(0.05, 0.2) * person.unit,
        )
        props.append(_thing(rng, base, person.unit))
    return props


def _thing(
    rng: np.random.Generator, base: tuple[float, float], unit: float
) -> Prop:
    return Prop(base[1], _by_seed(rng, draw_thing, base=base, unit=unit))


def _by_seed(rng: np.random.Generator, draw, **where):
    """``draw`` with chance of its own: the same each time it is called."""
    seed = int(rng.integers(2**31))

    def repeat(canvas: np.ndarray) -> np.ndarray:
        return draw(np.random.default_rng(seed), canvas, **where)

    return repeat


def _develop(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """What a camera does: exposure, colour cast, softness, noise."""
    height, width = image.shape[:2]
    gain = rng.uniform(0.82, 1.15) * rng.normal(1, 0.03, 3)
    contrast = np.float32(rng.uniform(0.8, 1.15))
    out = image * (gain * contrast).astype(np.float32)
    out += np.float32(127.5) * (1 - contrast)
    if rng.random() < 0.15:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 0.9))
    grain = rng.standard_normal((height, width, 1), dtype=np.float32)
    out += grain * np.float32(255 * rng.uniform(0.003, 0.012))
    return np.clip(out + 0.5, 0, 255).astype(np.uint8)
