-- delete_expired_completed: delete completed tasks whose retention is over.
-- Compat: Go's deleteExpiredCompletedTasks.
-- KEYS[1] asynq:{<queue>}:completed   sorted set
-- ARGV[1] now, unix seconds   ARGV[2] task key prefix   ARGV[3] how many at most
-- Returns how many were deleted.
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, tonumber(ARGV[3]))
for _, id in ipairs(ids) do
  redis.call('DEL', ARGV[2] .. id)
  redis.call('ZREM', KEYS[1], id)
end
return #ids
