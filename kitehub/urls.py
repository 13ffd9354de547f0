"""The addresses of the whole site."""

from django.contrib import admin
from django.urls import include, path

from kitehub import views
from kitehub.api import api
from kitehub.portal.views import set_language

urlpatterns = [
    path("", include("kitehub.portal.urls")),
    path("", include("billing.urls")),
    path("admin/", admin.site.urls),
    path("i18n/setlang/", set_language, name="set_language"),
    path("api/v1/webhooks/", include("billing.webhooks")),
    path("api/v1/", api.urls),
    path("healthz", views.alive, name="healthz"),
    path("readyz", views.ready, name="readyz"),
]

handler400 = "kitehub.error_pages.bad_request"
handler403 = "kitehub.error_pages.permission_denied"
handler404 = "kitehub.error_pages.page_not_found"
handler500 = "kitehub.error_pages.server_error"
