"""A process that has the trainers imported and runs commands in forks of itself: a start costs no imports.

`python -m tests.training.forks LOG` reads one JSON list a line, a module and
the arguments of its command line, answers with the fork's process id, and once
that has ended with its exit status (below 0 for the signal that killed it) and
the seconds of CPU that it took.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from medilite.models import ROOT
from training.recipe.commands import Command


class Forks:
    """Starts commands in forks of one process, one at a time; what they print is in `log`."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.cpu_s = 0.0
        env = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        # The trainers import trackio, which reads this once.
        env["TRACKIO_DIR"] = str(log.parent / "trackio")
        command = [sys.executable, "-m", "tests.training.forks", str(log)]
        self._server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, module: str, *arguments: object) -> int:
        """Start a command and return its process id."""
        self._server.stdin.write(json.dumps([module, *map(str, arguments)]) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def wait(self) -> tuple[int, float]:
        """Return the exit status of the command that was started, and its seconds of CPU."""
        status, cpu_s = self._server.stdout.readline().split()
        return int(status), float(cpu_s)

    def kill_after(self, pid: int, cpu_s: float) -> None:
        """Kill a command after so many seconds of CPU (however busy the machine is), unless it ends first."""
        process = psutil.Process(pid)
        with suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                if sum(process.cpu_times()[:2]) >= cpu_s:
                    return process.kill()
                time.sleep(0.01)

    def run(self, module: str, *arguments: object, code: int = 0) -> str:
        """Run a command to its end and return what it printed."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.start(module, *arguments)
        ended, self.cpu_s = self.wait()
        printed = self.log.read_bytes()[before:].decode(errors="replace")
        assert ended == code, printed[-3000:]
        return printed

    def close(self) -> None:
        """End the process."""
        self._server.stdin.close()
        self._server.wait(timeout=60)


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
    from trl import DPOTrainer, GRPOTrainer, SFTTrainer

    import training.dpo
    import training.lean.grpo
    import training.lean.kernels
    import training.measure
    from medilite.readability import warm_up

    libraries = (Dataset, PeftModel, LlamaForCausalLM, DPOTrainer, GRPOTrainer, SFTTrainer)
    assert all((*libraries, training.dpo, training.lean.grpo, training.lean.kernels, training.measure))
    warm_up()  # the rewards' dictionary takes as long as a run of GRPO
    log = Path(sys.argv[1])
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        if (pid := os.fork()) == 0:
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(file, 1)
            os.dup2(file, 2)
            code = 1
            try:
                more = (launch_here,) if name == "training.reproduce" else ()
                code = importlib.import_module(name).main(arguments, *more)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        print(pid, flush=True)
        _, status, used = os.wait4(pid, 0)
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)


if __name__ == "__main__":
    main()
