from typing import Any

from django.core.management.base import BaseCommand

from xiangsui.foundation.privacy.services import keys_drop_old, keys_ensure, keys_rotate


class Command(BaseCommand):
    help = (
        "Wraps every person's key under new keys of the site; can be stopped and run again. Back up the keys after it."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--drop-old",
            action="store_true",
            help="remove the old keys from the file; some minutes after a rotation, and after its backup",
        )

    def handle(self, **options: Any) -> None:
        keys_ensure()
        if options["drop_old"]:
            keys_drop_old()
            self.stdout.write("旧密钥已从密钥文件中移除。请重新备份密钥文件。")
            return
        moved = keys_rotate()
        self.stdout.write(f"{moved:,} 个数据密钥已换用新密钥。请备份密钥文件；几分钟后可用 --drop-old 移除旧密钥。")
