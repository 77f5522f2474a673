-- SPDX-License-Identifier: MIT
--- A mail_lua_script of Dovecot for LMTP: what SPF can say when a message is delivered and only its client and its
-- recipient are known. Either whether the client is a host of the recipient's own domain, or whether it is one that a
-- policy in /etc/dovecot/libspf/delivery.conf lets deliver here. It logs, or defers the delivery.
local loaded, spf = pcall(require, "libspf.dovecot")
local settings
local when_broken = "allow"

local function keys()
  local actions = spf.choice("allow", "log", "warn", "defer")
  return spf.with_actions({
    policy = spf.one(spf.POLICY),
    services = spf.many(spf.NAME, { "lmtp" }),
    ["local"] = spf.many(spf.NETWORK, { spf.network("127.0.0.0/8"), spf.network("::1") }),
    separator = spf.many(spf.SEPARATOR, { "@" }),
    ["default-domain"] = spf.one(spf.NAME),
    map = spf.many(spf.MAPPING),
    exempt = spf.many(spf.NAME),
    config = spf.one(spf.PATH),
    timeout = spf.one(spf.number(0.1, 60), 5),
    retry = spf.one(spf.RETRY, 60),
    ["on-error"] = spf.one(spf.choice("allow", "defer"), "allow"),
  }, actions, {
    pass = "log", none = "log", neutral = "log", softfail = "log", fail = "log", permerror = "log", temperror = "log",
  })
end

local function act(action, text)
  if action == "log" then
    dovecot.i_info("libspf: " .. text)
  elseif action ~= "allow" then
    dovecot.i_warning("libspf: " .. text)
  end
  if action == "defer" then
    return -1, "libspf: " .. text
  end
  return 0, ""
end

local function broken(why)
  local goes_on = when_broken == "allow"
  dovecot.i_error((("libspf: " .. why .. (goes_on and "; the delivery goes on" or "")):gsub("%c+", " ")))
  if goes_on then
    return 0, ""
  end
  return -1, "libspf: on-error: defer"
end

local function decide(user, client, current)
  if not spf.set(current.services)[user.service:lower()] then
    return 0, ""
  end
  local name, domain = spf.user_parts(current, user.username)
  if spf.is_within(spf.address(client), current["local"])
    or spf.is_listed(current.exempt, user.username, name, domain) then
    return 0, ""
  end
  if not domain then
    return 0, ""
  end
  local result = spf.check(current, { ip = client, sender = name .. "@" .. domain, record = current.policy })
  local action = current[result.result]
  return act(action, ("SPF of %s for the client %s: %s (%s): %s"):format(
    current.policy and "delivery.conf's policy" or "the recipient's own domain " .. spf.printable(domain), client,
    result.result, action, spf.printable(result.reason)))
end

local function hook(user)
  if not loaded then
    return broken("not installed: " .. tostring(spf))
  end
  local client = spf.client_of(user)
  if not client then -- LMTP over a local socket; or the user that the LMTP process itself needs, without which it ends
    return 0, ""
  end
  settings = settings or spf.follow("delivery", keys())
  local current, problem, on_error = settings()
  when_broken = current and current["on-error"] or on_error or when_broken
  if not current then
    return broken(problem)
  elseif problem then
    dovecot.i_error("libspf: " .. problem .. "; the settings of before are kept")
  end
  return decide(user, client, current)
end

function mail_user_created(user)
  local done, result, text = pcall(hook, user)
  if done then
    return result, text
  end
  return broken(tostring(result))
end
