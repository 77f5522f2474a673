-- SPDX-License-Identifier: MIT
-- Whatever is given wrongly raises an error that names the argument, the value and what is allowed; and nothing breaks.
local libspf = require "libspf"
local test = require "harness"

local context = libspf.context{resolver = "none", zone_text = "example.com. 300 IN TXT \"v=spf1 -all\"\n"}
local noop = function() end

-- {what is called, what the error has in it...}
local rows = {
    -- the client's address
    {function() context:check{} end, "'ip'", "'check'", "nil", "2001:db8::1"},
    {function() context:check() end, "'ip'", "'check'", "nil"},
    {function() context:check{ip = 42} end, "'ip'", "42", "a string like"},
    {function() context:check{ip = true} end, "'ip'", "true", "a string like"},
    {function() context:check{ip = {}} end, "'ip'", "a table"},
    {function() context:check{ip = "300.1.2.3"} end, "'ip'", "\"300.1.2.3\"", "IPv4 (192.0.2.1) or IPv6"},
    {function() context:check{ip = "192.0.2.1\0"} end, "'ip'", "\"192.0.2.1?\"", "NUL"},
    {function() context:check{ip = ""} end, "'ip'", "\"\"", "IPv4"},
    {function() context:check{ip = ("1"):rep(5000)} end, "'ip'", "111...", "IPv4"},
    {function() context:check("fe80::1%eth0", "a@example.com") end, "'ip'", "fe80::1%eth0"},
    -- sender, HELO and the other options
    {function() context:check{ip = "192.0.2.1", sender = 1} end, "'sender'", "1", "a string"},
    {function() context:check{ip = "192.0.2.1", sender = ("x"):rep(4097)} end, "'sender'", "4096 octets"},
    {function() context:check("192.0.2.1", {}) end, "'sender'", "a table", "a string"},
    {function() context:check("192.0.2.1", nil, false) end, "'helo'", "false", "a string"},
    {function() context:check{ip = "192.0.2.1", helo = noop} end, "'helo'", "a function", "a string"},
    {function() context:check{ip = "192.0.2.1", identity = "MAILFROM"} end, "'identity'", "\"MAILFROM\"", "\"helo\""},
    {function() context:check{ip = "192.0.2.1", identity = 1} end, "'identity'", "1", "\"mailfrom\" or \"helo\""},
    {function() context:check{ip = "192.0.2.1", receiver = "a\0b"} end, "'receiver'", "\"a?b\"", "NUL"},
    {function() context:check{ip = "192.0.2.1", timeout = 0} end, "'timeout'", "0", "0.001 to 600"},
    {function() context:check{ip = "192.0.2.1", timeout = -1} end, "'timeout'", "-1", "0.001 to 600"},
    {function() context:check{ip = "192.0.2.1", timeout = 601} end, "'timeout'", "601", "0.001 to 600"},
    {function() context:check{ip = "192.0.2.1", timeout = 0 / 0} end, "'timeout'", "nan", "0.001 to 600"},
    {function() context:check{ip = "192.0.2.1", timeout = math.huge} end, "'timeout'", "inf", "0.001 to 600"},
    {function() context:check{ip = "192.0.2.1", timeout = "5"} end, "'timeout'", "\"5\"", "0.001 to 600"},
    {function() context:check{ip = "192.0.2.1", trace = 1} end, "'trace'", "1", "true or false"},
    {function() context:check{ip = "192.0.2.1", would_be = "yes"} end, "'would_be'", "\"yes\"", "true or false"},
    {function() context:check{ip = "192.0.2.1", record = "ip4:1.2.3.4"} end, "'record'", "v=spf1"},
    {function() context:check{ip = "192.0.2.1", record = 7} end, "'record'", "7", "a string"},
    {function() context:check{ip = "192.0.2.1", Sender = "x"} end, "\"Sender\"", "ip, sender, helo", "and record"},
    {function() context:check{ip = "192.0.2.1", noop} end, "1 is no option"},
    {function() context:check{ip = "192.0.2.1", [true] = 1} end, "true is no option"},
    -- starting
    {function() context:start{ip = "192.0.2.1", "x"} end, "'callback'", "'start'", "\"x\"", "a function"},
    {function() context:start({ip = "192.0.2.1"}, 5) end, "'callback'", "5", "a function"},
    {function() context:start({ip = "192.0.2.1", noop}, noop) end, "1 is no option"},
    {function() context:start({ip = "192.0.2.1", noop, noop}) end, "2 is no option"},
    {function() context:start("192.0.2.1", "a@example.com", "h", {}) end, "'callback'", "a table", "a function"},
    {function() context:start("192.0.2.1", "a@example.com", noop) end, "'helo'", "a function", "a string"},
    {function() context:start(noop) end, "'ip'", "a function"},
    -- the object that a method is called with
    {function() context.check{ip = "192.0.2.1"} end, "'self'", "'check'", "a table", "colon"},
    {function() context.process() end, "'self'", "'process'", "colon"},
    {function() context.fd("x") end, "'self'", "'fd'", "\"x\""},
    {function() context:check("192.0.2.1").received_spf() end, "'self'", "'received_spf'", "colon"},
    {function() context:start("192.0.2.1").cancel() end, "'self'", "'cancel'", "colon"},
    {function() context:start("192.0.2.1").cancel(io.stdout) end, "'self'", "'cancel'"},
    {function() context.check(context:check("192.0.2.1"), {}) end, "'self'", "'check'", "a libspf.result where a context"},
    {function() context.check(context.check) end, "'self'", "a function where a context"},
    -- waiting
    {function() context:wait("soon") end, "'timeout'", "'wait'", "\"soon\"", "seconds"},
    {function() context:wait(-1) end, "'timeout'", "-1", "0 or more"},
    {function() context:wait(0 / 0) end, "'timeout'", "nan", "0 or more"},
    -- reports
    {function() context:check("192.0.2.1"):received_spf("crlf ") end, "'fold'", "\"crlf \"", "\"none\", \"lf\" or \"crlf\""},
    {function() context:check("192.0.2.1"):authentication_results(1) end, "'fold'", "1", "\"crlf\""},
    {function() context:check("192.0.2.1"):authentication_resinfo({}) end, "'fold'", "a table", "\"crlf\""},
    -- contexts
    {function() libspf.context(5) end, "'settings'", "'context'", "5", "a table"},
    {function() libspf.context{max_lookupz = 3} end, "'max_lookupz'", "\"max_lookupz\" is no key", "max_lookups", "zone_text"},
    {function() libspf.context{max_lookups = 11} end, "'max_lookups'", "\"11\"", "1 to 10"},
    {function() libspf.context{max_lookups = 2.5} end, "'max_lookups'", "\"2.500000\"", "1 to 10"},
    {function() libspf.context{timeout = -1} end, "'timeout'", "\"-1\"", "0.001 to 600"},
    {function() libspf.context{prefetch = "maybe"} end, "'prefetch'", "\"maybe\"", "yes nor no"},
    {function() libspf.context{timeout = noop} end, "'timeout'", "a function", "a string, a number, true or false"},
    {function() libspf.context{receiver = {"a.example", "b.example"}} end, "'receiver'", "a table", "a string, a number, true or false"},
    {function() libspf.context{zone = {{}}} end, "'zone'", "a table", "an array of them"},
    {function() libspf.context{resolver = "127.0.0.1:53"} end, "'resolver'", "127.0.0.1:53", "@PORT"},
    {function() libspf.context{resolver = {"127.0.0.1", "x"}} end, "'resolver'", "\"x\"", "@PORT"},
    {function() libspf.context{resolver = {}} end, "'resolver'", "query", "nil", "a function"},
    {function() libspf.context{resolver = {query = noop, wait = 1}} end, "'resolver'", "wait", "1", "a function"},
    {function() libspf.context{resolver = {"127.0.0.1", port = 53}} end, "'resolver'", "\"port\" is no item"},
    {function() libspf.context{zone = {file = "x"}} end, "'zone'", "\"file\" is no item"},
    {function() libspf.context{zone_text = {[0] = "x"}} end, "'zone_text'", "0 is no item", "from 1"},
    {function() libspf.context{zone_text = {[1.5] = "x"}} end, "'zone_text'", "1.5 is no item"},
    {function() libspf.context{zone_text = {[2] = "x"}} end, "'zone_text'", "item 1 is missing"},
    {function() libspf.context{zone = "a\0b"} end, "'zone'", "\"a?b\"", "NUL"},
    {function() libspf.context{zone = "/nonexistent/zone"} end, "/nonexistent/zone"},
    {function() libspf.context{zone_text = 3} end, "'zone_text'", "3", "a string"},
    {function() libspf.context{zone_text = "not a zone"} end, "context"},
    {function() libspf.context{config = "/nonexistent"} end, "'config'", "/nonexistent", "cannot be read"},
    {function() libspf.context{config = true} end, "'config'", "true", "a string"},
    {function() libspf.context{"x"} end, "'settings'", "1", "a setting's name"},
    {function() libspf.context{trust_anchor = "/nonexistent"} end, "/nonexistent"},
    {function() libspf.configure() end, "'settings'", "'configure'", "nil", "a table"},
    {function() libspf.configure("x") end, "'settings'", "'configure'", "\"x\"", "a table"},
    {function() libspf.configure{} end, "'config'", "nil", "a string"},
    {function() libspf.configure{config = "/nonexistent"} end, "'config'", "/nonexistent", "cannot be read"},
    {function() libspf.configure{config = "/x", timeout = 3} end, "\"timeout\"", "no setting of the shared context"},
}

