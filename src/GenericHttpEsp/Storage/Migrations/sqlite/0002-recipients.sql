-- Ids are never reused (autoincrement): an audience holds ids only. key = first 16 bytes of HMAC-SHA256(address key, normalised address).
create table profiles (
  id integer primary key autoincrement,
  key blob not null unique,
  email text not null,
  attributes text not null default '{}',
  time_zone text,
  created_at integer not null,
  updated_at integer not null
);
create table lists (id integer primary key autoincrement, name text not null unique, created_at integer not null);
create table memberships (list_id integer not null, profile_id integer not null, primary key (list_id, profile_id)) without rowid;
create index memberships_by_profile on memberships (profile_id, list_id);

-- Written by the RecipientGrain alone. forbids = 1 when no mail at all may go; groups_left is a JSON array of group names; applied a JSON object.
create table subscriptions (
  key blob not null primary key,
  status text not null,
  reason text,
  since integer,
  forbids integer not null,
  groups_left text not null default '[]',
  applied text not null default '{}',
  version integer not null
) without rowid;
