"""What executes the network files: OpenVINO, or onnxruntime on the processor or on CUDA.

Both sides take pictures as they are (unsigned bytes, RGB, batch x height x width x 3) and do the
normalisation that PP-OCR's networks want: BGR, 0..255 scaled to -1..1.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.errors import UsageError

PROVIDERS = ("auto", "openvino", "onnxruntime", "cuda")
PRECISIONS = ("auto", "f32", "bf16")

MIDDLE = 127.5
"""Mean and deviation of PP-OCR's input, in grey levels."""

KEPT = 5000
"""OpenVINO's own number of prepared operations to keep; enough for all widths of lines."""

Pixels: TypeAlias = npt.NDArray[np.uint8]
Numbers: TypeAlias = npt.NDArray[np.float32]


class Network(Protocol):
    """A network that is ready to run."""

    characters: list[str]
    """The characters that a recognition network tells apart; empty for a detection network."""
    raw: bool
    """Whether the last step (sigmoid of a detection, softmax of a recognition network) is left to the caller."""

    def __call__(self, batch: Pixels) -> Numbers:
        """Run a batch of RGB pictures. The result may be overwritten by the next call."""


@dataclass(frozen=True)
class Runtime:
    """A provider and a precision, both resolved: never auto."""

    provider: str
    precision: str

    def load(self, path: Path, threads: int, kept: int = KEPT) -> Network:
        """Load a network file.

        Args:
            path: The file.
            threads: Threads that it may use.
            kept: How many operations, prepared for a shape each, OpenVINO may keep; bounds its memory.
        """
        if self.provider == "openvino":
            return _OpenVinoNetwork(path, threads, self.precision, kept)
        return _OnnxNetwork(path, threads, cuda=self.provider == "cuda")

    def __str__(self) -> str:
        return f"{self.provider}/{_package_version(self.provider)}/{self.precision}"


def resolve(provider: str, precision: str) -> Runtime:
    """Choose what runs here: OpenVINO where it is installed, CUDA where onnxruntime offers it, else onnxruntime.

    Raises:
        UsageError: the provider that was asked for is not installed, or cannot compute in that precision.
    """
    if provider not in PROVIDERS or precision not in PRECISIONS:
        raise UsageError(f"provider must be one of {', '.join(PROVIDERS)}; precision one of {', '.join(PRECISIONS)}")
    if provider == "auto":
        provider = "cuda" if _cuda_offered() else "openvino" if _installed("openvino") else "onnxruntime"
    if not _installed("openvino" if provider == "openvino" else "onnxruntime"):
        raise UsageError(f"provider {provider} is not installed here. Install it with: pip install {provider}")
    if provider == "cuda" and not _cuda_offered():
        raise UsageError(
            "provider cuda needs onnxruntime-gpu and a CUDA device; choose provider openvino or onnxruntime"
        )
    if provider == "openvino":
        return Runtime(provider, _native_precision() if precision == "auto" else precision)
    if precision == "bf16":
        raise UsageError(f"provider {provider} computes in f32 only; choose provider openvino for bf16")
    return Runtime(provider, "f32")


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _package_version(provider: str) -> str:
    names = {"cuda": ("onnxruntime-gpu", "onnxruntime"), "onnxruntime": ("onnxruntime", "onnxruntime-gpu")}
    for name in names.get(provider, (provider,)):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


@cache
def _cuda_offered() -> bool:
    """Whether onnxruntime was built with CUDA; asks only builds that can have it, an import takes a while."""
    try:
        version("onnxruntime-gpu")
    except PackageNotFoundError:
        return False
    onnxruntime = _onnxruntime()
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers() and bool(onnxruntime.get_device() == "GPU")


@cache
def _onnxruntime() -> Any:
    """Import onnxruntime, which from 1.29 on sends events to its makers unless this variable is set before."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Make OpenVINO take its own stand-in for its telemetry.

    `import openvino` sends an event and writes below the home folder when `openvino_telemetry` can be imported;
    it works without. There is no variable that switches this off, only a file in the home folder, which is not
    ours to write.
    """
    name = "openvino_telemetry"
    known = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if known is None:
            del sys.modules[name]
        else:
            sys.modules[name] = known


@cache
def _openvino() -> Any:
    with _without_telemetry():
        import openvino
    return openvino


@cache
def _core() -> Any:
    return _openvino().Core()


def _native_precision() -> str:
    """What the processor computes fastest: bf16 with AMX or AVX512-BF16, else f32."""
    preferred = _core().get_property("CPU", "INFERENCE_PRECISION_HINT")
    return "bf16" if preferred.get_type_name() == "bf16" else "f32"


class _OpenVinoNetwork:
    raw = True

    def __init__(self, path: Path, threads: int, precision: str, kept: int) -> None:
        openvino = _openvino()
        model = _core().read_model(path)
        self.characters = _openvino_characters(model)
        compiled = _core().compile_model(
            _with_normalisation(openvino, _without_last_step(openvino, model)),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "CPU_RUNTIME_CACHE_CAPACITY": kept,
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, batch: Pixels) -> Numbers:
        self._request.infer([batch])
        result: Numbers = self._request.get_output_tensor(0).data
        return result


def _without_last_step(openvino: Any, model: Any) -> Any:
    """Cut the last activation off: it costs a tenth of the whole and most of what it computes is never looked at."""
    last = model.outputs[0].get_node().input_value(0).get_node()
    if last.get_type_name() not in ("Sigmoid", "Softmax"):
        raise UsageError(f"a network that ends in {last.get_type_name()} is not one of PP-OCR's")
    result = openvino.opset13.result(last.input_value(0))
    return openvino.Model([result], model.get_parameters())


def _with_normalisation(openvino: Any, model: Any) -> Any:
    """Put colour order, mean and scale into the graph, where they cost a third of what numpy takes."""
    steps = openvino.preprocess.PrePostProcessor(model)
    formats = openvino.preprocess.ColorFormat
    tensor = steps.input().tensor()
    tensor.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC")).set_color_format(formats.RGB)
    change = steps.input().preprocess().convert_element_type(openvino.Type.f32).convert_color(formats.BGR)
    change.mean([MIDDLE] * 3).scale([MIDDLE] * 3)
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    return steps.build()


def _openvino_characters(model: Any) -> list[str]:
    place = ["framework", "character"]
    return list(model.get_rt_info(place).astype(str).splitlines()) if model.has_rt_info(place) else []


class _OnnxNetwork:
    raw = False

    def __init__(self, path: Path, threads: int, *, cuda: bool) -> None:
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # The arena keeps the largest size it ever saw; shapes differ all the time here.
        options.enable_cpu_mem_arena = False
        providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if cuda else ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        if cuda and self._session.get_providers()[0] != "CUDAExecutionProvider":
            raise UsageError("onnxruntime could not start CUDA; choose provider openvino or onnxruntime")
        self._input = self._session.get_inputs()[0].name
        self.characters = self._session.get_modelmeta().custom_metadata_map.get("character", "").splitlines()

    def __call__(self, batch: Pixels) -> Numbers:
        normal = (batch[..., ::-1].astype(np.float32) - np.float32(MIDDLE)) / np.float32(MIDDLE)
        result: Numbers = self._session.run(None, {self._input: normal.transpose(0, 3, 1, 2)})[0]
        return result
