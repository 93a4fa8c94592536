"""The trader pages; included at the root."""

from django.urls import path

from traders import views

urlpatterns = [
    path("traders/", views.traders, name="traders"),
    path("traders/new/", views.trader_new, name="trader_new"),
    path("traders/legs/", views.leg_preview, name="leg_preview"),
    path("traders/conversion/", views.conversion, name="conversion"),
    path("recorders/<uuid:pk>/quota/", views.recorder_quota, name="recorder_quota"),
    path("traders/<uuid:pk>/edit/", views.trader_edit, name="trader_edit"),
    path("traders/<uuid:pk>/enable/", views.trader_enable, name="trader_enable"),
    path("traders/<uuid:pk>/disable/", views.trader_disable, name="trader_disable"),
    path("traders/<uuid:pk>/delete/", views.trader_delete, name="trader_delete"),
]
