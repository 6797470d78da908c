-- copies: all that is stored of tasks.
-- Begins with score.lua, which looks into sorted sets.
-- KEYS[1] asynq:{<queue>}:aggregation_sets   sorted set
-- ARGV[1] queue key prefix   ARGV[2..] ids
-- Returns for each: {{field, value, ...}, score or empty, value of its lock, milliseconds that this has left}, the last
--   two only if it has one; {} when nothing is stored.
local call, try, prefix = redis.call, redis.pcall, ARGV[1]
local answer = {}

local function score_of(id, state, group)
  if state ~= 'aggregating' then return score_in(prefix .. state, id) end
  local key = prefix .. 'g:' .. group
  local score = score_in(key, id)
  if score then return score end
  for _, set in ipairs(call('ZRANGE', KEYS[1], 0, 999)) do
    score = string.sub(set, 1, #key + 1) == key .. ':' and score_in(set, id)
    if score then return score end
  end
end

for at = 2, #ARGV do
  local id = ARGV[at]
  local stored = try('HGETALL', prefix .. 't:' .. id)
  if stored.err or #stored == 0 then
    answer[#answer + 1] = {}
  else
    local fields = {}
    for i = 1, #stored, 2 do fields[stored[i]] = stored[i + 1] end
    local copy = { stored, score_of(id, fields.state or '', fields.group or '') or '' }
    local lock = fields.unique_key
    local value = lock and string.sub(lock, 1, #prefix) == prefix and try('GET', lock)
    if type(value) == 'string' then
      copy[3] = value
      copy[4] = call('PTTL', lock)
    end
    answer[#answer + 1] = copy
  end
end
return answer
