"""Upload one folder, in a process that a test kills: ``python uploading.py FOLDER NAME``, the Hub by HF_ENDPOINT."""

from __future__ import annotations

import sys
from pathlib import Path

from benchforge.runners.publish import hub, remote

if __name__ == "__main__":
    api = hub.api_of()
    repository = hub.repository_of(sys.argv[2], "dataset")
    remote.upload(api, remote.look(api, repository), Path(sys.argv[1]), message="made")
