-- The silos write a new word about once a second and remember it outside of the database: who remembers it knows whether the database has gone back. One row.
create table beat (
    one boolean primary key default true check (one), -- silos that start together on a new database must not write two
    at bigint not null, -- Unix milliseconds of the database; always rises
    word text not null,
    timeline integer not null -- of the server's log
);
-- PostgreSQL empties it in every recovery: after a crash, from a backup, when a standby takes over. A row says that nothing of that happened since a silo ran.
create unlogged table unbroken (since bigint not null);
