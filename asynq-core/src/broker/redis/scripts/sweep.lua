-- sweep: delete keys that a queue which was emptied has left behind, but nothing that has come since.
-- A lock stays for as long as its task does, however long it is to be kept (see lock.lua).
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:pending     list
-- KEYS[2] asynq:{<queue>}:groups      set
-- KEYS[3] asynq:{<queue>}:aggregation_sets   sorted set
-- KEYS[4..] what begins with the queue's prefix
-- ARGV[1] queue key prefix
-- Returns the locks that were left because their task is still there.
local call, try, prefix = redis.call, redis.pcall, ARGV[1]
local pending, held = {}, {}
for _, id in ipairs(call('LRANGE', KEYS[1], 0, 9999)) do pending[id] = true end

local function has(set, member) return type(try('ZSCORE', set, member)) == 'string' end

-- Whether a task is where it says it is.
local function is_live(id, task)
  local fields = fields_of(task, 'state', 'group')
  if not fields[1] then return false end
  local state = fields[1]
  if state == 'pending' then return pending[id] or call('LLEN', KEYS[1]) > 10000 end
  if state == 'active' then return has(prefix .. 'lease', id) end
  if state == 'aggregating' then
    return fields[2] and call('SISMEMBER', KEYS[2], fields[2]) == 1 and has(prefix .. 'g:' .. fields[2], id)
  end
  return has(prefix .. state, id)
end

for n = 4, #KEYS do
  local key = KEYS[n]
  local name = string.sub(key, #prefix + 1)
  if string.sub(name, 1, 2) == 't:' then
    local id = string.sub(name, 3)
    if not is_live(id, key) then
      local lock = try('HGET', key, 'unique_key')
      if type(lock) == 'string' and try('GET', lock) == id then call('DEL', lock) end
      call('UNLINK', key)
    end
  elseif string.sub(name, 1, 2) == 'g:' then
    if call('SISMEMBER', KEYS[2], string.sub(name, 3)) == 0 and not call('ZSCORE', KEYS[3], key) then call('UNLINK', key) end
  elseif string.sub(name, 1, 7) == 'unique:' or string.sub(name, 1, 9) == 'x:unique:' then
    local holder = try('GET', key)
    if type(holder) == 'string' then holder = string.gsub(holder, '^x:ttl:', '') end
    if type(holder) == 'string' and call('EXISTS', prefix .. 't:' .. holder) == 1 then
      held[#held + 1] = key
    else
      call('UNLINK', key)
    end
  else
    call('UNLINK', key)
  end
end
return held
