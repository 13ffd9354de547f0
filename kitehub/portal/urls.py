"""Addresses of the portal about a person. Those about a school are the apps' own."""

from django.urls import path

from kitehub.portal import views

urlpatterns = [
    path("", views.home, name="home"),
    path("login/", views.SignIn.as_view(), name="login"),
    path("login/code/", views.SecondStep.as_view(), name="login_code"),
    path("logout/", views.SignOut.as_view(), name="logout"),
    path("password/", views.PasswordReset.as_view(), name="password_reset"),
    path(
        "password/<str:uidb64>/<str:token>/",
        views.NewPassword.as_view(),
        name="password_reset_confirm",
    ),
]
