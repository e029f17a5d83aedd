"""The mirror's repository on the Hugging Face Hub: read every line of it, write a file of one's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from medilite.errors import MirrorError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

FOLDER = "votes"
"""Where the files are in the repository."""


class HubRepo:
    """A dataset repository, made (private) if it is not there yet. Every failure is a MirrorError without the token."""

    def __init__(self, repo: str, token: str, endpoint: str | None = None) -> None:
        self.repo = repo
        self._token, self._endpoint = token, endpoint
        self.is_public = False

    @contextmanager
    def files(self) -> Iterator[list[Path]]:
        """Yield the mirror's files as they are now, as local copies that go afterwards."""
        with tempfile.TemporaryDirectory(prefix="medilite-mirror-") as folder:
            with self._told("read"):
                files = self._download(Path(folder))
            yield files

    def write(self, name: str, content: bytes, message: str) -> None:
        """Commit a file under its name, whole; an earlier version of it is replaced."""
        from huggingface_hub import CommitOperationAdd

        with self._told("written"):
            self._api().create_commit(
                self.repo,
                [CommitOperationAdd(f"{FOLDER}/{name}", content)],
                commit_message=message,
                repo_type="dataset",
            )

    def _download(self, folder: Path) -> list[Path]:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import RepositoryNotFoundError

        api = self._api()
        try:
            info = api.dataset_info(self.repo)
        except RepositoryNotFoundError:
            # Answered for one that may not be seen as well: then this fails, and says so.
            api.create_repo(self.repo, repo_type="dataset", private=True, exist_ok=True)
            return []
        self.is_public = info.private is False
        names = {file.rfilename for file in info.siblings or ()}
        wanted = {folder / name for name in names if PurePosixPath(name).match(f"{FOLDER}/*.jsonl")}
        if not wanted:
            return []
        snapshot_download(
            self.repo, repo_type="dataset", revision=info.sha, local_dir=folder, allow_patterns=f"{FOLDER}/*.jsonl",
            token=self._token, endpoint=self._endpoint,
        )  # fmt: skip
        # Where the Hub fails half-way, the client is content with the files that are there.
        if missing := [path.name for path in wanted if not path.is_file()]:
            raise MirrorError(f"The votes' mirror {self.repo} can't be read: the Hub doesn't give {min(missing)}.")
        return sorted(wanted)

    def _api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint, token=self._token, library_name="medilite")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what the Hub's client raises, a score of unrelated types, into one sentence without token or text."""
        try:
            yield
        except MirrorError:
            raise
        except Exception as error:
            raise MirrorError(f"The votes' mirror {self.repo} can't be {what}: {_cause(error)}.") from None


def _cause(error: Exception) -> str:
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in (401, 403, 404):
        return f"the Hub answers {status}; HF_TOKEN has to belong to somebody who may write to this repository"
    if status is not None:
        return f"the Hub answers {status}"
    return f"the Hub can't be reached ({type(error).__name__})"
