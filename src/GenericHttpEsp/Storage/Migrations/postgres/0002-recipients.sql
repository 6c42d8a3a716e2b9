-- key = first 16 bytes of HMAC-SHA256(address key, normalised address).
create table profiles (
  id bigint generated always as identity primary key,
  key bytea not null unique,
  email text not null,
  attributes text not null default '{}',
  time_zone text,
  created_at bigint not null,
  updated_at bigint not null
);
create table lists (id bigint generated always as identity primary key, name text not null unique, created_at bigint not null);
create table memberships (list_id bigint not null, profile_id bigint not null, primary key (list_id, profile_id));
create index memberships_by_profile on memberships (profile_id, list_id);

-- Written by the RecipientGrain alone. forbids when no mail at all may go; groups_left is a JSON array of group names; applied a JSON object.
create table subscriptions (
  key bytea not null primary key,
  status text not null,
  reason text,
  since bigint,
  forbids boolean not null,
  groups_left text not null default '[]',
  applied text not null default '{}',
  version bigint not null
);
create index subscriptions_forbidding on subscriptions (key) where forbids;
