"""The addresses of the whole site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from kitehub import views
from kitehub.api import api

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/webhooks/", include("billing.webhooks")),
    path("api/v1/", api.urls),
    path("healthz", views.alive, name="healthz"),
    path("readyz", views.ready, name="readyz"),
]
