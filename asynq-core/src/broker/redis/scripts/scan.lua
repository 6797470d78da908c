-- scan: read the tasks of a collection that follow those read before, although others change it meanwhile.
-- Compat: Go's listMessages and listZSetMessages, which know positions only.
-- KEYS[1] the collection           list or sorted set
-- KEYS[2] asynq:{<queue>}:lease    sorted set
-- ARGV[1] task key prefix   ARGV[2] list or zset   ARGV[3] how many came before   ARGV[4] how many to read
-- ARGV[5..] what was read last, the latest first: id, score
-- Returns {1, how many came before these; for each: id, score, message, state, result, end of lease},
--   {2, the same} where it ended early since the tasks are large, or {0, how many came before what is still to be searched}.
local call, ENOUGH = redis.call, 2000000
local key, before, limit = KEYS[1], tonumber(ARGV[3]), tonumber(ARGV[4])

-- Behind the latest of those read before that is still where it was. Those behind it are gone, so nothing is missed.
local function place_in_zset()
  for at = 5, #ARGV, 2 do
    local score = call('ZSCORE', key, ARGV[at])
    if score and tonumber(score) == tonumber(ARGV[at + 1]) then return call('ZRANK', key, ARGV[at]) + 1 end
  end
  return call('ZCOUNT', key, '-inf', '(' .. ARGV[6])
end

-- A list has no ranks: look where it should be, and then towards the end that workers take from.
local function place_in_list()
  local read = {}
  for at = 5, #ARGV, 2 do read[ARGV[at]] = true end
  local upper, width = math.min(before, call('LLEN', key)), 100
  for _ = 1, 20 do
    if upper == 0 then return 0 end
    local ids = call('LRANGE', key, -upper, -math.max(upper - width, 0) - 1)
    for i, id in ipairs(ids) do
      if read[id] then return upper - i + 1 end
    end
    upper, width = math.max(upper - width, 0), 1000
  end
  return nil, upper
end

local ids, start, searched = {}, before, nil
if ARGV[2] == 'list' then
  if #ARGV > 4 then start, searched = place_in_list() end
  if not start then return { 0, searched } end
  local newest_first = call('LRANGE', key, -start - limit, -start - 1)
  for i = #newest_first, 1, -1 do
    ids[#ids + 1] = newest_first[i]
    ids[#ids + 1] = ''
  end
else
  if #ARGV > 4 then start = place_in_zset() end
  ids = call('ZRANGE', key, start, start + limit - 1, 'WITHSCORES')
end
local answer, bytes = { 1, start }, 0
for i = 1, #ids, 2 do
  if bytes > ENOUGH then
    answer[1] = 2
    break
  end
  local fields = redis.pcall('HMGET', ARGV[1] .. ids[i], 'msg', 'state', 'result')
  if fields.err then fields = { false, false, false } end
  bytes = bytes + #(fields[1] or '') + #(fields[3] or '')
  local n = #answer
  answer[n + 1], answer[n + 2], answer[n + 3] = ids[i], ids[i + 1], fields[1]
  answer[n + 4], answer[n + 5] = fields[2] or '', fields[3]
  answer[n + 6] = fields[2] == 'active' and call('ZSCORE', KEYS[2], ids[i]) or ''
end
return answer
