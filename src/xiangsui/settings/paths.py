"""Where a site keeps its state: one folder, so that moving and backing up a site means one folder."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HOME = Path(os.environ.get("XIANGSUI_HOME") or ROOT / "var").resolve()
HLA_INDEX_DIR = HOME / "index"
MEDIA_ROOT = HOME / "files"
LEDGER_CHECKPOINT_DIR = HOME / "checkpoints"
KEYRING_PATH = Path(os.environ.get("XIANGSUI_KEYRING") or HOME / "keys" / "keyring.json")
