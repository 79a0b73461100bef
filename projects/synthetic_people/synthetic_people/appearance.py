"""Colours, patterns and clothes.

Colours are BGR in 0..1. Clothes, shoes and furniture share one distribution
of colours, so a colour does not identify the joint under it. A paint maps
local points (3, N) (X to the person's left, Y up the segment, Z to its
front) to BGR, (3, N) or (3, 1).
"""

import colorsys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from .rendering import Array, Paint, Rng

# RGB; skin from light to dark
SKIN = ['ffe0c4', 'f1c2a3', 'e4b28a', 'c68d62', 'a06b47', '784e34', '543626']
HAIR = '181412 2d2018 483020 68462a 966c3e cda86c 8c3e22 848280 d6d2cc 282428'
HAIR_STYLES = dict(bald=0.05, cropped=0.16, short=0.27, bob=0.14, long=0.15)
HAIR_STYLES |= dict(bun=0.07, ponytail=0.08, curly=0.08)
PATTERNS = dict(plain=0.64, hoops=0.10, stripes=0.05, checks=0.06, dots=0.03)
PATTERNS |= dict(mottle=0.05, panel=0.07)


def _hex(text: str) -> Array:
    return np.frombuffer(bytes.fromhex(text), np.uint8) / 255


def _bgr(rgb: Array, low: float = 0.0, high: float = 1.0) -> Array:
    return np.clip(rgb, low, high)[::-1].copy()


def sample_skin(rng: Rng) -> Array:
    """(3,) skin colour between two neighbouring tones."""
    index, share = rng.integers(len(SKIN) - 1), rng.random()
    rgb = (1 - share) * _hex(SKIN[index]) + share * _hex(SKIN[index + 1])
    return _bgr(rgb * rng.uniform(0.94, 1.06, 3))


def sample_hair(rng: Rng) -> Array:
    """(3,) hair colour, 1 in 20 dyed."""
    rgb = _hex(rng.choice(HAIR.split()))
    if rng.random() < 0.05:
        rgb = np.array(colorsys.hsv_to_rgb(rng.random(), 0.6, 0.7))
    return _bgr(rgb * rng.uniform(0.85, 1.15))


def sample_color(rng: Rng) -> Array:
    """(3,) colour of cloth, leather, wood or paint."""
    kind = rng.random()
    if kind < 0.30:  # neutral
        grey = rng.choice([0.1, 0.2, 0.35, 0.55, 0.75, 0.92])
        rgb = grey + rng.uniform(-0.05, 0.05) + rng.uniform(-0.02, 0.02, 3)
        return _bgr(rgb, 0.04, 0.96)
    low, high = (0, 0.3, 0.3), (1, 0.85, 0.9)
    if kind < 0.45:  # denim and navy
        low, high = (0.57, 0.35, 0.22), (0.66, 0.75, 0.62)
    elif kind < 0.60:  # earth
        low, high = (0.04, 0.25, 0.3), (0.14, 0.6, 0.8)
    rgb = np.array(colorsys.hsv_to_rgb(*rng.uniform(low, high)))
    return _bgr(rgb, 0.04, 0.96)


def contrasting(rng: Rng, color: Array) -> Array:
    """(3,) colour that differs visibly from ``color``."""
    for _ in range(8):
        other = sample_color(rng)
        if np.abs(other - color).sum() > 0.5:
            return other
    return 1 - color


def plain(color: Array) -> Paint:
    """Paint of one colour."""
    flat = np.asarray(color, np.float32)[:, None]
    return lambda q: flat


def choose(
    test: Callable[[Array], Array], where: Paint, other: Paint
) -> Paint:
    """``where`` on points for which ``test(q)`` holds, else ``other``."""
    return lambda q: np.where(test(q), where(q), other(q))


def strands(color: Array, curly: bool) -> Paint:
    """Paint of hair; points are in heads."""
    base = color.astype(np.float32)[:, None]

    def paint(q: Array) -> Array:
        x, y, z = 2.4 * q
        if curly:
            wave = np.sin(13 * x) * np.sin(12 * y + 1) * np.sin(11 * z + 2)
        else:
            wave = np.sin(17 * x + 4 * np.sin(3 * y)) * np.cos(9 * z)
        return base * (1 + 0.22 * wave)

    return paint


def sample_cloth(rng: Rng, patterned: bool = True) -> Paint:
    """Draw cloth with folds; points are in statures."""
    base = sample_color(rng)
    paint = plain(base)
    if patterned:
        name = str(rng.choice(list(PATTERNS), p=list(PATTERNS.values())))
        paint = _pattern(rng, name, base, contrasting(rng, base))
    amount, phase = rng.uniform(0.03, 0.12), rng.uniform(0, 6.3)
    sign = 1 if rng.random() < 0.5 else -1  # neither side is favoured

    def folded(q: Array) -> Array:
        q = q * np.float32([[sign], [1], [1]])
        x, y, z = q
        wave = np.sin(38 * y + 16 * x + phase)
        wave *= np.sin(23 * x - 31 * z + 1.7 * phase)
        wave += 0.6 * np.sin(71 * y - 44 * x + 27 * z + 2.9 * phase)
        return paint(q) * (1 + amount * wave)

    return folded


