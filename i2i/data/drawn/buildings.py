"""One building of a drawn street: walls, roof, windows, door or shop front, and the shadow it throws."""

from random import Random

from i2i.data.drawn import street as stock
from i2i.data.drawn.street import Colour, Face, Light, Material, Street, tinted

NEAR = 16.0
"""Metres beyond which a facade is drawn without sills and glazing bars."""


def building(street: Street, chance: Random, z: float, width: float, side: int) -> None:
    edge, end = side * street.half_width, z + width
    floors = chance.choices((2, 3, 4), (3, 4, 2))[0]
    ground, storey = chance.uniform(3.4, 4.0), chance.uniform(2.8, 3.3)
    top = ground + floors * storey - storey + 0.5
    wall = tinted(chance.choice(stock.WALLS), chance.uniform(0.85, 1.08))
    trim, roof = tinted(wall, 1.25), tinted(chance.choice(stock.ROOFS), chance.uniform(0.85, 1.15))
    close = z < NEAR

    # The end wall above the neighbour, the roof behind the eaves, then the facade over both.
    depth = edge + side * 9
    street.across(z, (edge, depth), (0, top), Material(tinted(wall, 0.82)))
    if z < 3 * NEAR and chance.random() < 0.7:
        drape, room = chance.choice(stock.CURTAINS)
        for floor in range(floors):
            for at in (3.2, 5.8):
                home = chance.random() < 0.5
                x, y = edge + side * at, ground + (floor - 1) * storey + 0.9
                street.across(z, (x - 0.66, x + 0.66), (y - 0.14, y + 1.54), Material(tinted(wall, 1.2)))
                street.across(z, (x - 0.5, x + 0.5), (y, y + 1.4), drape if home else stock.GLASS)
                if home:
                    street.across(z, (x - 0.3, x + 0.3), (y, y + 1.4), room)
    pitch = chance.choice((0.0, 0.0, 1.6, 2.6))
    if pitch:
        ridge, back = top + pitch, edge + side * 3.2
        street.faces.append(
            Face(((edge, top, z), (depth, top, z), (back, ridge, z)), Material(tinted(wall, 0.82)), (0.0, 0.0, -1.0))
        )
        slope = ((edge, top, z), (edge, top, end), (back, ridge, end), (back, ridge, z))
        street.faces.append(Face(slope, Material(roof), (-side * 0.6, 0.8, 0.0)))
        if chance.random() < 0.6:
            at = z + chance.uniform(0.2, 0.8) * width
            street.across(at, (back, back + side * 0.9), (top, ridge + 1.1), Material(tinted(roof, 0.8)))
            street.upright(back, (at, at + 0.7), (top, ridge + 1.1), Material(tinted(roof, 0.95)), side)
    street.upright(edge, (z, end), (0, top), Material(wall), side)
    street.upright(edge, (z, end), (0, 0.55), Material(tinted(wall, 0.62)), side)
    street.upright(edge, (z, end), (top - 0.35, top), Material(trim), side)
    street.upright(edge, (z, end), (top - 0.5, top - 0.35), Material(tinted(wall, 0.66)), side)
    if chance.random() < 0.6:
        street.upright(edge, (z, end), (ground - 0.1, ground + 0.12), Material(trim), side)

    _windows(street, chance, edge, (z, end), (ground, storey, floors - 1), wall, side, close)
    if chance.random() < 0.62:
        _shop(street, chance, edge, (z, end), ground, side, close)
    else:
        _windows(street, chance, edge, (z + 2.0, end), (0.3, storey, 1), wall, side, close)
        _door(street, chance, edge, z + 0.6, side)

    away, above = street.sun[0], street.sun[1]
    street.cast(((edge, z), (edge, end)), top)
    if away * side > 0.05:
        reach = 2 * street.half_width / abs(away)
        climb, shift = top - reach * above, -street.sun[2] * reach
        if climb > 0:
            x = -edge
            street.wall_shadows.append(
                ((x, 0, z + shift), (x, 0, end + shift), (x, climb, end + shift), (x, climb, z + shift))
            )


