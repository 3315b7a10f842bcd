#!/bin/sh
# Copies the primary once, then starts PostgreSQL as its replica. The slot keeps what the replica has not read yet.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    until pg_basebackup --host primary --username odoo --pgdata "$PGDATA" --slot replica --write-recovery-conf --progress; do
        rm -rf "${PGDATA:?}"/*
        sleep 2
    done
    chown -R postgres:postgres "$PGDATA"
    chmod 0700 "$PGDATA"
fi
exec docker-entrypoint.sh "$@"
