"""Lets torchvision be imported whose compiled part does not load beside a torch for processors only.

transformers needs torchvision's transforms for Qwen2-VL, which are Python; the compiled operators (nms) and the image
reader are not needed, but their absence breaks the import. A line `import torchvision_without_cuda` in a .pth file
starts this in every process of an environment; it costs nothing until torchvision is imported. For tests only.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

_LIBRARIES: list[Any] = []


class _ImageReader(importlib.abc.Loader):
    """Loads torchvision.io.image and puts Pillow in the place of a decoder that cannot be loaded."""

    def __init__(self, inner: importlib.abc.Loader) -> None:
        self._inner = inner

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        try:
            module._assert_has_image_ops()
        except (AttributeError, RuntimeError):
            module.decode_image = _decode_image


def _decode_image(source: Any, mode: Any = None, apply_exif_orientation: bool = False) -> Any:
    import io

    import numpy
    import torch
    from PIL import Image, ImageOps

    picture = Image.open(io.BytesIO(bytes(source.numpy())) if torch.is_tensor(source) else source)
    if apply_exif_orientation:
        picture = ImageOps.exif_transpose(picture)
    wanted = {"GRAY": "L", "GRAY_ALPHA": "LA", "RGB_ALPHA": "RGBA"}.get(getattr(mode, "name", mode) or "", "RGB")
    array = torch.from_numpy(numpy.array(picture.convert(wanted)))
    return array.permute(2, 0, 1).contiguous() if array.ndim == 3 else array[None]


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name == "torchvision":
            _define_operators()
        if name != "torchvision.io.image":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _ImageReader(spec.loader)
        return spec


def _define_operators() -> None:
    """Declare the operators that torchvision registers shapes for when it is imported."""
    import torch

    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            _LIBRARIES.append(library)


sys.meta_path.insert(0, _Finder())
