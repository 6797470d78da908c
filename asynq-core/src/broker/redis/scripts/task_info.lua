-- task_info: read a task as it stands.
-- Compat: Go's getTaskInfo.
-- KEYS[1] asynq:{<queue>}:t:<id>   task hash
-- KEYS[2] asynq:{<queue>}:lease    sorted set
-- ARGV[1] task id   ARGV[2] queue key prefix
-- Returns nothing when there is no such task, else {message, state, result, due second or empty,
--   end of lease or empty}.
local fields = redis.call('HMGET', KEYS[1], 'msg', 'state', 'result')
if not fields[1] then return false end
local due, lease = '', ''
if fields[2] == 'scheduled' or fields[2] == 'retry' then
  due = redis.call('ZSCORE', ARGV[2] .. fields[2], ARGV[1]) or ''
elseif fields[2] == 'active' then
  lease = redis.call('ZSCORE', KEYS[2], ARGV[1]) or ''
end
return { fields[1], fields[2] or '', fields[3], due, lease }