def _pattern(rng: Rng, name: str, base: Array, second: Array) -> Paint:
    one, two, mixed = plain(base), plain(second), plain((base + second) / 2)
    period, share = rng.uniform(0.025, 0.075), rng.uniform(0.25, 0.6)
    phase = rng.uniform(0, 1)
    a, b, c = rng.uniform(40, 110, 3)

    def saw(v: Array) -> Array:
        return np.mod(v / period + phase, 1.0)

    def hoop(q: Array) -> Array:
        return saw(q[1]) < share

    def stripe(q: Array) -> Array:
        return saw(q[0] + 0.5 * q[2]) < share * 0.6

    def dot(q: Array) -> Array:
        row = np.floor(q[1] / period)
        u = np.mod(q[0] / period + 0.5 * np.mod(row, 2), 1) - 0.5
        v = np.mod(q[1] / period, 1) - 0.5
        return u * u + v * v < (0.16 + 0.2 * share) ** 2

    def blot(q: Array) -> Array:
        x, y, z = q
        wave = np.sin(a * x + 2 * np.sin(b * y))
        wave += np.sin(b * y + 2 * np.sin(c * z)) + np.sin(c * z + a * x)
        return wave > 0.4

    def panel(q: Array) -> Array:
        return np.abs(q[0]) < 0.035 + 0.03 * share

    if name == 'checks':
        rows = choose(stripe, two, mixed), choose(stripe, mixed, one)
        return choose(hoop, *rows)
    tests = dict(
        hoops=hoop, stripes=stripe, dots=dot, mottle=blot, panel=panel
    )
    return choose(tests[name], two, one) if name in tests else one


Outfit = SimpleNamespace
"""Looks: ``sleeve``, ``leg`` and ``skirt`` end at elbow or knee at 1, at wrist
or ankle at 2; ``shirt_hem`` is below the waist, in statures; ``ease`` and
``sleeve_ease`` are the widths of cloth over the limbs'."""


def sample_outfit(rng: Rng, curve: float, allow_skirt: bool) -> Outfit:
    """Draw an outfit; skirts, long hair and beards depend weakly on the
    build's ``curve``."""
    u = rng.uniform

    def cloth() -> Paint:
        return sample_cloth(rng, patterned=False)

    skin, top = sample_skin(rng), sample_cloth(rng)
    bottom = sample_cloth(rng, patterned=u() < 0.35)
    sleeves = [0, u(0.35, 0.7), u(0.9, 1.3), 2]
    sleeve = float(rng.choice(sleeves, p=[0.13, 0.4, 0.07, 0.4]))
    legs = [u(0.25, 0.5), u(0.6, 0.95), u(1.3, 1.6), 2]
    leg, skirt = float(rng.choice(legs, p=[0.14, 0.14, 0.08, 0.64])), 0.0
    if allow_skirt and u() < 0.08 + 0.3 * curve:
        leg = skirt = float(u(0.45, 1.55))
        bottom = top if u() < 0.45 else bottom  # a dress
    feminine = u() < curve
    style = str(rng.choice(list(HAIR_STYLES), p=list(HAIR_STYLES.values())))
    if feminine and style in ('bald', 'cropped'):
        style = 'long'
    if not feminine and style in ('long', 'bun', 'bob') and u() < 0.6:
        style = 'short'
    hats = ['', 'cap', 'beanie', 'brim']
    hems = [0, u(0.02, 0.05), u(0.06, 0.11)]
    barefoot = u() < 0.06
    shoe = sole = plain(skin) if barefoot else cloth()
    if not barefoot and u() < 0.6:
        white = u() < 0.6
        sole = plain(np.full(3, u(0.75, 0.95)) if white else sample_color(rng))
    return Outfit(
        skin=skin,
        hair=sample_hair(rng),
        hair_style=style,
        fringe=u(-0.1, 0.12),
        beard=0.0 if feminine or u() < 0.65 else u(0.3, 1),
        iris=0.09 + rng.uniform(0, 0.25, 3) * (u() < 0.35),
        hat=str(rng.choice(hats, p=[0.82, 0.08, 0.06, 0.04])),
        hat_paint=cloth(),
        top=top,
        open_front=cloth() if sleeve == 2 and u() < 0.35 else None,
        neckline=u(0, 0.055),
        sleeve=sleeve,
        sleeve_ease=u(1.05, 1.3),
        shirt_hem=float(rng.choice(hems, p=[0.35, 0.4, 0.25])),
        bottom=bottom,
        leg=leg,
        skirt=skirt,
        ease=u(1.03, 1.35),
        shoe=shoe,
        sole=sole,
        sock=plain(skin) if barefoot else cloth(),
        sock_height=0.0 if barefoot else float(rng.choice([0, u(0.05, 0.5)])),
    )
