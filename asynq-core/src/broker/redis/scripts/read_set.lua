-- read_set: what is stored of members of an aggregation set, in order. Changes nothing.
-- Compat: Go's readAggregationSet, in pieces and with the IDs.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:g:<group>:<set id>   sorted set
-- ARGV[1] task key prefix   ARGV[2] offset   ARGV[3] how many at most
-- Returns {id, message or nil, ...}.
local offset, limit = tonumber(ARGV[2]), tonumber(ARGV[3])
local members = {}
local pcall, prefix = redis.pcall, ARGV[1]
for i, id in ipairs(redis.call('ZRANGE', KEYS[1], offset, offset + limit - 1)) do
  local task = prefix .. id
  local msg = pcall('HGET', task, 'msg')
  -- What comes of an error is not decided here.
  if msg and msg.err then msg = fields_of(task, 'msg')[1] or false end
  members[2 * i - 1], members[2 * i] = id, msg
end
return members
