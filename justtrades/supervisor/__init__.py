"""`manage.py up`: one process that starts, watches and stops all the others. It needs no database itself."""
