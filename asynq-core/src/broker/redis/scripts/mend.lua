-- mend: repair what a crash, an eviction or a fail-over left half-done among the active tasks of a queue.
-- Compat: Go never looks at an active ID without a lease; such a task would be active for ever.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:active   list
-- KEYS[2] asynq:{<queue>}:lease    sorted set
-- ARGV[1] task key prefix   ARGV[2] now, unix seconds   ARGV[3] offset from the oldest   ARGV[4] how many to look at
-- Returns {IDs mended, IDs looked at}.
local call = redis.call
local offset, limit, mended = tonumber(ARGV[3]), tonumber(ARGV[4]), 0
local ids = call('LRANGE', KEYS[1], -offset - limit, -offset - 1)
for _, id in ipairs(ids) do
  if not fields_of(ARGV[1] .. id, 'msg')[1] then
    call('LREM', KEYS[1], '-1', id)
    call('ZREM', KEYS[2], id)
    mended = mended + 1
  elseif call('ZADD', KEYS[2], 'NX', ARGV[2], id) == 1 then
    mended = mended + 1
  end
end
if offset == 0 then
  for _, id in ipairs(call('ZRANGE', KEYS[2], 0, limit - 1)) do
    if fields_of(ARGV[1] .. id, 'state')[1] ~= 'active' then
      call('ZREM', KEYS[2], id)
      mended = mended + 1
    end
  end
end
return { mended, #ids }
