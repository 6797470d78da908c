-- insert: what other scripts begin with, to store one new task: pending, scheduled or in a group, unique or not.
-- Begins with fields.lua and lock.lua, which takes locks.
-- Compat: the effects are those of Go's enqueue, schedule and addToGroup scripts and their unique forms, except
--   that ID and lock are both checked before anything is written, so that a refused task leaves no lock behind, and
--   that a task which is scheduled *and* grouped names its group in `x_group`. Go forgets such a group: its servers
--   run the task alone. They must not find it in `group`, for their forwarder would put the task into the group
--   without making the group known, where nobody finds it. Ours takes the name from `x_group` and does both.
-- Placements: p pending, s scheduled (where: the due second), g in a group (where: its name),
--   d scheduled and then in a group (where: both, with a colon between).
-- Returns 1 stored, 0 the id already exists, or the id that holds the lock: that is what the function gives.
local function insert(queue, id, placement, msg, lock, time, where)
  local call = redis.call
  if lock ~= '' then
    local holder = lock_holder(queue.tasks, lock)
    if holder then return holder end
  end
  local task = queue.tasks .. id
  if call('EXISTS', task) == 1 then return 0 end
  if placement == 'p' then
    call('HSET', task, 'msg', msg, 'state', 'pending', 'pending_since', queue.nanos)
    call('LPUSH', queue.pending, id)
  elseif placement == 's' then
    call('HSET', task, 'msg', msg, 'state', 'scheduled')
    call('ZADD', queue.scheduled, where, id)
  elseif placement == 'd' then
    local due, group = string.match(where, '^(%-?%d+):(.*)$')
    call('HSET', task, 'msg', msg, 'state', 'scheduled', 'x_group', group)
    call('ZADD', queue.scheduled, due, id)
  else
    call('HSET', task, 'msg', msg, 'state', 'aggregating', 'group', where)
    call('ZADD', queue.group .. where, queue.now, id)
    call('SADD', queue.groups, where)
  end
  if lock ~= '' then take_lock(task, id, lock, time) end
  return 1
end
