"""Named albumentations pipelines, and how one is run: with its own seed for each picture, and the text's corners along.

Strengths follow what PP-OCR could still read of chat screenshots after each operation (character recall):
rotation to 10° 1.00, brightness and contrast ±.2 1.00, JPEG quality 30 .99, half the size .99, blur of 5 pixels .99,
a crop of 90 % .99; flipped .08, turned by 90° .63, darkened by half with half the contrast 0.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curate.augment.geometry import Quads
from curate.dataset.decode import Picture
from curate.dataset.files import digest
from curate.errors import UsageError

if TYPE_CHECKING:
    import albumentations

PIPELINES = ("screenshot", "ecommir", "llm_ir", "trivial")
"""Pipelines that come with curate."""

SEEDS = 1 << 32
"""Seeds that albumentations takes are below this."""


@cache
def _library() -> Any:
    """Albumentations; it asks a server for its newest version when it is imported, unless told not to."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    import albumentations

    return albumentations


def _screenshot(a: Any) -> list[Any]:
    """Only what leaves text readable: one movement at most, light, and one loss of quality at most."""
    return [
        a.OneOf([_turn(a, 5), _crop(a, 0.03), a.NoOp(p=1)], p=1),
        # Without a safe range light grey writing on white would be washed out.
        a.RandomBrightnessContrast(0.2, 0.2, ensure_safe_range=True, p=0.8),
        a.OneOf(
            [
                _smaller(a, 0.5),
                a.ImageCompression(quality_range=(50, 95), p=1),
                a.GaussianBlur(blur_limit=(3, 3), sigma_limit=(0.3, 0.8), p=1),
                a.GaussNoise(std_range=(0.01, 0.05), p=1),
                a.NoOp(p=1),
            ],
            p=1,
        ),
    ]


def _ecommir(a: Any) -> list[Any]:
    """EcomMIR's five: flip, rotation, brightness and contrast, noise, crop. The paper gives no strengths."""
    return [
        a.HorizontalFlip(p=0.5),
        _turn(a, 10, p=0.5),
        a.RandomBrightnessContrast(0.2, 0.2, p=0.5),
        a.GaussNoise(std_range=(0.01, 0.05), p=0.5),
        _crop(a, 0.05, p=0.5),
    ]


def _llm_ir(a: Any) -> list[Any]:
    """LLM-IR's four: crop, rotation, colour, noise. The paper gives no strengths."""
    return [
        _crop(a, 0.05, p=0.5),
        _turn(a, 10, p=0.5),
        a.ColorJitter(brightness=(0.8, 1.2), contrast=(0.8, 1.2), saturation=(0.7, 1.3), hue=(-0.05, 0.05), p=0.5),
        a.GaussNoise(std_range=(0.01, 0.05), p=0.5),
    ]


def _trivial(a: Any) -> list[Any]:
    """TrivialAugment (Müller and Hutter, 2021) over operations that leave text readable: one, strength drawn evenly."""
    operations = [
        a.NoOp(p=1),
        _turn(a, 10),
        _crop(a, 0.05),
        _smaller(a, 0.5),
        a.RandomBrightnessContrast((-0.2, 0.2), (0, 0), p=1),
        a.RandomBrightnessContrast((0, 0), (-0.2, 0.2), p=1),
        a.HueSaturationValue(20, 30, 0, p=1),
        a.ToGray(p=1),
        a.Posterize(num_bits=(4, 8), p=1),
        a.Sharpen(alpha=(0.0, 0.5), p=1),
        a.ImageCompression(quality_range=(40, 100), p=1),
        a.GaussianBlur(blur_limit=(3, 3), sigma_limit=(0.3, 1.2), p=1),
        a.GaussNoise(std_range=(0.01, 0.08), p=1),
    ]
    return [a.OneOf(operations, p=1)]


def _turn(a: Any, degrees: float, p: float = 1) -> Any:
    """A rotation that loses no corner; the new corners take the colour of the nearest edge."""
    import cv2

    return a.Affine(
        rotate=(-degrees, degrees),
        fit_output=True,
        interpolation=cv2.INTER_CUBIC,
        border_mode=cv2.BORDER_REPLICATE,
        p=p,
    )


def _crop(a: Any, share: float, p: float = 1) -> Any:
    return a.RandomCropFromBorders(crop_left=share, crop_right=share, crop_top=share, crop_bottom=share, p=p)


def _smaller(a: Any, share: float) -> Any:
    import cv2

    return a.RandomScale(scale_limit=(share - 1, 0), interpolation=cv2.INTER_AREA, p=1)


