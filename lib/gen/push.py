"""Pushing a dataset to a model hub, when asked: private unless told otherwise, with the token of the environment and no other.

What it sends are the dataset's own files. The hub's address is `HF_ENDPOINT` where that is set when Python starts.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from lib.run import BadInput

SENT = ("README.md", "*.jsonl", "*.parquet", "*.arrow", "format.json", "hf/*")


def check_push(push_to_hub: str, env: Mapping[str, str] = os.environ) -> None:
    """Refuse, before anything is spent, a push that cannot work.

    Raises:
        BadInput: Not `owner/name`, or no token.
    """
    if not push_to_hub:
        return
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", push_to_hub):
        raise BadInput(f"push_to_hub: expected owner/name, found {push_to_hub!r}")
    if not env.get("HF_TOKEN", "").strip():
        raise BadInput("push_to_hub: expected the hub's token in the environment variable HF_TOKEN, found none")


def push_dataset(folder: Path, push_to_hub: str, *, private: bool = True, env: Mapping[str, str] = os.environ) -> str:
    """Send the files of `folder` to a dataset repository, made if there is none, in one commit.

    Args:
        folder: `dataset/`.
        push_to_hub: `owner/name`; empty sends nothing.
        private: Whether a repository that is made now can be seen by its owner only; one that exists stays as it is.
        env: Where `HF_TOKEN` stands.

    Returns:
        The commit's address, or why nothing was sent.

    Raises:
        BadInput: What `check_push` refuses, or what the hub refuses.
    """
    if not push_to_hub:
        return "not pushed: push_to_hub is empty"
    check_push(push_to_hub, env)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    token = env["HF_TOKEN"].strip()
    api = HfApi(token=token)
    try:
        api.create_repo(push_to_hub, repo_type="dataset", private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=push_to_hub, repo_type="dataset", folder_path=folder, allow_patterns=list(SENT), commit_message="Add dataset"
        )
    except HfHubHTTPError as error:
        raise BadInput(f"push_to_hub: the hub refused {push_to_hub}: {str(error).replace(token, '…')}") from None
    return str(done.commit_url)
