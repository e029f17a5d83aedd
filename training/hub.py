"""Publish finished adapters on the Hugging Face Hub, one repository each; only on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medilite.checkpoints import ADAPTER_FILES, RECORD_FILE, SAVES, read_record
from medilite.errors import TrainingError

CARD = "README.md"
FILES = (*ADAPTER_FILES, RECORD_FILE, CARD)


def repo_name(record: dict[str, Any]) -> str:
    """Return the name of an adapter's repository."""
    return f"{record['base']}-MediLite-{record['model']}"


def push_adapter(folder: Path, owner: str, private: bool) -> str:
    """Publish an adapter with its record and card as OWNER/BASE-MediLite-MODEL; return the repository's address.

    An existing repository gets a new commit. Raises TrainingError where the
    folder is not whole or the Hub refuses.
    """
    from huggingface_hub import HfApi

    missing = [name for name in FILES if not (folder / name).is_file()]
    record = read_record(folder)
    if missing or record is None:
        raise TrainingError(
            f"{folder} can't be published: {', '.join(missing) or RECORD_FILE} missing. Train it first."
        )
    repo = f"{owner}/{repo_name(record)}"
    api = HfApi()
    try:
        api.create_repo(repo, repo_type="model", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            allow_patterns=[*FILES, f"{SAVES}/*"],
            commit_message=f"{record['model']}, trained at {str(record.get('commit') or 'unknown')[:7]}",
        )
    except Exception as error:  # the Hub's client raises many unrelated types
        raise TrainingError(
            f"{repo} can't be published ({type(error).__name__}: {error}). Log in with `hf auth login` as somebody who "
            f"may write to {owner}, or set HF_TOKEN, and try again: nothing is trained again."
        ) from error
    return f"{api.endpoint}/{repo}"
