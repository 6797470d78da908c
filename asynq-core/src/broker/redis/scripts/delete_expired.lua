-- delete_expired: delete the tasks of a collection whose scores are past, the lowest first.
-- Compat: Go's deleteExpiredCompletedTasks. Go deletes old archived tasks only when another one is archived.
-- KEYS[1] asynq:{<queue>}:completed or asynq:{<queue>}:archived   sorted set
-- KEYS[2] asynq:{<queue>}:x:trimmed   string, if they are archived
-- ARGV[1] the highest score, unix seconds   ARGV[2] task key prefix   ARGV[3] how many at most
-- Returns how many were deleted.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, tonumber(ARGV[3]))
for _, id in ipairs(ids) do
  redis.call('DEL', ARGV[2] .. id)
  redis.call('ZREM', KEYS[1], id)
end
if KEYS[2] and #ids > 0 then redis.pcall('INCRBY', KEYS[2], #ids) end
return #ids
