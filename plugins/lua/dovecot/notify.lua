-- SPDX-License-Identifier: MIT
--- A script for Dovecot's push_notification_lua: for each message that was delivered it logs what the domain in its
-- From field publishes, what that says to strangers, and what to the client that brought the message, if that is known.
-- /etc/dovecot/libspf/notify.conf says what is logged.
local loaded, spf = pcall(require, "libspf.dovecot")
local settings

local function keys()
  return spf.with_actions({
    stranger = spf.one(spf.ADDRESS, "240.0.0.1"), -- in a network that nobody has
    ["no-client"] = spf.one(spf.choice("allow", "log"), "log"),
    ["local"] = spf.many(spf.NETWORK, { spf.network("127.0.0.0/8"), spf.network("::1") }),
    exempt = spf.many(spf.NAME),
    config = spf.one(spf.PATH),
    timeout = spf.one(spf.number(0.1, 60), 3),
    retry = spf.one(spf.RETRY, 60),
  }, spf.choice("allow", "log", "warn"), {
    pass = "log", none = "log", neutral = "log", softfail = "log", fail = "log", permerror = "log", temperror = "log",
  })
end

local function about_client(current, sender, client)
  if not client or spf.is_within(spf.address(client), current["local"]) then
    return current["no-client"], "it came from no client that is known"
  end
  local result = spf.check(current, { ip = client, sender = sender })
  local reason = spf.printable(result.reason)
  return current[result.result], ("%s for its client %s (%s)"):format(result.result, client, reason)
end

local function tell(current, context, event)
  local user, domain = (event.from_address or ""):match("^(.*)@([^@]+)$")
  if not domain or spf.is_listed(current.exempt, event.from_address, user, domain) then
    return
  end
  local stranger = spf.check(current, { ip = current.stranger, sender = event.from_address })
  local action, client = about_client(current, event.from_address, context.client)
  if action == "allow" then
    return
  end
  local write = action == "log" and dovecot.i_info or dovecot.i_warning
  write(("libspf: uid %d in %s: SPF of %s in From: %s; %s for strangers; record: %s"):format(
    event.uid, spf.printable(event.mailbox), spf.printable(domain), client, stranger.result,
    spf.printable(stranger.record or "none")))
end

local function complain(why)
  dovecot.i_error((("libspf: " .. tostring(why)):gsub("%c+", " ")))
end

function dovecot_lua_notify_begin_txn(user)
  local client
  if loaded then
    client = spf.client_of(user)
  end
  return { client = client }
end

function dovecot_lua_notify_event_message_new(context, event)
  if not loaded then
    complain("not installed: " .. tostring(spf))
    return
  end
  settings = settings or spf.follow("notify", keys())
  local current, problem = settings()
  if problem then
    complain(problem)
  end
  if current then
    local done, why = pcall(tell, current, context, event)
    if not done then
      complain(why)
    end
  end
end

function dovecot_lua_notify_end_txn()
end
