from typing import Any

from django.core.management.base import BaseCommand

from xiangsui.foundation.privacy.services import keys_ensure, keys_rotate


class Command(BaseCommand):
    help = (
        "Wraps every person's key under new keys of the site; can be stopped and run again. Back up the keys after it."
    )

    def handle(self, **options: Any) -> None:
        keys_ensure()
        moved = keys_rotate()
        self.stdout.write(f"{moved:,} 个数据密钥已换用新密钥。请把新的密钥文件另行备份。")
