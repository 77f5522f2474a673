-- SPDX-License-Identifier: MIT
-- The host's own DNS in libunbound's place, here that of cqueues:  lua own_resolver.lua IP SENDER HELO [NAMESERVER]
local cqueues = require "cqueues"
local dns = require "cqueues.dns"
local dns_config = require "cqueues.dns.config"
local dns_resolver = require "cqueues.dns.resolver"
local packet = require "cqueues.dns.packet"
local record = require "cqueues.dns.record"
local libspf = require "libspf"

local ip, sender, helo, nameserver = ...
local queue = cqueues.new()

local function resolver()
    if not nameserver then
        return assert(dns.getpool():get())
    end
    return assert(dns_resolver.new(dns_config.new{nameserver = {nameserver}, lookup = {"bind"}}))
end

-- The data of one record of an answer as libspf wants it.
local function data(found)
    if found:type() == record.MX then
        return found:host()
    end
    return found:type() == record.TXT and found:data() or tostring(found)
end

-- Answers a question when DNS has. Each has a coroutine of its own.
local function resolve(question)
    local answer, problem = resolver():query(question.name, question.type)
    if not answer then
        return question:fail(tostring(problem):find("timed out") and "timeout" or "error", tostring(problem))
    end
    local code = answer:flags().rcode
    if code == packet.rcode.NXDOMAIN then
        return question:fail "nxdomain"
    elseif code ~= packet.rcode.NOERROR then
        return question:fail("error", packet.rcode[code])
    end
    local records = {}
    for found in answer:grep{section = packet.section.ANSWER, type = record[question.type]} do
        records[#records + 1] = data(found)
        records.ttl = math.min(records.ttl or found:ttl(), found:ttl())
    end
    question:answer(records)
end

local context = libspf.context{resolver = {
    query = function(question) queue:wrap(resolve, question) end,
    -- What a check that is waited for does meanwhile: it lets the coroutines go on.
    wait = function(seconds) assert(queue:step(seconds)) end,
    process = function() assert(queue:step(0)) end,
}}
print(context:check{ip = ip, sender = sender, helo = helo})