for number, row in ipairs(rows) do
    test.case("misuse " .. number, function()
        test.raises(row[1], (unpack or table.unpack)(row, 2))
    end)
end

test.case("nothing is left of what was refused", function()
    test.equal(context:pending(), 2, "the checks that were started to misuse their methods")
    context:wait(5)
    test.equal(context:pending(), 0)
    test.equal(context:check("192.0.2.1", "a@example.com").result, "fail")
end)

test.case("an error tells where it was made", function()
    test.has(test.raises(function() context:check{} end), "misuse.lua:")
end)

test.case("objects do not let their metatables be had", function()
    test.equal(getmetatable(context), "of libspf")
    test.raises(function() setmetatable(context, {}) end)
    test.raises(function() context.x = 1 end)
    test.equal(context.x, nil)
    test.equal(context:check("192.0.2.1").x, nil)
    test.equal(context:start("192.0.2.1")[1], nil)
    test.equal(context:check("192.0.2.1")[{}], nil)
end)

test.case("a closed context", function()
    context:close()
    context:close()
    test.equal(context:pending(), 0)
    test.has(tostring(context), "closed")
    for _, method in ipairs{"check", "start", "process", "wait", "fd", "timeout", "events"} do
        test.raises(function() context[method](context, {ip = "192.0.2.1"}) end, method, "closed")
    end
end)

test.finish()
