"""Drawn products: simple flat shapes that stand for photos, so that no picture of anybody's goods is needed."""

from random import Random

SHAPES: dict[str, str] = {
    "cup": '<path d="M36 22h28v6H36z" fill="#444"/><path d="M33 28h34l-3 50q0 4-4 4H40q-4 0-4-4z" fill="{a}"/>'
    '<path d="M35 48h30v12H36z" fill="{b}"/>',
    "shirt": '<path d="M38 22 20 32l-6 18 12 5 3-9v36h42V46l3 9 12-5-6-18-18-10q-12 10-24 0z" fill="{a}"/>'
    '<path d="M38 22q12 14 24 0l-3-1q-9 8-18 0z" fill="{b}"/>',
    "coat": '<path d="M38 18 22 28l-8 42 12 3 4-18v33h40V55l4 18 12-3-8-42-16-10z" fill="{a}"/>'
    '<path d="M49 18h2v70h-2zM30 44h40v2H30zM30 58h40v2H30zM30 72h40v2H30z" fill="{b}"/>',
    "shoe": '<path d="M14 40q8 6 16 0l22 16q6 4 26 6 10 2 10 12H14z" fill="{a}"/><path d="M14 70h74v8H14z" fill="{b}"/>'
    '<path d="m36 48 6-5m0 10 6-5m0 10 6-5" stroke="#fff" stroke-width="2"/>',
    "earphones": '<rect x="26" y="30" width="48" height="46" rx="18" fill="{a}"/><path d="M26 50h48" stroke="{b}" '
    'stroke-width="2"/><circle cx="50" cy="61" r="3" fill="{b}"/>',
    "lamp": '<path d="M32 18h36l10 26H22z" fill="{a}"/><path d="M48 44h4v34h-4z" fill="#666"/>'
    '<ellipse cx="50" cy="81" rx="20" ry="5" fill="{b}"/>',
    "pan": '<ellipse cx="42" cy="54" rx="30" ry="22" fill="{a}"/><ellipse cx="42" cy="51" rx="24" ry="16" fill="{b}"/>'
    '<path d="m68 44 26-14 3 5-26 16z" fill="#444"/>',
    "bottle": '<path d="M44 12h12v10H44z" fill="#444"/><path d="M40 22h20l6 14v50H34V36z" fill="{a}"/>'
    '<path d="M36 46h28v24H36z" fill="{b}"/>',
    "bag": '<path d="M38 32q0-16 12-16t12 16" fill="none" stroke="{b}" stroke-width="4"/>'
    '<path d="M24 32h52l5 52H19z" fill="{a}"/><path d="M30 48h40v20H30z" fill="{b}"/>',
    "phone": '<rect x="31" y="12" width="38" height="76" rx="6" fill="#333"/><path d="M34 18h32v60H34z" fill="{a}"/>'
    '<circle cx="50" cy="83" r="2.5" fill="{b}"/>',
    "blanket": '<path d="M18 30h64v16H18zM18 48h64v16H18z" fill="{a}"/><path d="M18 66h64v16H18z" fill="{b}"/>'
    '<path d="M18 46h64M18 64h64" stroke="#fff" stroke-width="1"/>',
    "chair": '<path d="M26 16h48l-4 38H30z" fill="{a}"/><path d="M26 54h48v8H26z" fill="{b}"/>'
    '<path d="m30 62 26 26m14-26L44 88" stroke="#555" stroke-width="4"/>',
    "toy": '<path d="M20 56h28v26H20zM52 56h28v26H52z" fill="{a}"/><path d="M36 28h28v26H36z" fill="{b}"/>'
    '<path d="M26 52h6v4h-6zM36 52h6v4h-6zM58 52h6v4h-6zM68 52h6v4h-6zM42 24h6v4h-6zM52 24h6v4h-6z" fill="#555"/>',
    "box": '<path d="m50 18 34 14v38L50 86 16 70V32z" fill="{a}"/><path d="m16 32 34 15 34-15M50 47v39" fill="none" '
    'stroke="{b}" stroke-width="3"/><path d="m33 25 34 14v9l-8 3" fill="none" stroke="#e9d9a8" stroke-width="5"/>',
}
WORDS: list[tuple[str, str]] = [
    ("洗发|沐浴|乳|霜|精华|油|瓶|洗衣液", "bottle"),
    ("羽绒|外套|大衣|风衣|夹克", "coat"),
    ("T恤|衫|衣|裙|裤", "shirt"),
    ("鞋|靴", "shoe"),
    ("耳机", "earphones"),
    ("杯|壶", "cup"),
    ("灯", "lamp"),
    ("锅", "pan"),
    ("包|箱|袋", "bag"),
    ("手机|平板|手表", "phone"),
    ("毯|被|毛巾|床|枕", "blanket"),
    ("椅|凳|桌|沙发", "chair"),
    ("积木|玩具", "toy"),
]
CRACK = '<path d="m44 22 6 14-7 9 10 12-6 9 5 14m-9-35-9 4m19 8 10-4" fill="none" stroke="#111" stroke-width="1.6"/>'
STAIN = '<path d="M40 52q6-9 14-3 9-2 8 7 5 8-6 10-7 6-13-1-9-4-3-13z" fill="#6b4a1f" opacity=".75"/>'
MARKS = {"crack": CRACK, "stain": STAIN}


def shape_of(title: str) -> str:
    """Name of the drawing that fits a product's title."""
    for words, name in WORDS:
        if any(word in title for word in words.split("|")):
            return name
    return "box"


def shade(rng: Random, light: int) -> str:
    """A calm colour of the given lightness."""
    return f"hsl({rng.randrange(360)} {rng.randint(25, 55)}% {light}%)"


def drawing(rng: Random, name: str, mark: str = "") -> str:
    """The inside of an SVG of 100 x 100 units; a mark shows damage."""
    body = SHAPES[name].replace("{a}", shade(rng, rng.randint(38, 55))).replace("{b}", shade(rng, 80))
    return body + MARKS.get(mark, "")


def thumbnail(rng: Random, title: str, width: int, height: int) -> str:
    """A product's picture of this many css pixels."""
    svg = f'<svg viewBox="0 0 100 100">{drawing(rng, shape_of(title))}</svg>'
    return f'<div class="photo" style="width:{width}px;height:{height}px;background:{shade(rng, 88)}">{svg}</div>'
