-- fields: what other scripts begin with, to read fields of a task whose key may hold something else.
-- Returns nothing: this is a function.
-- None of the fields where the key holds something else. Any other error ends the script before it changes anything
-- for this task: whoever is not allowed to look does not know that a task is missing.
local function fields_of(task, ...)
  local fields = redis.pcall('HMGET', task, ...)
  if not fields.err then return fields end
  if string.sub(fields.err, 1, 9) ~= 'WRONGTYPE' then redis.call('HMGET', task, ...) end
  return {}
end
