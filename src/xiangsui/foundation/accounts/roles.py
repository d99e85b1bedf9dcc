"""The roles of domain.md §5. What a role may do stands in each room's `permissions.py`."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    CITY_OFFICER = "city_officer", _("市级工作站干事")
    PROVINCE_STAFF = "province_staff", _("省级分库业务")
    STATION_NURSE = "station_nurse", _("采血护士")
    COLLECTION_CLINICIAN = "collection_clinician", _("采集护士/医师")
    LAB_TECHNICIAN = "lab_technician", _("HLA实验室技术员")
    SEARCH_COORDINATOR = "search_coordinator", _("移植医院检索协调员")
    VOLUNTEER_LEAD = "volunteer_lead", _("志愿服务队队长")
    LEADER = "leader", _("红十字会领导")
    CHAPTER_SECRETARY = "chapter_secretary", _("基层红会秘书")
    FINANCE = "finance", _("财务/监督委员")
    AED_OFFICER = "aed_officer", _("救护/AED管理员")
    AID_OFFICER = "aid_officer", _("助学/项目专员")
    ADMINISTRATOR = "administrator", _("数据与系统管理员")
