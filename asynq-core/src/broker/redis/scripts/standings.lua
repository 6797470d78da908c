-- standings: where IDs stand, and what is stored under them.
-- Begins with standing.lua, which says so of one.
-- KEYS[1] asynq:{<queue>}:pending   list
-- ARGV[1] 1 also to search for pending tasks in their list   ARGV[2..] for each: id, where it was met or empty,
--   1 if more than once
-- Returns for each: {kind, message, state, group, end of lease or empty, times in the pending list or -1,
--   {place, score, ...}, version}.
local prefix, search = string.sub(KEYS[1], 1, -8), ARGV[1] == '1'
local answer = {}
for at = 2, #ARGV, 3 do
  local standing = standing_of(prefix, ARGV[at], ARGV[at + 1], ARGV[at + 2] == '1', search)
  standing[8] = search and version_of(prefix, ARGV[at], standing) or ''
  answer[#answer + 1] = standing
end
return answer