_MADE = {"screenshot": _screenshot, "ecommir": _ecommir, "llm_ir": _llm_ir, "trivial": _trivial}


class Pipeline:
    """A composition of operations that always draws the same for the same seed, whatever ran before.

    Args:
        operations: Albumentations transforms.
        moves_text: Whether the corners of the text's lines go through them too.
    """

    def __init__(self, operations: list[Any], moves_text: bool = True) -> None:
        a = _library()
        corners = a.KeypointParams(format="xy", remove_invisible=False) if moves_text else None
        self._moves_text = moves_text
        self.compose: albumentations.Compose = a.Compose(operations, keypoint_params=corners, save_applied_params=True)

    @classmethod
    def named(cls, name: str) -> Pipeline:
        """A pipeline that comes with curate."""
        return cls(_MADE[name](_library()))

    @classmethod
    def read(cls, path: Path, moves_text: bool) -> Pipeline:
        """A composition that a person wrote with `albumentations.save`, as JSON or YAML.

        Raises:
            UsageError: the file cannot be read, is no composition, or with `moves_text` holds an operation that
                cannot take the corners of text along.
        """
        a = _library()
        try:
            loaded = a.load(path, data_format="yaml" if path.suffix in (".yaml", ".yml") else "json")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, NotImplementedError) as error:
            raise UsageError(
                f"{path} holds no composition that albumentations {version('albumentations')} reads "
                f"({type(error).__name__}: {error}); write one with albumentations.save(compose, 'mine.json')"
            ) from error
        if not isinstance(loaded, a.BaseCompose):
            loaded = a.Compose([loaded])
        still = sorted({type(one).__name__ for one in _parts(loaded) if not _composes(one) and not _takes_corners(one)})
        if still and moves_text:
            raise UsageError(
                f"{path}: {', '.join(still)} cannot take the corners of text along, so only reading the new picture "
                "proves anything: verify: ocr"
            )
        return cls(list(loaded.transforms), moves_text)

    def digest(self) -> str:
        """Hash of the operations, with the versions of what does them: bits differ between versions of OpenCV."""
        import cv2

        parts = [self.compose.to_dict()["transform"]["transforms"], self._moves_text]
        return f"{digest(parts)[:16]} albumentations {version('albumentations')} opencv {cv2.__version__}"

    def draw(self, picture: Picture, quads: Quads, seed: int) -> tuple[Picture, Quads, str]:
        """Change a picture.

        Args:
            picture: The original.
            quads: Corners of lines in it.
            seed: Decides everything that is drawn.

        Returns:
            The new picture, the corners in it (unmoved where the pipeline does not move text), and the operations.
        """
        self.seed(seed)
        if not self._moves_text:
            result = self.compose(image=picture)
            return result["image"], quads, _told(result["applied_transforms"])
        result = self.compose(image=picture, keypoints=quads.reshape(-1, 2))
        moved = np.asarray(result["keypoints"], dtype=np.float32).reshape(-1, 4, 2)
        return result["image"], moved, _told(result["applied_transforms"])

    def seed(self, seed: int) -> None:
        """Give every operation a seed of its own.

        Compose would give all of them the same one, and those with the same probability would then happen together.
        """
        for number, one in enumerate([self.compose, *_parts(self.compose)]):
            one.set_random_seed((seed + number * 0x9E3779B97F4A7C15) % SEEDS)


def _parts(compose: Any) -> list[Any]:
    """Every composition and operation within a composition, from the outside in."""
    found: list[Any] = []
    for one in compose.transforms:
        found.append(one)
        if _composes(one):
            found += _parts(one)
    return found


def _composes(one: Any) -> bool:
    return isinstance(one, _library().BaseCompose)


def _takes_corners(one: Any) -> bool:
    """Whether an operation leaves corners where they are, or takes them along."""
    a = _library()
    targets = getattr(one, "_targets", ())
    known = targets if isinstance(targets, (tuple, list)) else (targets,)
    return not isinstance(one, a.DualTransform) or any(str(target).upper().endswith("KEYPOINTS") for target in known)


_UNTOLD = ("interpolation", "mask_interpolation", "fill", "fill_mask", "border_mode")


def _told(applied: list[tuple[str, dict[str, Any]]]) -> str:
    """Operations with their single numbers: `Affine rotate=-4.2`."""
    parts = []
    for name, values in applied:
        if name in ("NoOp", "OneOf"):
            continue
        numbers = {
            key: value for key, value in values.items() if isinstance(value, (int, float)) and key not in _UNTOLD
        }
        parts.append(" ".join([name, *(f"{key}={value:.3g}" for key, value in sorted(numbers.items()))]))
    return "; ".join(parts)
