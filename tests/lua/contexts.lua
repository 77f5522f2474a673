-- SPDX-License-Identifier: MIT
-- The shared context, and contexts with settings of their own.
local libspf = require "libspf"
local test = require "harness"

local DNS, SILENT = os.getenv "LIBSPF_DNS", os.getenv "LIBSPF_SILENT"

local function file_with(text)
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write(text)
    file:close()
    return name
end

local config = file_with("resolver: none\nzone: " .. file_with('example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"\n')
                         .. "\nreceiver: from.file.example\nprefetch: no\n")

test.case("a configuration file that is wrong", function()
    local wrong = file_with("resolver: none\ntimeout: soon\n")
    test.raises(function() libspf.configure{config = wrong} end, "'config'", wrong .. ":2", "\"soon\"", "0.001 to 600")
    test.raises(function() libspf.context{config = wrong} end, "'config'", wrong .. ":2", "\"soon\"", "0.001 to 600")
    os.remove(wrong)
end)

test.case("the shared context's file", function()
    libspf.configure{config = config}
    libspf:configure{config = config}
    local result = libspf.check{ip = "192.0.2.1", sender = "a@example.com"}
    test.equal(result.result, "pass")
    test.equal(result.receiver, "from.file.example")
    test.equal(libspf.check("198.51.100.1", "a@example.com", "h").result, "fail")
end)

test.case("the module is called with a dot or a colon", function()
    local calls = 0
    test.equal(libspf:check("192.0.2.1", "a@example.com", "h").result, "pass")
    test.equal(libspf:check{ip = "192.0.2.1", sender = "a@example.com"}.result, "pass")
    libspf.start("192.0.2.1", "a@example.com", "h", function() calls = calls + 1 end)
    libspf:start{ip = "192.0.2.1", sender = "a@example.com", function() calls = calls + 1 end}
    test.equal(libspf.pending(), 2)
    test.equal(libspf:pending(), 2)
    test.equal(libspf.wait(5) + libspf:wait(0), 2)
    test.equal(libspf.fd(), libspf:pollfd())
    test.equal(libspf.getfd(libspf), libspf.fd())
    test.equal(libspf.events() .. libspf:events(), "rr")
    test.equal(libspf.process() + libspf:process(), 0)
    test.equal(calls, 2)
end)

test.case("the shared context's file cannot be changed while it is in use, and it goes on", function()
    libspf.configure{config = config}
    local other = file_with("resolver: none\n")
    test.raises(function() libspf.configure{config = other} end, "'config'", "'configure'", "in use")
    os.remove(other)
    test.equal(libspf.check("192.0.2.1", "a@example.com", "h").result, "pass")
end)

test.case("settings", function()
    local context = libspf.context{
        resolver = {DNS}, timeout = 2.5, max_lookups = 2, max_void_lookups = 0, max_mx_hosts = 3, max_ptr_names = 4,
        prefetch = false, receiver = "mine.example", explanation = "by %{r}", record_cache = "1m", dns_cache = 1048576,
        outgoing_sockets = 32, ["max-lookups"] = 3,
    }
    test.equal(context:check("192.0.2.1", "a@example.com", "h").receiver, "mine.example")
    local strict = libspf.context{resolver = DNS, max_lookups = 1}
    test.equal(strict:check("198.51.100.1", "a@example.com", "h").cause, "lookup-limit")
    test.equal(strict:check("192.0.2.1", "a@example.com", "h").result, "pass")
end)

test.case("no settings", function()
    libspf.context():close()
    libspf.context{}:close()
    libspf:context():close()
    test.equal(libspf:context{resolver = DNS}:check("192.0.2.1", "a@example.com", "h").result, "pass")
end)

test.case("settings on top of a file", function()
    local context = libspf.context{config = config, receiver = "on.top.example"}
    local result = context:check("192.0.2.1", "a@example.com", "h")
    test.equal(result.result, "pass")
    test.equal(result.receiver, "on.top.example")
end)

test.case("zones of several texts and files", function()
    local files = {file_with('a.example. 300 IN TXT "v=spf1 -all"\n'), file_with('b.example. 300 IN TXT "v=spf1 ~all"\n')}
    local context = libspf.context{resolver = "none", zone = files,
                                   zone_text = {'c.example. 300 IN TXT "v=spf1 ?all"\n', 'd.example. 300 IN TXT "v=spf1 +all"\n'}}
    local found = {}
    for i, name in ipairs{"a", "b", "c", "d"} do
        found[i] = context:check("192.0.2.1", "x@" .. name .. ".example", "h").result
    end
    test.equal(table.concat(found, " "), "fail softfail neutral pass")
    for _, name in ipairs(files) do
        os.remove(name)
    end
end)

test.case("descriptors", function()
    local context = libspf.context{resolver = SILENT}
    local fd = context:fd()
    test.is_true(fd >= 0 and fd == math.floor(fd), "a number")
    test.equal(context:fd(), fd)
    test.equal(context:pollfd(), fd)
    test.equal(context:getfd(), fd)
    test.equal(context:events(), "r")
    test.equal(context:timeout(), nil)
    test.is_true(fd ~= libspf.context{resolver = SILENT}:fd(), "each has its own")
end)

test.case("contexts and their descriptors are freed", function()
    local function open_descriptors()
        local count = 0
        local list = io.popen("ls /proc/$PPID/fd | wc -l")
        count = tonumber((list:read("*a")))
        list:close()
        return count
    end
    test.collect()
    local before = open_descriptors()
    for _ = 1, 20 do
        local context = libspf.context{resolver = SILENT}
        context:start("192.0.2.1", "a@example.com", "h", error)
        context:fd()
        context:process()
    end
    test.collect()
    test.is_true(open_descriptors() < before + 10, "20 contexts had more")
end)

test.case("several contexts side by side", function()
    local contexts, calls = {}, 0
    for i = 1, 8 do
        contexts[i] = libspf.context{resolver = DNS}
        contexts[i]:start("192.0.2.1", "a@example.com", "h", function() calls = calls + 1 end)
    end
    for i = 8, 1, -1 do
        while contexts[i]:pending() > 0 do
            contexts[i]:wait(5)
        end
    end
    test.equal(calls, 8)
end)

test.case("printing", function()
    local context = libspf.context{resolver = SILENT}
    test.has(tostring(context), "0 pending")
    local check = context:start("192.0.2.1", "a@example.com", "h", error)
    test.has(tostring(context), "1 pending")
    test.has(tostring(check), "pending")
end)

test.finish()
