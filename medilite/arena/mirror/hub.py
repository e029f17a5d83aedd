"""The mirror's repository on the Hugging Face Hub: read every line of it, write files of our own."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from medilite.errors import MirrorError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FOLDER = "votes"
"""Where the files are in the repository."""


WRITE_S, READ_S = 120.0, 900.0
"""Seconds that the Hub may take for a commit, and for all files. Its client alone waits for ever."""

_FILE = re.compile(rf"{FOLDER}/[\w.-]+\.jsonl", re.ASCII)

_Result = TypeVar("_Result")


class HubRepo:
    """A dataset repository, made (private) if it is not there yet. Every failure is a MirrorError without the token.

    `limit_s` replaces WRITE_S and READ_S.
    """

    def __init__(self, repo: str, token: str, endpoint: str | None = None, limit_s: float | None = None) -> None:
        self.repo = repo
        self._token, self._endpoint = token, endpoint
        self.limit_s = limit_s
        self.is_public = False

    @contextmanager
    def files(self) -> Iterator[list[Path]]:
        """Yield the mirror's files as they are now, as local copies that are deleted afterwards."""
        with tempfile.TemporaryDirectory(prefix="medilite-mirror-", ignore_cleanup_errors=True) as folder:
            yield self._within("read", READ_S, lambda: self._download(Path(folder)))

    def write(self, name: str, content: bytes, message: str) -> None:
        """Commit a file under its name, whole; an earlier version of it is replaced.

        After a MirrorError it is unknown whether that was done, or still will
        be.
        """
        from huggingface_hub import CommitOperationAdd

        def commit() -> None:
            added = CommitOperationAdd(f"{FOLDER}/{name}", content)
            self._api().create_commit(self.repo, [added], commit_message=message, repo_type="dataset")

        self._within("written", WRITE_S, commit)

    def _download(self, folder: Path) -> list[Path]:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import RepositoryNotFoundError

        api = self._api()
        try:
            info = api.dataset_info(self.repo)
        except RepositoryNotFoundError:
            # Also the reply for a repository that we may not see: then creating it fails, with a message.
            api.create_repo(self.repo, repo_type="dataset", private=True, exist_ok=True)
            return []
        self.is_public = info.private is False
        names = {file.rfilename for file in info.siblings or ()}
        wanted = {folder / name for name in names if _FILE.fullmatch(name)}
        if not wanted:
            return []
        if not folder.is_dir():  # given up meanwhile: nobody would remove the files
            raise MirrorError(f"The votes' mirror {self.repo} was too slow.")
        snapshot_download(
            self.repo, repo_type="dataset", revision=info.sha, local_dir=folder, allow_patterns=f"{FOLDER}/*.jsonl",
            token=self._token, endpoint=self._endpoint,
        )  # fmt: skip
        # If the Hub fails half-way, its client returns the files that are there without an error.
        if missing := [path.name for path in wanted if not path.is_file()]:
            raise MirrorError(f"The votes' mirror {self.repo} can't be read: the Hub doesn't give {min(missing)}.")
        return sorted(wanted)

    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint, token=self._token, library_name="medilite")

    def _within(self, what: str, limit_s: float, work: Callable[[], _Result]) -> _Result:
        """Return the result of `work` within the limit; errors become one sentence, without the token."""
        limit_s = self.limit_s or limit_s
        result: Future[_Result] = Future()

        def run() -> None:
            try:
                result.set_result(work())
            except Exception as error:
                result.set_exception(error)

        # A thread that waits for a server can't be stopped, so it is abandoned.
        threading.Thread(target=run, name="medilite-mirror-hub", daemon=True).start()
        try:
            return result.result(limit_s)
        except MirrorError:
            raise
        except FutureTimeout:
            cause = f"the Hub doesn't answer within {limit_s:g} s"
        except Exception as error:  # many unrelated types
            cause = _cause(error)
        raise MirrorError(f"The votes' mirror {self.repo} can't be {what}: {cause}.")


def _cause(error: Exception) -> str:
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in (401, 403, 404):
        return f"the Hub answers {status}; HF_TOKEN has to belong to somebody who may write to this repository"
    if status is not None:
        return f"the Hub answers {status}"
    return f"the Hub can't be reached ({type(error).__name__})"
