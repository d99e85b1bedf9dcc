from django.apps import AppConfig


class WorkflowConfig(AppConfig):
    name = "xiangsui.foundation.workflow"
    label = "workflow"
