-- adopt: store a task in whatever state, in place of one with its ID if that is wanted.
-- Begins with fields.lua and lock.lua, which takes its lock.
-- KEYS[1] asynq:{<queue>}:t:<id>   task hash
-- KEYS[2] the list of pending tasks, the sorted set of the state, or the group
-- KEYS[3] asynq:{<queue>}:groups   set
-- KEYS[4..] asynq:queues           set, given where it can share a script with the queue's keys
-- ARGV[1] queue name, or empty where that set is not given   ARGV[2] task id   ARGV[3] message   ARGV[4] state
-- ARGV[5] score   ARGV[6] now, unix nanoseconds   ARGV[7] group, of one that is aggregating
-- ARGV[8] 1 also in place of a task with its ID that is neither run nor aggregated at present
-- ARGV[9] lock key (empty: none)   ARGV[10] lock time (see lock.lua)   ARGV[11..] other fields of the hash: name, value
-- Returns 1 stored, 0 the id already exists, or the id that holds the lock.
local call = redis.call
local id, state = ARGV[2], ARGV[4]
local tasks = string.sub(KEYS[1], 1, #KEYS[1] - #id)
local queue = string.sub(tasks, 1, -3)
local lock, replaces = ARGV[9], ARGV[8] == '1'
local exists = call('EXISTS', KEYS[1]) == 1
if lock ~= '' then
  local holder = lock_holder(tasks, lock)
  if holder and not (replaces and exists and holder == id) then return holder end
end
if exists then
  if not replaces then return 0 end
  local old = fields_of(KEYS[1], 'state', 'group', 'unique_key')
  local group = old[1] == 'aggregating' and queue .. 'g:' .. (old[2] or '')
  if old[1] == 'active' or (group and not call('ZSCORE', group, id)) then return 0 end
  if old[1] == 'pending' then
    call('LREM', queue .. 'pending', 0, id)
  elseif group then
    call('ZREM', group, id)
    if call('EXISTS', group) == 0 then call('SREM', KEYS[3], old[2]) end
  else
    for _, set in ipairs({ 'scheduled', 'retry', 'archived', 'completed' }) do call('ZREM', queue .. set, id) end
  end
  if old[3] and old[3] ~= '' and redis.pcall('GET', old[3]) == id then call('DEL', old[3]) end
  call('DEL', KEYS[1])
end
if ARGV[1] ~= '' then call('SADD', KEYS[4], ARGV[1]) end
call('HSET', KEYS[1], 'msg', ARGV[3], 'state', state)
if state == 'pending' then
  call('HSET', KEYS[1], 'pending_since', ARGV[6])
  call('LPUSH', KEYS[2], id)
else
  call('ZADD', KEYS[2], ARGV[5], id)
end
if state == 'aggregating' then
  call('SADD', KEYS[3], ARGV[7])
  call('HSET', KEYS[1], 'group', ARGV[7])
end
for at = 11, #ARGV, 2 do call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
if lock ~= '' then take_lock(KEYS[1], id, lock, ARGV[10]) end
return 1
