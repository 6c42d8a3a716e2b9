-- Times are Unix milliseconds everywhere; booleans are 0 and 1.
create table settings (name text not null primary key, value text not null) without rowid;
create table installation_keys (purpose text not null, id text not null, wrapped blob not null, created_at integer not null, primary key (purpose, id)) without rowid;
create table sequences (name text not null primary key, value integer not null) without rowid;
create table api_keys (id integer primary key autoincrement, name text not null, hash blob not null unique, created_at integer not null, revoked_at integer);
create table idempotency (key_hash blob not null primary key, request_hash blob not null, status integer, content_type text, location text, body blob, created_at integer not null) without rowid;
create index idempotency_by_age on idempotency (created_at);
