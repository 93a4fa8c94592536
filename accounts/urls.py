"""Sign-in, sign-up, password, two-factor and the user's own settings; included at the root."""

from django.urls import include, path

from accounts import views

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("settings/", views.profile, name="profile"),
]
