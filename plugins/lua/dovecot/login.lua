-- SPDX-License-Identifier: MIT
--- A passdb of Dovecot that checks no password: at login it asks whether the user's own mail domain authorises the
-- addresses that this site sends from, and does what /etc/dovecot/libspf/login.conf says.
--
-- It never answers OK, so no mistake in a configuration makes it let anyone in; and whatever goes wrong in here is
-- logged and leaves the decision to the other passdbs, unless the settings say otherwise.

-- What to do, "allow" or "temp-fail", as long as no settings say it: if not even the module that reads them is there.
local when_broken = "allow"

local loaded, spf = pcall(require, "libspf.dovecot")
local settings
local warned_of_process = false

local function keys()
  local actions = spf.choice("allow", "log", "warn", "disable", "temp-fail")
  return spf.with_actions({
    outbound = spf.many(spf.ADDRESS),
    require = spf.one(spf.choice("all", "any"), "all"),
    services = spf.many(spf.NAME, { "submission", "smtp" }),
    separator = spf.many(spf.SEPARATOR, { "@" }),
    ["default-domain"] = spf.one(spf.NAME),
    map = spf.many(spf.MAPPING),
    exempt = spf.many(spf.NAME),
    helo = spf.one(spf.NAME),
    config = spf.one(spf.PATH),
    timeout = spf.one(spf.number(0.1, 60), 5),
    retry = spf.one(spf.RETRY, 60),
    ["on-error"] = spf.one(spf.choice("allow", "temp-fail"), "allow"),
  }, actions, {
    pass = "allow", none = "log", neutral = "log", softfail = "log", fail = "warn", permerror = "warn",
    temperror = "log",
  })
end

-- ------------------------------------------------------------------------------------------------- what is answered

-- Behind the password nobody needs to come next, which Dovecot wants for NEXT; and an OK would have to bring the
-- credentials of a challenge-response mechanism. An unknown user leaves the result as the passdbs before made it.
local function pass_on(request)
  if request.skip_password_check then
    return dovecot.auth.PASSDB_RESULT_USER_UNKNOWN, ""
  end
  return dovecot.auth.PASSDB_RESULT_NEXT, ""
end

-- Dovecot's own lines for a request are not written without auth_verbose=yes; these are.
local function log(write, request, text)
  write((("libspf: %s: user=<%s> service=%s rip=%s"):format(
    text, request.user or "", request.service or "", request.rip or ""):gsub("%c+", " ")))
end

local function broken(request, why)
  if when_broken == "allow" then
    log(dovecot.i_error, request, why .. "; the user is let pass")
    return pass_on(request)
  end
  log(dovecot.i_error, request, why .. "; no check, so no login")
  return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "libspf: on-error: temp-fail"
end

local function act(request, action, text)
  if action ~= "allow" then
    log(action == "log" and dovecot.i_info or dovecot.i_warning, request, text)
  end
  if action == "disable" then
    return dovecot.auth.PASSDB_RESULT_USER_DISABLED, "libspf: disable"
  elseif action == "temp-fail" then
    return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, "libspf: temp-fail"
  end
  return pass_on(request)
end

-- --------------------------------------------------------------------------------------------------- what is asked

-- With blocking=no this would run in the one process that serves all logins, which must never wait.
local function may_wait()
  local file = io.open("/proc/self/cmdline", "r")
  local command = file and file:read("a") or ""
  if file then
    file:close()
  end
  return not command:find("^dovecot[^/]*/auth") or command:find("\0-w", 1, true) or command:find("worker", 1, true)
end

local function ask(current, sender, address)
  local result = spf.check(current, { ip = address, sender = sender, helo = current.helo })
  return { result = result.result, reason = result.reason, address = address }
end

-- The answer for all addresses: the worst, or the best if any may do.
local function ask_all(current, sender)
  local choose = current.require == "all" and spf.worse or spf.better
  local chosen
  for _, address in ipairs(current.outbound) do
    local answer = ask(current, sender, address)
    chosen = chosen and choose(chosen, answer) or answer
  end
  return chosen
end

local function decide(request, current)
  if not spf.set(current.services)[(request.service or ""):lower()] then
    return pass_on(request)
  end
  local user, domain = spf.user_parts(current, request.user)
  if spf.is_listed(current.exempt, request.user, user, domain) then
    return pass_on(request)
  end
  if not domain then
    request:log_debug("libspf: the user's name has no domain, and there is no default-domain")
    return pass_on(request)
  end
  if not may_wait() then
    if not warned_of_process then
      log(dovecot.i_error, request, "nothing is checked in a process that must not wait; its passdb needs blocking=yes")
      warned_of_process = true
    end
    return pass_on(request)
  end
  local answer = ask_all(current, user .. "@" .. domain)
  local action = current[answer.result]
  return act(request, action, ("SPF of %s for our address %s: %s (%s): %s"):format(
    spf.printable(domain), answer.address, answer.result, action, spf.printable(answer.reason)))
end

-- ----------------------------------------------------------------------------------------------- what Dovecot calls

local function lookup(request)
  if not loaded then
    return broken(request, "not installed: " .. tostring(spf))
  end
  settings = settings or spf.follow("login", keys(), true)
  local current, problem, on_error = settings()
  when_broken = current and current["on-error"] or on_error or when_broken
  if not current then
    return broken(request, problem)
  elseif problem then
    log(dovecot.i_error, request, problem .. "; the settings of before are kept")
  end
  if #current.outbound == 0 then
    return broken(request, spf.path("login") .. ": outbound: it must name our addresses")
  end
  return decide(request, current)
end

function auth_passdb_lookup(request)
  local done, result, text = pcall(lookup, request)
  if done then
    return result, text
  end
  return broken(request, tostring(result))
end
