-- read_task: what other scripts begin with, to read a task as it stands.
-- Compat: Go's getTaskInfo.
-- Returns nothing when there is no such task, else {message, state, result, due second or empty,
--   end of lease or empty}: that is what the function gives.
local function read_task(task, lease_key, prefix, id)
  local fields = redis.call('HMGET', task, 'msg', 'state', 'result')
  if not fields[1] then return false end
  local due, lease = '', ''
  if fields[2] == 'scheduled' or fields[2] == 'retry' then
    due = redis.call('ZSCORE', prefix .. fields[2], id) or ''
  elseif fields[2] == 'active' then
    lease = redis.call('ZSCORE', lease_key, id) or ''
  end
  return { fields[1], fields[2] or '', fields[3], due, lease }
end
