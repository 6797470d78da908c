-- dump: everything in the database, as it is at one instant.
-- Returns for each key: key, type, value, time to live in milliseconds (-1: none), expiry in Unix milliseconds.
local call = redis.call
local read = {
  string = { 'GET' },
  list = { 'LRANGE', '0', '-1' },
  set = { 'SMEMBERS' },
  zset = { 'ZRANGE', '0', '-1', 'WITHSCORES' },
  hash = { 'HGETALL' },
}
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local dump, cursor = {}, '0'
repeat
  local page = call('SCAN', cursor, 'COUNT', '1000')
  cursor = page[1]
  for _, key in ipairs(page[2]) do
    local kind, left = call('TYPE', key).ok, call('PTTL', key)
    if left ~= -2 then
      local command = read[kind]
      dump[#dump + 1] = { key, kind, call(command[1], key, unpack(command, 2)), left, now + left }
    end
  end
until cursor == '0'
return dump
