-- SPDX-License-Identifier: MIT
-- What a check has found, as fields and methods.
local libspf = require "libspf"
local test = require "harness"

local ZONE = [[
$ORIGIN example.com.
$TTL 300
@      TXT "v=spf1 ip4:192.0.2.0/24 a:a.example.com -all exp=why.example.com"
why    TXT "%{i} is not ours"
a      A   198.51.100.1
soft   TXT "v=spf1 exists:%{l}.void.example.com ~all"
bad    TXT "v=spf1 ip4:192.0.2.1 foo:bar -all"
octets TXT "v=spf1 exp=\255\001 -all"
]]
local context = libspf.context{resolver = "none", zone_text = ZONE, receiver = "mx.receiver.example"}

local function check(options)
    options.ip = options.ip or "192.0.2.7"
    options.helo = options.helo or "client.example.net"
    return context:check(options)
end

test.case("the module", function()
    test.has(libspf.version, ".")
    test.equal(table.concat(libspf.results, " "), "none neutral pass fail softfail temperror permerror")
end)

test.case("pass", function()
    local result = check{sender = "ann@example.com"}
    local wanted = {
        result = "pass", cause = "match", ip = "192.0.2.7", sender = "ann@example.com", helo = "client.example.net",
        receiver = "mx.receiver.example", identity = "mailfrom", checked_domain = "example.com", domain = "example.com",
        record = "v=spf1 ip4:192.0.2.0/24 a:a.example.com -all exp=why.example.com", term = "ip4:192.0.2.0/24",
        term_offset = 8, lookups = 0, void_lookups = 0, dnssec = "insecure", is_own_explanation = false,
    }
    for name, value in pairs(wanted) do
        test.equal(result[name], value, name)
    end
    test.equal(result.record:sub(result.term_offset, result.term_offset + #result.term - 1), result.term)
    test.equal(tostring(result), "pass: " .. result.reason)
    for _, absent in ipairs{"explanation", "target", "would_be", "trace", "error_offset", "no_such_field"} do
        test.equal(result[absent], nil, absent)
    end
    test.is_true(result.elapsed >= 0 and result.elapsed < 60, "seconds")
    test.is_true(result.ttl > 0 and result.ttl <= 300, "ttl")
    test.equal(#result.lookup_terms, 0)
end)

test.case("fail", function()
    local result = check{ip = "2001:DB8::1", sender = "ann@example.com"}
    test.equal(result.result, "fail")
    test.equal(result.ip, "2001:db8::1")
    test.equal(result.explanation, "2.0.0.1.0.D.B.8" .. (".0"):rep(23) .. ".1 is not ours")
    local code, enhanced, text = result:smtp_reply()
    test.equal(code, 550)
    test.equal(enhanced, "5.7.23")
    test.has(text, ".1 is not ours")
    test.equal(result.lookups, 1)
    local lookup = result.lookup_terms[1]
    test.equal(lookup.term, "a:a.example.com")
    test.equal(lookup.domain, "example.com")
    test.equal(lookup.target, "a.example.com")
    test.equal(lookup.void, true)
    test.equal(lookup.dns_queries, 1)
    test.equal(result.lookup_terms[2], nil)
end)

test.case("header fields", function()
    local result = check{sender = "ann@example.com"}
    test.has(result:received_spf(), "Received-SPF: pass (mx.receiver.example: ", "client-ip=192.0.2.7;")
    test.is_true(not result:received_spf("none"):find("\n"), "one line")
    test.has(result:received_spf("lf"), "\n\t")
    test.is_true(not result:received_spf("lf"):find("\r"), "no carriage return")
    test.has(result:received_spf("crlf"), "\r\n\t")
    test.has(result:authentication_results(), "Authentication-Results: mx.receiver.example; spf=pass")
    test.has(result:authentication_results("crlf"), "\r\n\t")
    test.equal(result:authentication_resinfo():sub(1, 9), "spf=pass ")
    test.has(result:authentication_resinfo("lf"), "smtp.mailfrom=example.com")
end)

test.case("trace", function()
    local result = check{sender = "ann@soft.example.com", trace = true}
    test.equal(result.result, "softfail")
    local trace = result.trace
    test.equal(#trace, 3)
    test.equal(trace[1].outcome, "record")
    test.equal(trace[1].term, nil)
    test.equal(trace[2].term, "exists:%{l}.void.example.com")
    test.equal(trace[2].term_offset, 8)
    test.equal(trace[2].target, "ann.void.example.com")
    test.equal(trace[2].outcome, "no match")
    test.equal(trace[2].void_lookups, 1)
    test.equal(trace[3].outcome, "match")
    test.equal(trace[3].depth, 0)
    test.has(result:trace_text(), "exists:%{l}.void.example.com", "NXDOMAIN")
    test.equal(check{sender = "ann@example.com", trace = false}.trace, nil)
    test.equal(check{sender = "ann@example.com"}:trace_text(), "")
end)

test.case("permerror", function()
    local result = check{sender = "ann@bad.example.com", would_be = true, ip = "198.51.100.1"}
    test.equal(result.result, "permerror")
    test.equal(result.cause, "syntax")
    test.equal(result.would_be, "fail")
    test.equal(result.record:sub(result.error_offset, result.error_offset + 2), "foo")
    test.equal(check{sender = "ann@bad.example.com"}.would_be, nil)
end)

test.case("octets of any value", function()
    local result = check{sender = "a\0b@example.com", helo = "x\r\ny"}
    test.equal(result.sender, "a?b@example.com")
    test.equal(result.helo, "x??y")
    test.equal(check{sender = "ann@octets.example.com"}.record, "v=spf1 exp=\255\1 -all")
end)

test.case("identities and senders", function()
    local result = check{identity = "helo", helo = "example.com", sender = "bob@elsewhere.example"}
    test.equal(result.identity, "helo")
    test.equal(result.result, "pass")
    test.equal(check{sender = "", helo = "example.com"}.sender, "postmaster@example.com")
    test.equal(check{sender = "<>", helo = "example.com"}.result, "pass")
    test.equal(context:check("192.0.2.7", nil, "example.com").result, "pass")
    test.equal(context:check("192.0.2.7", "ann@example.com").helo, "")
    test.equal(context:check("192.0.2.7").result, "none")
end)

test.case("a record that is not published", function()
    test.equal(check{sender = "x@nothing.example", record = "v=spf1 ip4:192.0.2.7 -all"}.result, "pass")
    test.equal(check{sender = "x@nothing.example", receiver = "other.example"}.receiver, "other.example")
end)

test.case("JSON and tables", function()
    local result = check{sender = "ann@example.com", trace = true}
    test.has(result:json(), '"result":"pass"', '"trace":[{')
    local all = result:as_table()
    test.equal(type(all), "table")
    local count = 0
    for name, value in pairs(all) do
        count = count + 1
        if type(value) ~= "table" then
            test.equal(value, result[name], name)
        end
    end
    test.is_true(count > 20, "many fields")
    test.equal(#all.trace, #result.trace)
end)

test.case("a result outlives its context", function()
    local other = libspf.context{resolver = "none", zone_text = ZONE}
    local result = other:check("192.0.2.7", "ann@example.com", "h")
    other:close()
    other = nil
    test.collect()
    test.equal(result.result, "pass")
    test.has(result:received_spf(), "Received-SPF: pass")
    test.has(result:json(), '"pass"')
end)

if _VERSION >= "Lua 5.4" then
    test.case("to-be-closed variables", function()
        local result, pending = load([[
            local context = ...
            local kept, pending
            do
                local result <close> = context:check("192.0.2.7", "ann@example.com")
                local check <close> = context:start("192.0.2.7", "ann@example.com", "h", error)
                kept, pending = result, check
            end
            return kept, pending]])(context)
        test.raises(function() return result.result end, "closed")
        test.raises(function() return result:json() end, "closed")
        test.equal(pending:pending(), false)
        test.equal(context:pending(), 0)
        context:process()
    end)
end

test.finish()
