"""The trading pages; included at the root."""

from django.urls import path

from execution import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("panels/<slug:name>/", views.panel, name="panel"),
    path("signals/", views.signals, name="signals"),
    path("signals/<uuid:pk>/", views.signal, name="signal"),
    path("positions/", views.positions, name="positions"),
    path("orders/", views.orders, name="orders"),
]
