"""The broker pages; included at the root."""

from django.urls import path

from brokers import connect_views, views

urlpatterns = [
    path("brokers/", views.logins, name="brokers"),
    path("brokers/connect/", connect_views.pick, name="broker_connect"),
    path("brokers/connect/<slug:venue>/", connect_views.connect, name="broker_connect_venue"),
    path("brokers/connect/<slug:venue>/agree/", connect_views.agree, name="broker_agree"),
    path("brokers/connect/<slug:venue>/oauth/", connect_views.oauth_start, name="broker_oauth"),
    path("brokers/connect/<slug:venue>/callback/", connect_views.oauth_callback, name="broker_oauth_callback"),
    path("brokers/<uuid:pk>/approve/", connect_views.login_approve, name="broker_approve"),
    path("brokers/<uuid:pk>/enable/", views.login_enable, name="broker_enable"),
    path("brokers/<uuid:pk>/disable/", views.login_disable, name="broker_disable"),
    path("brokers/<uuid:pk>/reconnect/", views.login_reconnect, name="broker_reconnect"),
    path("brokers/<uuid:pk>/preflight/", views.login_preflight, name="broker_preflight"),
    path("brokers/<uuid:pk>/delete/", views.login_delete, name="broker_delete"),
]
