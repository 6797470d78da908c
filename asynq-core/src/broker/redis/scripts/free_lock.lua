-- free_lock: delete a uniqueness lock, if it and its task are as they were seen.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] the lock   string
-- KEYS[2] asynq:{<queue>}:t:<id>   hash of the task that it names
-- ARGV[1] its value   ARGV[2] the state of the task, if there is one
-- Returns 1 deleted, 0 it has changed.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local fields = fields_of(KEYS[2], 'msg', 'state')
local state = fields[1] and (fields[2] or '') or nil
if state ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])
