-- SPDX-License-Identifier: MIT
--- What the scripts for Dovecot have in common: settings files, addresses and networks, users, checks.
-- It needs nothing of Dovecot, and of libspf's C part nothing before the first check, so that loading it cannot fail
-- where a process must not end.
-- @module libspf.dovecot
local dovecot_spf = {}

dovecot_spf.RESULTS = { "pass", "fail", "softfail", "neutral", "none", "temperror", "permerror" }

-- From what a user would rather have to what not.
local RANK = { pass = 1, none = 2, neutral = 3, softfail = 4, temperror = 5, permerror = 6, fail = 7 }

local LOG_TEXT_MAX = 400

-- ---------------------------------------------------------------------------------------------------------- addresses

local function ipv4_octets(text)
  local octets = {}
  for part in (text .. "."):gmatch("([^.]*)%.") do
    if not part:find("^%d%d?%d?$") or (#part > 1 and part:sub(1, 1) == "0") or tonumber(part) > 255 then
      return nil
    end
    octets[#octets + 1] = string.char(tonumber(part))
  end
  return #octets == 4 and table.concat(octets) or nil
end

-- The octets of colon-separated groups; the last may be an IPv4 address.
local function ipv6_groups(text)
  local octets = {}
  if text == "" then
    return ""
  end
  for part, at in (text .. ":"):gmatch("([^:]*):()") do
    local is_last = at > #text + 1
    if is_last and part:find(".", 1, true) then
      local mapped = ipv4_octets(part)
      if not mapped then
        return nil
      end
      octets[#octets + 1] = mapped
    elseif part:find("^%x%x?%x?%x?$") then
      local group = tonumber(part, 16)
      octets[#octets + 1] = string.char(group // 256, group % 256)
    else
      return nil
    end
  end
  return table.concat(octets)
end

local function ipv6_octets(text)
  local head, tail = text:match("^(.-)::(.*)$")
  if not head then
    local octets = ipv6_groups(text)
    return octets and #octets == 16 and octets or nil
  end
  if tail:find("::", 1, true) or tail:sub(1, 1) == ":" then
    return nil
  end
  local first, last = ipv6_groups(head), ipv6_groups(tail)
  if not first or not last or #first + #last > 14 then
    return nil
  end
  return first .. ("\0"):rep(16 - #first - #last) .. last
end

local MAPPED = ("\0"):rep(10) .. "\255\255"

--- The 4 or 16 octets of an address; nil if it is none. An IPv4 address mapped into IPv6 is that IPv4 address.
function dovecot_spf.address(text)
  local octets = text:find(":", 1, true) and ipv6_octets(text) or ipv4_octets(text)
  if octets and #octets == 16 and octets:sub(1, 12) == MAPPED then
    return octets:sub(13)
  end
  return octets
end

--- ADDRESS or ADDRESS/BITS as { octets, bits }; nil if it is none.
function dovecot_spf.network(text)
  local address, bits = text:match("^([^/]+)/(%d%d?%d?)$")
  local octets = dovecot_spf.address(address or text)
  bits = tonumber(bits)
  if not octets or (bits and bits > #octets * 8) then
    return nil
  end
  return { octets = octets, bits = bits or #octets * 8 }
end

--- Whether one of the networks has the address with these octets.
function dovecot_spf.is_within(octets, networks)
  for _, network in ipairs(networks) do
    if #network.octets == #octets then
      local whole, rest = network.bits // 8, network.bits % 8
      local same = octets:sub(1, whole) == network.octets:sub(1, whole)
      if same and rest > 0 then
        local shift = 8 - rest
        same = octets:byte(whole + 1) >> shift == network.octets:byte(whole + 1) >> shift
      end
      if same then
        return true
      end
    end
  end
  return false
end

-- ----------------------------------------------------------------------------------------------------------- settings

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do
    list[#list + 1] = word
  end
  return list
end

-- A kind of value: how one word of it is read (nil if it cannot be), and what is allowed.
local function kind(allowed, read, is_text)
  return { allowed = allowed, read = read, is_text = is_text }
end

--- A word of these.
function dovecot_spf.choice(...)
  local known = {}
  for _, word in ipairs({ ... }) do
    known[word] = word
  end
  return kind(table.concat({ ... }, ", "), function(word)
    return known[word]
  end)
end

function dovecot_spf.number(least, most)
  return kind(("a number from %g to %g"):format(least, most), function(word)
    local number = word:find("^%d+%.?%d*$") and tonumber(word)
    return number and number >= least and number <= most and number or nil
  end)
end

dovecot_spf.RETRY = dovecot_spf.number(0, 86400)
dovecot_spf.ADDRESS = kind("IPv4 and IPv6 addresses", function(word)
  return dovecot_spf.address(word) and word
end)
dovecot_spf.NETWORK = kind("IPv4 and IPv6 addresses, or networks such as 192.0.2.0/24", dovecot_spf.network)
dovecot_spf.NAME = kind("names without blanks", function(word)
  return word
end)
dovecot_spf.SEPARATOR = kind("single characters that are no letters or digits", function(word)
  return word:find("^[^%w%s]$") and word
end)
dovecot_spf.PATH = kind("the absolute path of a file", function(text)
  return text:sub(1, 1) == "/" and text
end, true)
dovecot_spf.POLICY = kind("an SPF record, v=spf1 ...", function(text)
  return text:lower():find("^v=spf1") and (text:sub(7, 7) == "" or text:sub(7, 7) == " ") and text
end, true)
local mapping_form = "two words: the name that users log in with, and the mail domain that it stands for"
dovecot_spf.MAPPING = kind(mapping_form, function(text)
  local from, to = text:match("^(%S+)%s+(%S+)$")
  return from and { from = from:lower(), to = to }
end, true)

--- A key that has one value.
function dovecot_spf.one(value_kind, default)
  return { kind = value_kind, default = default }
end

--- A key that has a list: several words on a line, or several lines, which replace the default.
function dovecot_spf.many(value_kind, default)
  return { kind = value_kind, default = default or {}, is_list = true }
end

--- Adds a key for each result of SPF, whose values are actions.
function dovecot_spf.with_actions(keys, actions, defaults)
  for _, result in ipairs(dovecot_spf.RESULTS) do
    keys[result] = dovecot_spf.one(actions, defaults[result])
  end
  return keys
end

local function sorted_names(keys)
  local names = {}
  for name in pairs(keys) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local function read_value(key, text)
  if not key.is_list then
    return key.kind.read(text)
  end
  local values = {}
  for _, word in ipairs(key.kind.is_text and { text } or words(text)) do
    local value = key.kind.read(word)
    if not value then
      return nil
    end
    values[#values + 1] = value
  end
  return values
end

local function store(settings, given, name, key, value)
  if key.is_list and given[name] then
    table.move(value, 1, #value, #settings[name] + 1, settings[name])
  else
    settings[name] = value
  end
  given[name] = true
end

local function parse_line(line, keys, settings, given)
  local text = (" " .. line):gsub("%s#.*$", ""):match("^%s*(.-)%s*$")
  if text == "" then
    return nil
  end
  local name, value = text:match("^([%w-]+)%s*:%s*(.-)$")
  if not name then
    return ("%q is not of the form `key: value`"):format(text)
  end
  if not keys[name] then
    return ("there is no key %q; the keys are %s"):format(name, sorted_names(keys))
  end
  local read = value ~= "" and read_value(keys[name], value)
  if not read then
    return ("%s: %q is not allowed; allowed: %s"):format(name, value, keys[name].kind.allowed)
  end
  store(settings, given, name, keys[name], read)
  return nil
end

--- Reads `key: value` lines; blanks around them do not count, `#` starts a comment.
-- @return the settings, each key having a value or its default; or nil, what is wrong where, and `on-error` all the
-- same
function dovecot_spf.parse(text, keys, path)
  local settings, given, number, first = {}, {}, 0, nil
  for name, key in pairs(keys) do
    settings[name] = key.default
  end
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    local problem = parse_line(line, keys, settings, given)
    if problem and not first then
      first = ("%s:%d: %s"):format(path, number, dovecot_spf.printable(problem))
    end
  end
  if first then
    return nil, first, settings["on-error"]
  end
  return settings
end

--- Where a script's settings are: LIBSPF_DOVECOT in the environment names another folder.
function dovecot_spf.path(name)
  return (os.getenv("LIBSPF_DOVECOT") or "/etc/dovecot/libspf") .. "/" .. name .. ".conf"
end

local function content(path)
  local file, why = io.open(path, "r")
  if not file then
    return nil, why
  end
  local text, problem = file:read("a")
  file:close()
  return text, problem and ("%s: %s"):format(path, problem)
end

--- Settings that follow their file: what is changed there counts from the next call on.
-- A change with an error changes nothing but is told with every call; `is_needed`: that there is no file is an error.
-- @return a function that returns the settings or nil, what is wrong or nil, and what to do then if even that is known
function dovecot_spf.follow(name, keys, is_needed)
  local path, last_text, settings, problem, on_error = dovecot_spf.path(name), nil, nil, nil, nil
  return function()
    local text, why = content(path)
    if not text then
      if is_needed or (why and not why:find("No such file", 1, true)) then
        return settings, why
      end
      text = ""
    end
    if text ~= last_text then
      local fresh
      fresh, problem, on_error = dovecot_spf.parse(text, keys, path)
      settings, last_text = fresh or settings, text
    end
    return settings, problem, on_error
  end
end

-- --------------------------------------------------------------------------------------------------------------- users

local sets = setmetatable({}, { __mode = "k" })

--- A list's members as keys, in lower case; made once, for a list of settings may be long.
function dovecot_spf.set(list)
  if not sets[list] then
    local set = {}
    for _, member in ipairs(list) do
      set[member:lower()] = true
    end
    sets[list] = set
  end
  return sets[list]
end

local function split_at_last(name, separators)
  for _, separator in ipairs(separators) do
    local pattern = "^(.*)%" .. separator .. "([^%" .. separator .. "]*)$"
    local first, last = name:match(pattern)
    if first then
      return first, last
    end
  end
  return name, nil
end

--- The local part and the mail domain that a user's name stands for; no domain if it has none and none is configured.
function dovecot_spf.user_parts(settings, name)
  local user, realm = split_at_last(name, settings.separator)
  local domain = (realm and realm ~= "") and realm or nil
  for _, mapping in ipairs(settings.map) do
    if domain and mapping.from == domain:lower() then
      domain = mapping.to
      break
    end
  end
  return user, domain or settings["default-domain"]
end

--- Whether a list has the user: its name, its address, its domain, or a domain above that (".example.org").
function dovecot_spf.is_listed(list, name, user, domain)
  local set = dovecot_spf.set(list)
  domain = domain and domain:lower()
  if set[name:lower()] or (domain and (set[domain] or set[(user .. "@" .. domain):lower()])) then
    return true
  end
  for above in (domain or ""):gmatch("()%.") do
    if set[domain:sub(above)] then
      return true
    end
  end
  return false
end

--- Text that cannot break a line of a log, and is not longer than one should be.
function dovecot_spf.printable(text)
  text = tostring(text or ""):gsub("%c+", " ")
  return #text > LOG_TEXT_MAX and text:sub(1, LOG_TEXT_MAX) .. "..." or text
end

--- The address of the client that a mail user's session came from, behind XCLIENT and proxies; nil if there is none.
function dovecot_spf.client_of(user)
  for _, variable in ipairs({ "%{remote_ip}", "%{rip}" }) do
    local expanded, value = pcall(user.var_expand, user, variable)
    if expanded and dovecot_spf.address(value) then
      return value
    end
  end
  return nil
end

-- -------------------------------------------------------------------------------------------------------------- checks

--- Remembers values until a time, at most `size`: when there are half as many new ones, the ones before them go.
function dovecot_spf.memory(size)
  local young, old, count = {}, {}, 0
  local memory = {}
  function memory.get(key, now)
    local entry = young[key] or old[key]
    return entry and now < entry.until_s and entry.value or nil
  end
  function memory.put(key, value, until_s)
    if count >= size // 2 then
      young, old, count = {}, young, 0
    end
    count = count + (young[key] and 0 or 1)
    young[key] = { value = value, until_s = until_s }
  end
  return memory
end

local contexts = {}
local failures = dovecot_spf.memory(1000)

local function ask(settings, question)
  local libspf = require("libspf")
  question.timeout = settings.timeout
  if settings.config then
    contexts[settings.config] = contexts[settings.config] or libspf.context({ config = settings.config })
    return contexts[settings.config]:check(question)
  end
  return libspf.check(question)
end

--- Asks libspf; raises an error only where something is not installed or configured as it must be.
-- What DNS said is in libspf's caches. But a domain that could not be asked would make each of its users, or each
-- recipient, wait for the whole timeout again: so it is not asked for `retry` seconds.
-- @return the result object
function dovecot_spf.check(settings, question)
  local about = question.record or question.sender:match("@([^@]*)$") or question.helo or ""
  local key = (settings.config or "") .. "\0" .. about:lower()
  local result = failures.get(key, os.time())
  if not result then
    result = ask(settings, question)
    if result.result == "temperror" then
      failures.put(key, result, os.time() + (settings.retry or 0))
    end
  end
  return result
end

--- Of two answers the one that a user would rather have, or rather not.
function dovecot_spf.better(one, other)
  return RANK[one.result] <= RANK[other.result] and one or other
end

function dovecot_spf.worse(one, other)
  return RANK[one.result] >= RANK[other.result] and one or other
end

return dovecot_spf
