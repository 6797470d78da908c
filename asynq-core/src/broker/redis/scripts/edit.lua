-- edit: replace the message of a task that is not run at present, and set when it is due.
-- Compat: Go's updateTaskPayload, which writes without looking whether the message is still the one it has read.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:t:<id>      task hash
-- KEYS[2] asynq:{<queue>}:pending     list
-- KEYS[3] asynq:{<queue>}:scheduled   sorted set
-- KEYS[4] asynq:{<queue>}:retry       sorted set
-- KEYS[5] asynq:{<queue>}:archived    sorted set
-- ARGV[1] task id   ARGV[2] the message that is replaced   ARGV[3] the new one, empty for the same
-- ARGV[4] when it is due, unix seconds; empty for as before
-- Returns {1} done, {0} no such task, {2} the message has changed, {-1, state} refused.
local call = redis.call
local fields = fields_of(KEYS[1], 'msg', 'state')
if not fields[1] then return { 0 } end
local state = fields[2] or ''
if state ~= 'pending' and state ~= 'scheduled' and state ~= 'retry' and state ~= 'archived' then return { -1, state } end
if fields[1] ~= ARGV[2] then return { 2 } end
if ARGV[3] ~= '' then call('HSET', KEYS[1], 'msg', ARGV[3]) end
if ARGV[4] == '' then return { 1 } end
if state == 'scheduled' or state == 'retry' then
  call('ZADD', state == 'retry' and KEYS[4] or KEYS[3], ARGV[4], ARGV[1])
  return { 1 }
end
if state == 'pending' then
  call('LREM', KEYS[2], '-1', ARGV[1])
else
  call('ZREM', KEYS[5], ARGV[1])
end
call('ZADD', KEYS[3], ARGV[4], ARGV[1])
call('HSET', KEYS[1], 'state', 'scheduled')
call('HDEL', KEYS[1], 'pending_since', 'x_own', 'x_run', 'x_crash')
return { 1 }
