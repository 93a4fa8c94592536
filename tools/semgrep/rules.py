# What each rule of rules.yml must find ("ruleid") and must leave alone ("ok"). Never imported.
from django.db import models


def doors(user, pk):
    # ruleid: doors-ask-selectors
    Recorder.objects.get(pk=pk)
    # ok: doors-ask-selectors
    get_recorder_for(user, pk)


def bell(task, signal_id):
    # ruleid: ring-the-bell
    task.delay(signal_id)
    # ruleid: ring-the-bell
    task.apply_async([signal_id])
    # ok: ring-the-bell
    ring("execution.plan_recorder", "plan", recorder_id)


def due_times(task):
    # ruleid: no-eta
    schedule(task, countdown=5)
    # ruleid: no-eta
    schedule(task, eta=later)
    # ok: no-eta
    schedule(task, due_at=later)


def locks(orders):
    # ruleid: locks-live-in-locks, locks-leave-keys-alone
    orders.select_for_update()
    # ruleid: locks-live-in-locks
    orders.select_for_update(no_key=True, of=("self",))
    # ok: locks-live-in-locks
    lock_orders(orders)


def calling_out():
    # ruleid: only-brokers-call-out
    import requests

    # ok: only-brokers-call-out
    import json


def markup(text):
    # ruleid: templates-escape
    mark_safe(text)
    # ok: templates-escape
    format_html("<b>{}</b>", text)


def money(average_price, order, seconds):
    # ruleid: money-is-decimal
    float(average_price)
    # ruleid: money-is-decimal
    float(order.quantity)
    # ok: money-is-decimal
    float(seconds)


def time():
    # ruleid: the-clock-tells-the-time
    datetime.now(UTC)
    # ok: the-clock-tells-the-time
    clock.now()


def numbers(recorder, stop_ticks, name):
    # ruleid: zero-is-not-none
    if recorder.stop_ticks:
        pass
    # ruleid: zero-is-not-none
    size = recorder.initial_position_size or 1
    # ruleid: zero-is-not-none
    if not stop_ticks:
        pass
    # ok: zero-is-not-none
    if stop_ticks is None:
        pass
    # ok: zero-is-not-none
    if stop_ticks == 0 or name:
        pass
    # ok: zero-is-not-none
    held = stop_ticks or 0
    # ok: zero-is-not-none
    if name:
        pass


# ruleid: no-hidden-control-flow
@receiver(post_save)
def on_save(sender, **kwargs):
    pass


# ruleid: no-hidden-control-flow
class Loud(models.Model):
    def save(self, *args, **kwargs):
        ring("x", "y", self.pk)


# ok: no-hidden-control-flow
class Quiet(models.Model):
    def label(self):
        return "quiet"
