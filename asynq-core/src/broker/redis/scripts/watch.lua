-- watch: read a task that somebody waits for, and mark it, so that the end of its next run is published.
-- Compat: Go has nothing like it, and its workers publish nothing.
-- Begins with read_task.lua, which reads it.
-- KEYS[1] asynq:{<queue>}:t:<id>         task hash
-- KEYS[2] asynq:{<queue>}:lease          sorted set
-- KEYS[3] asynq:{<queue>}:x:waits        sorted set of IDs by the second until which they are waited for
-- KEYS[4] asynq:{<queue>}:x:waits:<id>   string; is there when the task was waited for, has succeeded and is gone
-- ARGV[1] task id   ARGV[2] queue key prefix   ARGV[3] now, unix seconds   ARGV[4] how long a mark lasts, seconds
-- Returns 1 succeeded and gone, 0 no such task, else what read_task.lua says.
local call = redis.call
local read = read_task(KEYS[1], KEYS[2], ARGV[2], ARGV[1])
if not read then return call('EXISTS', KEYS[4]) end
if read[2] ~= 'completed' and read[2] ~= 'archived' then
  call('ZADD', KEYS[3], ARGV[3] + ARGV[4], ARGV[1])
  for _, id in ipairs(call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[3], 'LIMIT', 0, 10)) do
    call('ZREM', KEYS[3], id)
  end
  call('EXPIRE', KEYS[3], ARGV[4])
  call('DEL', KEYS[4])
end
return read
