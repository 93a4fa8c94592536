"""The trading pages; included at the root."""

from django.urls import path

from execution import views

urlpatterns = [
    path("", views.dashboard, name="dashboard"),
    path("panels/<slug:name>/", views.panel, name="panel"),
    path("signals/", views.signals, name="signals"),
    path("signals/<uuid:pk>/", views.signal, name="signal"),
    path("signals/<uuid:pk>/traders/", views.signal_traces, name="signal_traces"),
    path("signals/<uuid:pk>/traders/<uuid:trader>/", views.trace, name="trace"),
    path("recorders/<uuid:recorder>/chains/<int:pk>/converge/", views.chain_converge, name="chain_converge"),
    path("positions/", views.positions, name="positions"),
    path("orders/", views.orders, name="orders"),
]
