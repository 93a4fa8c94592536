#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from justtrades.supervisor.first_start import prepare_command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "justtrades.settings")
    prepare_command(sys.argv[1] if len(sys.argv) > 1 else "")
    execute_from_command_line(sys.argv)
