-- Times are Unix milliseconds everywhere.
create table settings (name text not null primary key, value text not null);
create table installation_keys (purpose text not null, id text not null, wrapped bytea not null, created_at bigint not null, primary key (purpose, id));
create table sequences (name text not null primary key, value bigint not null);
create table api_keys (id bigint generated always as identity primary key, name text not null, hash bytea not null unique, created_at bigint not null, revoked_at bigint);
create table idempotency (key_hash bytea not null primary key, request_hash bytea not null, status integer, content_type text, location text, body bytea, created_at bigint not null);
create index idempotency_by_age on idempotency (created_at);
