"""The recorder pages; included at the root."""

from django.urls import path

from recorders import views

urlpatterns = [
    path("recorders/", views.recorders, name="recorders"),
    path("recorders/new/", views.recorder_new, name="recorder_new"),
    path("recorders/<uuid:pk>/", views.recorder, name="recorder"),
    path("recorders/<uuid:pk>/edit/", views.recorder_edit, name="recorder_edit"),
    path("recorders/<uuid:pk>/clone/", views.recorder_clone, name="recorder_clone"),
    path("recorders/<uuid:pk>/revoke/", views.recorder_revoke, name="recorder_revoke"),
    path("recorders/<uuid:pk>/rotate/", views.recorder_rotate, name="recorder_rotate"),
    path("recorders/<uuid:pk>/delete/", views.recorder_delete, name="recorder_delete"),
    path("recorders/<uuid:pk>/test-alert/", views.recorder_test_alert, name="recorder_test_alert"),
]
