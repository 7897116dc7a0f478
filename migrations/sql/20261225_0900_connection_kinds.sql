-- Connections of connectors beside MCP servers: the kind is `mcp`, or the id of a connector.
alter table console.connection add column kind text not null default 'mcp';
