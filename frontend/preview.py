"""The gallery and the signed-out pages on a bare Django, to look at while the look is being worked on.

.venv/bin/python frontend/preview.py [PORT]   then /gallery /home /login /logout /404 /403 /500 /print
"""

import sys
from pathlib import Path

import django
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "src/xiangsui/foundation/screens"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; object-src 'none'; "
    "base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
)
NAVIGATION = [
    {"label": "今日待办", "url": "/home", "icon": "list-checks", "count": 7},
    {"label": "捐献者", "url": "#", "icon": "users"},
    {"label": "患者检索", "url": "/gallery", "icon": "search", "active": True, "children": [
        {"label": "新的检索", "url": "#"},
        {"label": "检索记录", "url": "/gallery", "active": True},
        {"label": "频率集", "url": "#"},
    ]},
    {"label": "个案看板", "url": "#", "icon": "heart-handshake", "count": 2},
    {"label": "任务进度", "url": "#", "icon": "chart-column"},
    {"label": "机构", "url": "#", "icon": "building-2"},
]  # fmt: skip


def policy(get_response):
    def respond(request):
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return respond


def common(request):
    signed_in = request.path not in {"/login", "/logout"}
    return {
        "navigation": NAVIGATION if signed_in else [],
        "assignment": "干事 · 湖州市工作站" if signed_in else "",
        "assignments": [
            {"id": 1, "label": "干事 · 湖州市工作站", "active": True},
            {"id": 2, "label": "代理干事（AB岗） · 嘉兴市工作站", "until": __import__("datetime").date(2026, 12, 31)},
        ],
        "user": type("U", (), {"is_authenticated": True, "__str__": lambda s: "huzhou"})() if signed_in else None,
        "crumbs": [{"label": "患者检索", "url": "#"}, {"label": "检索记录"}] if signed_in else [],
    }


settings.configure(
    DEBUG=True,
    SECRET_KEY="preview",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.staticfiles", "django_cotton.apps.SimpleAppConfig"],
    STATIC_URL="/static/",
    STATICFILES_DIRS=[SCREENS / "static"],
    LANGUAGE_CODE="zh-hans",
    LANGUAGES=[("zh-hans", "中文"), ("en", "English")],
    USE_I18N=True,
    TIME_ZONE="Asia/Shanghai",
    MIDDLEWARE=[
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{__name__}.policy",
    ],
    LOCALE_PATHS=[SCREENS / "locale"],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SCREENS / "templates"],
        "OPTIONS": {
            "loaders": ["django_cotton.cotton_loader.Loader", "django.template.loaders.filesystem.Loader"],
            "builtins": ["django_cotton.templatetags.cotton"],
            "context_processors": ["django.template.context_processors.request", f"{__name__}.common"],
        },
    }],
)  # fmt: skip

if __name__ == "__main__":
    sys.modules["preview"] = sys.modules[__name__]
    django.setup()

from django import forms  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.i18n import set_language  # noqa: E402


class LoginForm(forms.Form):
    login = forms.CharField(label="用户名")
    password = forms.CharField(label="密码", widget=forms.PasswordInput)
    remember = forms.BooleanField(label="记住我", required=False)

    def clean(self):
        raise forms.ValidationError("用户名或密码不对。再错 3 次将锁定 15 分钟。")


class SampleForm(forms.Form):
    reference = forms.CharField(label="检索编号", help_text="由移植医院自编，不要写姓名。")
    gl = forms.CharField(
        label="HLA 分型（GL String）",
        widget=forms.Textarea(attrs={"rows": 3}),
        initial="A*02:01+A*24:02^C*01:02+C*07:02^B*40:01+B*46:01^DRB1*09:01+DRB1*15:01^DQB1*03:03+DQB1*06:01",
        help_text="可直接粘贴，五个位点用 ^ 隔开。",
    )
    sex = forms.ChoiceField(label="性别", choices=[("", "不限"), ("F", "女"), ("M", "男")], required=False)
    age = forms.IntegerField(label="年龄上限", required=False, help_text="18–60")
    when = forms.DateField(label="到期日", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    abo = forms.MultipleChoiceField(
        label="ABO 血型", choices=[(x, x) for x in ("A", "B", "O", "AB")], required=False, initial=["O"],
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    urgent = forms.BooleanField(label="加急", required=False)


def sample():
    form = SampleForm({"gl": SampleForm.base_fields["gl"].initial, "age": "八", "abo": ["O"]})
    form.is_valid()
    return form


def gallery(request):
    return render(request, "screens/gallery.html", {"form": sample(), "evil": "<script>alert(1)</script>"})


def login(request):
    form = LoginForm(request.GET or None) if "login" in request.GET else LoginForm()
    context = {"form": form, "demo_sign_ins": [
        {"label": role, "accounts": [{"label": place, "username": name, "password": "xiangsui-demo"}]}
        for role, place, name in (
            ("市级工作站干事", "云澄市工作站", "officer"), ("移植医院检索协调员", "云澄大学附属第一医院", "coordinator"))]}
    return render(request, "account/login.html", context)


def page(name):
    return lambda request: render(request, name)


def bare(name):
    from django.template import loader

    return lambda request: HttpResponse(loader.get_template(name).render())


urlpatterns = [
    path("gallery", gallery), path("", gallery), path("login", login, name="account_login"),
    path("logout", page("account/logout.html"), name="account_logout"),
    path("switch", gallery, name="switch_assignment"), path("i18n", set_language, name="set_language"),
    *[path(name, bare(f"{name}.html")) for name in ("400", "403", "404", "500", "403_csrf")],
]  # fmt: skip
if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(["preview", "runserver", "--noreload", sys.argv[1] if len(sys.argv) > 1 else "8765"])
