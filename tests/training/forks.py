"""A process that has the trainers imported and runs the recipe in forks of itself: a start costs no imports.

`python -m tests.training.forks` reads one JSON list a line, the arguments of
`training.reproduce`, answers with the fork's process id, and once that has
ended with its exit status: below 0 for the signal that killed it.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from training import reproduce
from training.recipe.commands import Command


def launch_here(
    commands: Sequence[Command], jobs: int, say: Callable[[str], None], on_change: Callable[[list[str]], None]
) -> None:
    """Run stages one after another in this very process."""
    for command in commands:
        on_change([command.name])
        assert importlib.import_module(command.module).main(list(command.arguments)) == 0


def main() -> None:
    """Serve until standard input closes."""
    from datasets import Dataset
    from peft import PeftModel
    from transformers import LlamaForCausalLM
    from trl import GRPOTrainer, SFTTrainer

    assert all((Dataset, PeftModel, LlamaForCausalLM, GRPOTrainer, SFTTrainer))
    log = Path(sys.argv[1])
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(file, 1)
            os.dup2(file, 2)
            code = 1
            try:
                code = reproduce.main(json.loads(line), launch_here)
            finally:
                os._exit(code)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
