from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "xiangsui.foundation.jobs"
    label = "jobs"
