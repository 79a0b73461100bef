"""What a person wears and looks like, drawn at random.

Lengths along a limb are shares: 0 is its upper, 1 its lower joint.
"""

from dataclasses import dataclass

import numpy as np

from .colors import sample_cloth_color, sample_hair, sample_skin
from .patterns import plain, sample_cloth, sample_plain_cloth
from .raster import Paint

HAIR_STYLES = (
    'bald',
    'cropped',
    'short',
    'bob',
    'long',
    'bun',
    'ponytail',
    'curly',
)
HAIR_WEIGHTS = np.array([0.05, 0.16, 0.27, 0.14, 0.15, 0.07, 0.08, 0.08])


@dataclass(frozen=True)
class Outfit:
    """Everything about a person's looks.

    ``sleeve`` 0..2: none, to the elbow at 1, to the wrist at 2; ``leg``
    0..2: 0.3 are shorts, 1 ends at the knee, 2 at the ankle; ``skirt`` is
    the hem's height in the same measure, 0 for none; ``shirt_hem`` is how
    far the shirt hangs below the waist in statures; ``ease`` is how much
    wider than the limb trousers are.
    """

    skin: np.ndarray
    hair: np.ndarray
    hair_style: str
    fringe: float
    beard: float
    hat: str
    hat_paint: Paint
    top: Paint
    bottom: Paint
    sleeve: float
    neckline: float
    leg: float
    skirt: float
    shirt_hem: float
    ease: float
    sleeve_ease: float
    shoe: Paint
    sole: Paint
    sock: Paint
    sock_height: float
    open_front: Paint | None
    lips: np.ndarray
    iris: np.ndarray


def sample_outfit(
    rng: np.random.Generator, curve: float, allow_skirt: bool
) -> Outfit:
    """Draw an outfit.

    Args:
        curve: The build's; skirts, long hair and beards follow it loosely.
        allow_skirt: Whether the pose leaves room for a skirt.
    """
    u = rng.uniform
    skin, hair = sample_skin(rng), sample_hair(rng)
    top = sample_cloth(rng)
    bottom = sample_cloth(rng) if u() < 0.35 else sample_plain_cloth(rng)
    sleeve = float(
        rng.choice([0, u(0.35, 0.7), u(0.9, 1.3), 2], p=[0.13, 0.4, 0.07, 0.4])
    )
    leg = float(
        rng.choice(
            [u(0.25, 0.5), u(0.6, 0.95), u(1.3, 1.6), 2],
            p=[0.14, 0.14, 0.08, 0.64],
        )
    )
    skirt = 0.0
    if allow_skirt and u() < 0.08 + 0.3 * curve:
        skirt = float(u(0.45, 1.55))
        leg = skirt  # what the cloth touches is cloth
        if u() < 0.45:  # a dress
            bottom = top
    feminine = u() < curve
    style = str(rng.choice(HAIR_STYLES, p=HAIR_WEIGHTS))
    if feminine and style in ('bald', 'cropped'):
        style = 'long'
    if not feminine and style in ('long', 'bun', 'bob') and u() < 0.6:
        style = 'short'
    hat = str(
        rng.choice(['', 'cap', 'beanie', 'brim'], p=[0.82, 0.08, 0.06, 0.04])
    )
    bare = u() < 0.06
    shoe = plain(skin) if bare else sample_plain_cloth(rng)
    sole = (
        shoe
        if bare or u() < 0.4
        else plain(
            np.full(3, u(0.75, 0.95)) if u() < 0.6 else sample_cloth_color(rng)
        )
    )
    return Outfit(
        skin=skin,
        hair=hair,
        hair_style=style,
        fringe=float(u(-0.1, 0.12)),
        beard=0.0 if feminine or u() < 0.65 else float(u(0.3, 1)),
        hat=hat,
        hat_paint=sample_plain_cloth(rng),
        top=top,
        bottom=bottom,
        sleeve=sleeve,
        neckline=float(u(0.0, 0.055)),
        leg=leg,
        skirt=skirt,
        shirt_hem=float(
            rng.choice([0, u(0.02, 0.05), u(0.06, 0.11)], p=[0.35, 0.4, 0.25])
        ),
        ease=float(u(1.03, 1.35)),
        sleeve_ease=float(u(1.05, 1.3)),
        shoe=shoe,
        sole=sole,
        sock=plain(skin) if bare else sample_plain_cloth(rng),
        sock_height=0.0 if bare else float(rng.choice([0, u(0.05, 0.5)])),
        open_front=sample_plain_cloth(rng)
        if sleeve == 2 and u() < 0.35
        else None,
        lips=np.clip(skin * np.array([0.72, 0.62, 0.88]), 0, 1),
        iris=np.array([0.10, 0.09, 0.09])
        + rng.uniform(0, 0.25, 3) * (u() < 0.35),
    )
