-- queue_info: count what a queue holds.
-- Compat: Go's currentStats; here without the groups, of which there may be many.
-- KEYS[1] asynq:{<queue>}:pending     list         KEYS[2] asynq:{<queue>}:active      list
-- KEYS[3] asynq:{<queue>}:scheduled   sorted set   KEYS[4] asynq:{<queue>}:retry       sorted set
-- KEYS[5] asynq:{<queue>}:archived    sorted set   KEYS[6] asynq:{<queue>}:completed   sorted set
-- KEYS[7] asynq:{<queue>}:lease       sorted set   KEYS[8] asynq:{<queue>}:aggregation_sets   sorted set
-- KEYS[9] asynq:{<queue>}:paused            string   KEYS[10] asynq:{<queue>}:processed:<day>   string
-- KEYS[11] asynq:{<queue>}:failed:<day>     string   KEYS[12] asynq:{<queue>}:processed         string
-- KEYS[13] asynq:{<queue>}:failed           string   KEYS[14] asynq:{<queue>}:x:trimmed         string
-- ARGV[1] task key prefix   ARGV[2] now, unix seconds
-- Returns {pending, active, scheduled, retry, archived, completed, staged, orphaned, pending_since of the oldest
--   pending task, paused since, processed today, failed today, processed, failed, trimmed}; text is empty for none.
local call, try = redis.call, redis.pcall
local active, leases = call('LLEN', KEYS[2]), call('ZCARD', KEYS[7])
local staged = 0
for _, set in ipairs(call('ZRANGE', KEYS[8], 0, 999)) do staged = staged + call('ZCARD', set) end
local oldest = call('LINDEX', KEYS[1], -1)
local since = oldest and try('HGET', ARGV[1] .. oldest, 'pending_since')
local answer = {
  call('LLEN', KEYS[1]), active, call('ZCARD', KEYS[3]), call('ZCARD', KEYS[4]), call('ZCARD', KEYS[5]),
  call('ZCARD', KEYS[6]), staged, call('ZCOUNT', KEYS[7], '-inf', ARGV[2]) + math.max(active - leases, 0),
  type(since) == 'string' and since or '',
}
for n = 9, 14 do
  local text = try('GET', KEYS[n])
  answer[n + 1] = type(text) == 'string' and text or ''
end
return answer
