"""The broker pages; included at the root."""

from django.urls import path

from brokers import views

urlpatterns = [
    path("brokers/", views.logins, name="brokers"),
    path("brokers/connect/", views.connect, name="broker_connect"),
    path("brokers/<uuid:pk>/enable/", views.login_enable, name="broker_enable"),
    path("brokers/<uuid:pk>/disable/", views.login_disable, name="broker_disable"),
]
