"""Peers whose packages conflict with others' versions: each imports its own from a separate folder.

Both answer with the base alone: OpenVINO GenAI loads LoRA files and doesn't apply them
to a base that it read from GGUF, and ONNX Runtime GenAI's builder takes one adapter.
So their six rows have less to compute than the six models that others give.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.speed.workloads import Ask

if TYPE_CHECKING:
    from bench.speed.generators import OnTokens, Setting


def _own_packages(folder: Path | None) -> str:
    sys.path.append(str(folder))
    return str(folder)


class OpenVino:
    """OpenVINO GenAI's continuous batching on the GGUF file as it is; visitors take turns."""

    def __init__(self, setting: Setting) -> None:
        from medilite.weights import ensure_gguf

        _own_packages(setting.packages)
        import openvino_genai

        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = 1
        scheduler.enable_prefix_caching = False
        file = setting.gguf or ensure_gguf(setting.profile, setting.settings)
        self._turn, self._genai = threading.Lock(), openvino_genai
        properties = {"INFERENCE_NUM_THREADS": setting.threads}
        self._pipe = openvino_genai.ContinuousBatchingPipeline(str(file), scheduler, "CPU", properties)

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """As Generator."""
        import numpy as np
        import openvino

        with self._turn:
            handles = []
            for number, ask in enumerate(asks):
                config = self._genai.GenerationConfig()
                config.max_new_tokens = config.min_new_tokens = ask.new_tokens
                config.ignore_eos, config.do_sample = True, False
                ids = openvino.Tensor(np.array([ask.prompt.ids], np.int64))
                handles.append(self._pipe.add_request(number, ids, config))
            while self._pipe.has_non_finished_requests():
                self._pipe.step()
                for number, handle in enumerate(handles):
                    if handle.can_read():
                        for found in handle.read().values():
                            on_tokens(number, len(found.generated_ids))


class OnnxRuntime:
    """ONNX Runtime GenAI on the base in int4 (blocks of 32), as its own builder makes it; visitors take turns."""

    def __init__(self, setting: Setting) -> None:
        from medilite.weights import ensure_base

        packages = _own_packages(setting.packages)
        self._files = tempfile.TemporaryDirectory(prefix="medilite-speed-")
        made = Path(self._files.name) / "model"
        wanted = ["-i", str(ensure_base(setting.profile, setting.settings)), "-o", str(made), "-c", self._files.name]
        build = [sys.executable, "-m", "onnxruntime_genai.models.builder", *wanted, "-p", "int4", "-e", "cpu"]
        env = {**os.environ, "PYTHONPATH": packages}
        subprocess.run(build, check=True, env=env, stdout=sys.stderr)
        config = made / "genai_config.json"
        raw = json.loads(config.read_text(encoding="utf-8"))
        raw["model"]["decoder"]["session_options"]["intra_op_num_threads"] = setting.threads
        config.write_text(json.dumps(raw), encoding="utf-8")
        import onnxruntime_genai

        self._turn, self._genai = threading.Lock(), onnxruntime_genai
        self._model = onnxruntime_genai.Model(str(made))

    def answer(self, asks: Sequence[Ask], on_tokens: OnTokens) -> None:
        """As Generator."""
        import numpy as np

        with self._turn:
            ids, count = [list(ask.prompt.ids) for ask in asks], asks[0].new_tokens
            length = len(ids[0]) + count  # a visitor asks all models the same
            params: Any = self._genai.GeneratorParams(self._model)
            params.set_search_options(batch_size=len(asks), do_sample=False, max_length=length, min_length=length)
            generator = self._genai.Generator(self._model, params)
            generator.append_tokens(np.array(ids, np.int32))
            for _ in range(count):
                generator.generate_next_token()
                for number in range(len(asks)):
                    on_tokens(number, 1)
