-- peek_groups: how groups stand. Changes nothing.
-- KEYS[1] asynq:{<queue>}:groups   set
-- ARGV[1] task key prefix   ARGV[2] group key prefix   ARGV[3] how much of a message to tell, bytes
-- ARGV[4] cursor: 0 at first, then what the last call returned
-- Returns {next cursor; for each group on the page: name, size, score of the oldest task, of the newest, the beginning
--   of the message of the oldest, of the newest, each empty where there is none}.
local try = redis.pcall
local page = redis.call('SSCAN', KEYS[1], ARGV[4], 'COUNT', 100)
local told = { page[1] }
local function tell(group, place)
  -- What is no group, or no task, is an empty one: it must not keep the others from being seen.
  local found = try('ZRANGE', group, place, place, 'WITHSCORES')
  if found.err or not found[1] then return '0', '' end
  local msg = try('HGET', ARGV[1] .. found[1], 'msg')
  return found[2], type(msg) == 'string' and string.sub(msg, 1, tonumber(ARGV[3])) or ''
end
for _, name in ipairs(page[2]) do
  local group = ARGV[2] .. name
  local size = try('ZCARD', group)
  local oldest, first = tell(group, 0)
  local newest, last = tell(group, -1)
  local at = #told
  told[at + 1], told[at + 2], told[at + 3] = name, type(size) == 'number' and size or 0, oldest
  told[at + 4], told[at + 5], told[at + 6] = newest, first, last
end
return told
