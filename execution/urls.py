"""The trading pages; included at the root."""

from django.urls import path

from execution import protection_views, views
from execution.reconcile import views as breaks_views
from execution.riskpage import command_views as risk_command_views
from execution.riskpage import venue_limits_views
from execution.riskpage import views as risk_views
from risk import views as limit_views

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
    path("breaks/", breaks_views.breaks, name="breaks"),
    path("breaks/<uuid:pk>/resolve/", breaks_views.break_resolve, name="break_resolve"),
    path("risk/", risk_views.risk, name="risk"),
    path("risk/panel/", risk_views.risk_accounts, name="risk_accounts"),
    path("risk/protection/", protection_views.page, name="protection"),
    path("risk/history/", risk_views.history, name="risk_history"),
    path("risk/alarms/", risk_views.alarms, name="risk_alarms"),
    path("risk/alarms/<uuid:pk>/seen/", risk_views.alarm_seen, name="risk_alarm_seen"),
    path("risk/limits/new/", limit_views.limit_new, name="risk_limit_new"),
    path("risk/limits/<uuid:pk>/", limit_views.limit_edit, name="risk_limit_edit"),
    path("risk/limits/<uuid:pk>/remove/", limit_views.limit_remove, name="risk_limit_remove"),
    path("risk/accounts/<uuid:pk>/rules/", limit_views.rules, name="risk_rules"),
    path("risk/accounts/<uuid:pk>/high-water/", limit_views.high_water, name="risk_high_water"),
    path("risk/accounts/<uuid:pk>/pack/", limit_views.pack, name="risk_pack"),
    path("risk/accounts/<uuid:pk>/pack/remove/", limit_views.pack_remove, name="risk_pack_remove"),
    path("risk/actions/<uuid:pk>/unlock/", risk_command_views.unlock, name="risk_unlock"),
    path("risk/switches/", risk_command_views.switches, name="risk_switches"),
    path("risk/switches/<uuid:pk>/release/", risk_command_views.switch_release, name="risk_switch_release"),
    path("risk/flatten/", risk_command_views.flatten, name="risk_flatten"),
    path("risk/disable/", risk_command_views.disable, name="risk_disable"),
    path("risk/commands/<uuid:pk>/", risk_command_views.command, name="risk_command"),
    path("risk/commands/<uuid:pk>/progress/", risk_command_views.command_progress, name="risk_command_progress"),
    path("risk/accounts/<uuid:pk>/broker-limits/", venue_limits_views.page, name="venue_limits"),
]
