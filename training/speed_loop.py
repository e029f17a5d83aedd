"""One training loop, timed step by step in a process that `training.speed` starts and sends batches to.

It may run on the code of another checkout (PYTHONPATH), so it uses only what all commits since 9f3ade7 have. Reads from
standard input a line of JSON that describes loop and run, then batches, one a line. Writes a line a batch.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def serve(setup: dict[str, Any], batches: Any, say: Any) -> None:
    """Run forward and backward over each batch, and report the time and the results."""
    import torch

    trainer = _trainer(setup)
    say({"threads": torch.get_num_threads()})
    for line in batches:
        batch = trainer.data_collator(json.loads(line))
        began, cpu = time.perf_counter(), time.process_time()
        loss = float(trainer.training_step(trainer.model, batch))
        taken, cpu = time.perf_counter() - began, time.process_time() - cpu
        squares = sum(float(p.grad.double().square().sum()) for p in trainer.model.parameters() if p.grad is not None)
        trainer.model.zero_grad()
        say({"seconds": taken, "cpu_seconds": cpu, "loss": loss, "gradient": squares**0.5})


def _trainer(setup: dict[str, Any]) -> Any:
    import torch
    from datasets import Dataset
    from trl import SFTTrainer

    from training.base_model import load_base, load_tokenizer, set_products
    from training.config import SFTRun
    from training.lean.memory import keep_freed_memory
    from training.lean.sft import LeanSFTTrainer
    from training.sft import trainer_arguments
    from training.stage import adapters_in_float32, peft_config

    run = SFTRun.model_validate(setup["run"])
    folder = Path(setup["base_folder"])
    keep_freed_memory()
    base = load_base(folder, run.base)
    set_products(base, run.base)
    torch.manual_seed(run.seed)
    dataset = Dataset.from_list(setup["rows"])
    trainer: Any = (LeanSFTTrainer if run.loop == "lean" else SFTTrainer)(
        model=base,
        args=trainer_arguments(run, Path(tempfile.gettempdir()) / "speed"),
        train_dataset=dataset,
        eval_dataset=dataset,
        processing_class=load_tokenizer(folder),
        peft_config=peft_config(run.lora),
    )
    adapters_in_float32(trainer.model)
    # As in later steps: B is 0 at first, and A would have no gradient.
    generator = torch.Generator().manual_seed(run.seed)
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * 0.02)
    trainer.current_gradient_accumulation_steps = 1
    return trainer


if __name__ == "__main__":
    out = sys.stdout
    sys.stdout = sys.stderr  # stdout is for replies, not for what libraries print
    serve(json.loads(sys.stdin.readline()), sys.stdin, lambda said: print(json.dumps(said), file=out, flush=True))
