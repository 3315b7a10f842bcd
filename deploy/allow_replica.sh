#!/bin/sh
# Runs once, when the primary makes its data: the replica may connect with the password of Odoo's user.
set -eu
echo "host replication odoo all scram-sha-256" >> "$PGDATA/pg_hba.conf"
psql --username "$POSTGRES_USER" --dbname postgres --command "SELECT pg_create_physical_replication_slot('replica')"
