"""One program that reads pictures, in a process of its own; `tests.benchmarks.ocr` starts it and compares.

python -m tests.benchmarks.ocr_contenders NAME PAGES.json RESULT.json [MODELS]
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Read = Callable[[Sequence[Path]], list[list[str]]]


def curate_stage(models: str, precision: str = "auto") -> Read:
    """The stage `ocr` with what it chooses here, in one process, without a cache."""
    from curate.dataset.pictures import PictureStore
    from curate.ocr.stage import OcrOptions, OcrStage
    from curate.pipeline.batch import Batch
    from curate.pipeline.machine import processors
    from curate.pipeline.stage import Context
    from curate.records import Image, Record, Turn, to_table

    def read(paths: Sequence[Path]) -> list[list[str]]:
        root = paths[0].parent
        if root not in opened:
            stage = OcrStage(
                OcrOptions(cache=False, precision=precision),  # type: ignore[arg-type]
                Context(PictureStore(root, root), threads=processors()),
            )
            stage.open()
            opened[root] = stage
        rows = [
            Record(path.name, path.name, "page", (Turn("user", "<image>"),), (Image(path.name),), raw="{}")
            for path in paths
        ]
        batch = Batch(to_table(rows), "ocr", opened[root].codes)
        opened[root].process(batch)
        images = batch.table["images"].to_pylist()
        return [[line["text"] for line in image["ocr"]["lines"]] for (image,) in images]

    opened: dict[Path, OcrStage] = {}
    return read


def curate_f32(models: str) -> Read:
    """The stage in full precision."""
    return curate_stage(models, "f32")


def rapidocr_loop(models: str, engine: str | None = None) -> Read:
    """What its README shows: one engine, one picture after the other, defaults."""
    from rapidocr import EngineType, RapidOCR

    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    params: dict[str, Any] = {"Global.log_level": "error"}
    if engine:
        params |= {f"{part}.engine_type": EngineType[engine] for part in ("Det", "Cls", "Rec")}
    ocr = RapidOCR(params=params)
    return lambda paths: [list(ocr(str(path)).txts or ()) for path in paths]


def rapidocr_openvino(models: str) -> Read:
    """The same loop with OpenVINO."""
    return rapidocr_loop(models, "OPENVINO")


def paddleocr_pipeline(models: str) -> Read:
    """PaddleOCR's pipeline on its own networks, without what would move the boxes off the picture."""
    os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
    from paddleocr import PaddleOCR

    ocr = PaddleOCR(
        text_detection_model_name="PP-OCRv4_mobile_det",
        text_detection_model_dir=str(Path(models) / "PP-OCRv4_mobile_det"),
        text_recognition_model_name="PP-OCRv4_mobile_rec",
        text_recognition_model_dir=str(Path(models) / "PP-OCRv4_mobile_rec"),
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_textline_orientation=False,
        enable_mkldnn=False,
        device="cpu",
    )
    return lambda paths: [list(page["rec_texts"]) for path in paths for page in ocr.predict(str(path))]


CONTENDERS: dict[str, Callable[[str], Read]] = {
    "curate": curate_stage,
    "curate f32": curate_f32,
    "rapidocr loop": rapidocr_loop,
    "rapidocr loop, openvino": rapidocr_openvino,
    "paddleocr": paddleocr_pipeline,
}


def main(name: str, pages: str, result: str, models: str = "") -> None:
    """Load, read one page to warm up, then read all pages; write seconds, memory and what was read."""
    paths = [Path(path) for path in json.loads(Path(pages).read_text("utf-8"))]
    began = time.perf_counter()
    read = CONTENDERS[name](models)
    read(paths[:1])
    ready = time.perf_counter()
    cpu = time.process_time()
    texts = read(paths)
    value = {
        "start": ready - began,
        "wall": time.perf_counter() - ready,
        "cpu": time.process_time() - cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "texts": texts,
    }
    Path(result).write_text(json.dumps(value, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
