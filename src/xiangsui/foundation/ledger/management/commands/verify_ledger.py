from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from xiangsui.foundation.ledger.checkpoints import checkpoint_read
from xiangsui.foundation.ledger.models import Event
from xiangsui.foundation.ledger.verification import ledger_verify


class Command(BaseCommand):
    help = "Finds every changed, missing, inserted, reordered or cut event; exit status 1 where there is one."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--checkpoint", type=Path, help="a checkpoint kept elsewhere; default: the newest here")

    def handle(self, **options: Any) -> None:
        path = options["checkpoint"]
        if path is None:
            path = max(settings.LEDGER_CHECKPOINT_DIR.glob("ledger-*.json"), default=None)
        try:
            checkpoint = checkpoint_read(path) if path else None
        except (OSError, ValueError) as error:
            raise CommandError(f"检查点无法使用：{error}") from error
        faults = 0
        for fault in ledger_verify(checkpoint=checkpoint):
            faults += 1
            self.stdout.write(str(fault))
        against = f"，检查点 {path.name}" if path else "，没有检查点"
        self.stdout.write(f"{Event.objects.count():,} 个事件{against}：{faults} 处不一致")
        if faults:
            sys.exit(1)
