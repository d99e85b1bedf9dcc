from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from xiangsui.programme.hla.services import index_compact, index_fault


class Command(BaseCommand):
    help = "Reads every byte of the search index; with --rebuild builds it anew from the register."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--rebuild", action="store_true", help="build it anew, whatever state it is in")

    def handle(self, **options: Any) -> None:
        if options["rebuild"]:
            build = index_compact()
            if build is None:
                raise CommandError("另一个任务正在更新检索索引，稍后再试。Another build is under way.")
            self.stdout.write(f"检索索引已重建：{build.donors:,} 位捐献者，{build.seconds:.1f} 秒。")
        elif fault := index_fault(thorough=True):
            raise CommandError(f"{fault} 用 --rebuild 重建。Build it anew with --rebuild.")
        else:
            self.stdout.write("检索索引完好。The search index is whole.")
