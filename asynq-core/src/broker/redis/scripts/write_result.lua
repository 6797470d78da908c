-- write_result: store a result with a task that exists.
-- Compat: Go writes without looking, which makes a hash for a task that is gone.
-- KEYS[1] asynq:{<queue>}:t:<id>   task hash
-- ARGV[1] the result
-- Returns 1 stored, 0 no such task.
if redis.call('HEXISTS', KEYS[1], 'msg') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'result', ARGV[1])
return 1
