#!/bin/sh
# The roles of docs/operations.md, made when the database is: the owner migrates, the application and the scheduler work, one saves.
set -eu
psql --username "${POSTGRES_USER:-postgres}" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" --set scheduler="$SCHEDULER_PASSWORD" --set backup="$BACKUP_PASSWORD" --set db="$POSTGRES_DB" <<'SQL'
CREATE ROLE warmline_owner LOGIN PASSWORD :'owner' NOSUPERUSER NOBYPASSRLS;
CREATE ROLE warmline_app LOGIN PASSWORD :'app' NOSUPERUSER NOBYPASSRLS;
CREATE ROLE warmline_scheduler LOGIN PASSWORD :'scheduler' NOSUPERUSER NOBYPASSRLS;
CREATE ROLE warmline_backup LOGIN PASSWORD :'backup' NOSUPERUSER BYPASSRLS;
GRANT pg_read_all_data TO warmline_backup;
ALTER DATABASE :"db" OWNER TO warmline_owner;
SQL