def _windows(
    street: Street, chance: Random, edge: float, span: tuple[float, float], storeys: tuple[float, float, int],
    wall: Colour, side: int, close: bool,
) -> None:  # fmt: skip
    """A grid of windows, each with curtains (lit by night), bare glass or closed shutters (dark)."""
    base, storey, count = storeys
    bays = max(1, int((span[1] - span[0]) / chance.uniform(2.5, 3.8)))
    pitch = (span[1] - span[0]) / bays
    half, low = pitch * chance.uniform(0.21, 0.28), storey * chance.uniform(0.22, 0.32)
    height = storey * chance.uniform(0.48, 0.58)
    at_home = chance.uniform(0.25, 0.85)
    fashion = chance.choice(stock.CURTAINS)
    surround = Material(tinted(wall, chance.choice((0.7, 1.3))))
    leaf = Material(chance.choice(((0.24, 0.40, 0.32), (0.30, 0.36, 0.48), (0.48, 0.28, 0.22))))
    leaves = chance.random() < 0.35 and half > 0.3
    for floor in range(count):
        y = (base + floor * storey + low, base + floor * storey + low + height)
        for bay in range(bays):
            z = span[0] + (bay + 0.5) * pitch
            inner = (z - half, z + half)
            street.upright(edge, (z - half - 0.14, z + half + 0.14), (y[0] - 0.14, y[1] + 0.14), surround, side)
            if leaves:
                for a in (z - half * 1.85, z + half * 1.05):
                    street.upright(edge, (a, a + half * 0.8), y, leaf, side)
            if chance.random() < at_home:
                drape, room = fashion if chance.random() < 0.75 else chance.choice(stock.CURTAINS)
                street.upright(edge, inner, y, drape, side)
                street.upright(edge, (z - half * 0.62, z + half * 0.62), y, room, side)
            else:
                shut = chance.random() < 0.3
                street.upright(edge, inner, y, stock.SHUTTER if shut else stock.GLASS, side)
                if shut and close:
                    for k in range(1, 5):
                        a = y[0] + height * k / 5
                        street.upright(edge, inner, (a, a + 0.07), Material(tinted(stock.SHUTTER.day, 0.75)), side)
                    continue
            if close:
                street.upright(edge, (z - 0.03, z + 0.03), y, surround, side)
                middle = y[0] + height * 0.62
                street.upright(edge, inner, (middle, middle + 0.06), surround, side)
                street.upright(edge, (inner[0] - 0.2, inner[1] + 0.2), (y[0] - 0.24, y[0] - 0.1), surround, side)


def _door(street: Street, chance: Random, edge: float, z: float, side: int) -> None:
    paint = tinted(chance.choice(stock.PAINTS), 0.8)
    street.upright(edge, (z - 0.16, z + 1.26), (0, 2.95), Material((0.84, 0.82, 0.78)), side)
    street.upright(edge, (z, z + 1.1), (0, 2.2), Material(paint), side)
    street.upright(edge, (z, z + 1.1), (2.3, 2.8), stock.CURTAINS[0][1], side)


def _shop(
    street: Street, chance: Random, edge: float, span: tuple[float, float], ground: float, side: int, close: bool
) -> None:
    """A shop front: open ones show their display by day and light the pavement by night."""
    z0, z1 = span[0] + 0.45, span[1] - 0.45
    is_open = chance.random() < 0.8
    sign, display = chance.choice(stock.SIGNS), chance.choice(stock.DISPLAYS)
    frame = Material(tinted(chance.choice(stock.PAINTS), 0.6))
    street.upright(edge, (z0, z1), (0, ground - 0.2), frame, side)
    panes = max(2, round((z1 - z0) / 2.6))
    pane = (z1 - z0) / panes
    for k in range(panes):
        a, b, low = z0 + k * pane + 0.12, z0 + (k + 1) * pane - 0.12, 0.1 if k == 1 else 0.65
        if is_open:
            street.upright(edge, (a, b), (low, 2.75), display, side)
            if close and k != 1:
                for _ in range(3):
                    item, tall = chance.uniform(a, b - 0.4), chance.uniform(0.4, 1.1)
                    goods = Material(chance.choice(stock.PAINTS))
                    street.upright(edge, (item, item + 0.35), (low, low + tall), goods, side)
        else:
            street.upright(edge, (a, b), (low, 2.75), stock.SHUTTER, side)
            for i in range(1, 6 if close else 1):
                y = low + (2.75 - low) * i / 6
                street.upright(edge, (a, b), (y, y + 0.06), Material(tinted(stock.SHUTTER.day, 0.75)), side)
    if is_open:
        street.upright(edge, (z0 + 0.2, z1 - 0.2), (2.95, ground - 0.3), sign, side)
        middle = (z0 + z1) / 2
        glow = display.glow
        for z in (middle - pane / 2, middle + pane / 2):
            street.lights.append(Light((edge - side * 0.9, 1.7, z), (glow[0] * 1.3, glow[1] * 1.3, glow[2] * 1.3)))
    else:
        street.upright(edge, (z0 + 0.2, z1 - 0.2), (2.95, ground - 0.3), Material(tinted(sign.day, 0.45)), side)
    if is_open and chance.random() < 0.6:
        stripes = max(4, round((z1 - z0) / 0.8))
        step, cloth = (z1 - z0) / stripes, (tinted(sign.day, 0.98), (0.95, 0.94, 0.90))
        for k in range(stripes):
            a, b, out = z0 + k * step, z0 + (k + 1) * step, edge - side * 1.3
            corners = ((edge, 3.0, a), (edge, 3.0, b), (out, 2.35, b), (out, 2.35, a))
            street.faces.append(Face(corners, Material(cloth[k % 2]), (-side * 0.45, 0.9, 0.0)))
            street.upright(out, (a, b), (2.1, 2.35), Material(tinted(cloth[k % 2], 0.9)), side)
