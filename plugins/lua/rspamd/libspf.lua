-- SPDX-License-Identifier: MIT
-- SPF (RFC 7208) by libspf, in the place of rspamd's own module: the same symbols, scores and skip lists. README.md
-- tells how to install it and what each setting means.

local N = 'libspf'

if confighelp then
    rspamd_config:add_example(nil, N, 'SPF by libspf, in the place of the module spf', [[
libspf {
  # Set enabled = false in the section spf at the same time
  enabled = true;
  # Longest time for a check; it also ends well before the task's own time does
  timeout = 5s;
  # Check the HELO name too (R_SPF_HELO_*)
  helo = true;
  # Clients that are not checked
  whitelist = "/etc/rspamd/local.d/spf_whitelist.inc";
  # Hosts of ours that mail comes through: the client is who gave it to them, as their Received fields tell
  external_relay = ["192.0.2.25"];
}
]])
    return
end

-- rspamd wants this file to have its section's name, which the module in C has too, and finds this file where "." is in
-- package.path and somebody works in its folder.
local function require_c(name)
    local path = package.path
    package.path = ''
    local done, module = pcall(require, name)
    package.path = path
    return done and module or error(module, 0)
end

local libspf = require_c 'libspf'
local libspf_rspamd = require_c 'libspf.rspamd'
local lua_maps = require 'lua_maps'
local lua_util = require 'lua_util'
local rspamd_logger = require 'rspamd_logger'
local rspamd_util = require 'rspamd_util'

-- A check ends early enough for the rules that wait for it: in this share of the time that its task has left.
local SHARE_OF_TIME = 0.75
local TASK_TIMEOUT_S = 8 -- rspamd's default
local LEAST_S = 0.001    -- what libspf takes
local TEXT_MAX = 4096    -- what libspf takes of a sender or HELO name

----------------------------------------------------------------------------------------------------------- settings

local SYMBOLS = {
    check = 'SPF_CHECK',
    allow = 'R_SPF_ALLOW',
    fail = 'R_SPF_FAIL',
    softfail = 'R_SPF_SOFTFAIL',
    neutral = 'R_SPF_NEUTRAL',
    na = 'R_SPF_NA',
    dnsfail = 'R_SPF_DNSFAIL',
    permfail = 'R_SPF_PERMFAIL',
    plusall = 'R_SPF_PLUSALL',
    helo_allow = 'R_SPF_HELO_ALLOW',
    helo_fail = 'R_SPF_HELO_FAIL',
    helo_softfail = 'R_SPF_HELO_SOFTFAIL',
    helo_neutral = 'R_SPF_HELO_NEUTRAL',
    helo_na = 'R_SPF_HELO_NA',
    helo_dnsfail = 'R_SPF_HELO_DNSFAIL',
    helo_permfail = 'R_SPF_HELO_PERMFAIL',
}

local DESCRIPTIONS = {
    allow = "SPF: the %s's domain permits the client",
    fail = "SPF: the %s's domain does not permit the client",
    softfail = "SPF: the %s's domain probably does not permit the client",
    neutral = "SPF: the %s's domain says neither",
    na = "SPF: the %s's domain publishes nothing",
    dnsfail = "SPF: DNS does not answer for the %s's domain",
    permfail = "SPF: the record of the %s's domain is wrong",
    plusall = "SPF: the %s's domain permits every client",
}

-- What may stand in the section, and of what kind it is. UCL makes numbers of 5s and 8m.
local KINDS = {
    enabled = 'boolean',
    asynchronous = 'boolean or "auto"',
    blocking_timeout = 'seconds',
    check_authed = 'boolean',
    check_local = 'boolean',
    external_relay = 'map',
    helo = 'boolean',
    received_spf = 'boolean',
    symbols = 'table',
    timeout = 'seconds',
    whitelist = 'map',
    would_be = 'boolean',
}

-- The keys of libspf.conf(5), which libspf reads itself, and the name of such a file.
local CONTEXT = {
    'config', 'dns_cache', 'explanation', 'max_lookups', 'max_mx_hosts', 'max_ptr_names', 'max_void_lookups',
    'outgoing_sockets', 'prefetch', 'receiver', 'record_cache', 'resolver', 'trust_anchor', 'zone',
}

-- What the stock module has and this one does not need.
local STOCK = {
    spf_cache_size = 'record_cache, in octets, takes its place',
    spf_cache_expire = 'records are kept as long as DNS says',
    min_cache_ttl = 'records are kept as long as DNS says',
    max_dns_nesting = 'RFC 7208 counts lookups: max_lookups',
    max_dns_requests = 'RFC 7208 counts lookups: max_lookups, max_void_lookups',
    disable_ipv6 = 'libspf asks for AAAA only when the client has an IPv6 address',
}

local DEFAULTS = {
    asynchronous = 'auto',
    blocking_timeout = 2,
    helo = true,
    received_spf = false,
    timeout = 5,
    would_be = false,
}

local function refuse(...)
    error(N .. ': ' .. string.format(...), 0)
end

local function sorted_keys(...)
    local keys = {}
    for _, set in ipairs({...}) do
        for key in pairs(set) do
            keys[#keys + 1] = key
        end
    end
    table.sort(keys)
    return table.concat(keys, ', ')
end

local function shown(value)
    if type(value) == 'table' then
        return 'a list or section'
    end
    return type(value) == 'string' and '"' .. value .. '"' or tostring(value)
end

local FITS = {
    boolean = function(value) return type(value) == 'boolean' end,
    ['boolean or "auto"'] = function(value) return type(value) == 'boolean' or value == 'auto' end,
    seconds = function(value) return type(value) == 'number' and value >= LEAST_S and value <= 600 end,
    map = function(value) return type(value) == 'string' or type(value) == 'table' end,
    table = function(value) return type(value) == 'table' end,
}

local WANTED = {
    boolean = 'true or false',
    ['boolean or "auto"'] = 'true, false or "auto"',
    seconds = 'a time from 1ms to 10min',
    map = 'a list of networks, or the name of a map',
    table = 'a section',
}

local function read_symbols(given)
    local symbols = lua_util.shallowcopy(SYMBOLS)
    for key, name in pairs(given or {}) do
        if not SYMBOLS[key] then
            refuse('unknown key "%s" in symbols; there are %s', key, sorted_keys(SYMBOLS))
        elseif type(name) ~= 'string' or name == '' then
            refuse('symbols: %s: %s where the name of a symbol is wanted', key, shown(name))
        end
        symbols[key] = name
    end
    return symbols
end

local function read_settings(given)
    local settings = lua_util.shallowcopy(DEFAULTS)
    local context_keys = lua_util.list_to_hash(CONTEXT)
    settings.context = {}
    for key, value in pairs(given) do
        local kind = KINDS[key]
        if kind and not FITS[kind](value) then
            refuse('%s: %s where %s is wanted', key, shown(value), WANTED[kind])
        elseif kind then
            settings[key] = value
        elseif context_keys[key] then
            settings.context[key] = value
        elseif STOCK[key] then
            refuse('"%s" is a setting of the stock module; here %s', key, STOCK[key])
        else
            refuse('unknown setting "%s"; there are %s', key, sorted_keys(KINDS, context_keys))
        end
    end
    settings.symbols = read_symbols(given.symbols)
    return settings
end

-- rspamd's own name servers: "127.0.0.1:53:10", "[::1]:53", or several as "round-robin:192.0.2.1:53:1,192.0.2.2"; nil
-- if they are not all addresses.
local function rspamd_name_servers()
    local dns = (rspamd_config:get_all_opt('options') or {}).dns or {}
    local given = dns.nameserver or {}
    local servers = {}
    for _, text in ipairs(type(given) == 'table' and given or {given}) do
        for server in text:gsub('^%a*[g-zG-Z-][%a-]*:', ''):gmatch('[^,%s]+') do
            local address, port = server:match('^%[([%x:.]+)%]:?(%d*)')
            if not address then
                address, port = server:match('^(%d+%.%d+%.%d+%.%d+):?(%d*)')
            end
            if not address then
                address, port = server:match('^([%x:]*:[%x:.]*)$'), ''
            end
            if not address then
                return nil
            end
            servers[#servers + 1] = port == '' and address or address .. '@' .. port
        end
    end
    return #servers > 0 and servers or nil
end

-- libspf names a setting as libspf.conf(5) writes it, behind its name in Lua.
local function what_is_wrong(message)
    local key, text = message:match("^bad argument '([%w_]+)' to 'context' %((.*)%)$")
    if not key then
        return message
    end
    local written = key:gsub('_', '-') .. ': '
    return key .. ': ' .. (text:sub(1, #written) == written and text:sub(#written + 1) or text)
end

local function make_context(settings)
    local keys = settings.context
    if not keys.resolver and not keys.config then
        keys.resolver = rspamd_name_servers()
    end
    local made, context = pcall(libspf.context, keys)
    if not made then
        refuse('%s', what_is_wrong(tostring(context)))
    end
    return context
end

local function make_map(settings, key, description)
    local map = lua_maps.map_add_from_ucl(settings[key], 'radix', description)
    if settings[key] and not map then
        refuse('%s: no map can be made of %s', key, shown(settings[key]))
    end
    return map
end

-- The least of the times that the configuration gives a task; 0 is no limit. A proxy that scans itself has its own.
local function task_timeout(section, least, is_proxy)
    for key, value in pairs(section or {}) do
        if type(value) == 'table' then
            least = task_timeout(value, least, is_proxy or key == 'rspamd_proxy')
        elseif (key == 'task_timeout' or (is_proxy and key == 'timeout')) and type(value) == 'number' and value > 0 then
            least = math.min(least, value)
        end
    end
    return least
end

local OFF = {['false'] = true, no = true, off = true, ['0'] = true}

-- As rspamd reads it: false, or a text that says so.
local function is_off(section)
    local value = section.enabled
    if value == nil then
        value = section.enable
    end
    return value ~= nil and OFF[tostring(value):lower()] or false
end

-- Whether the stock module runs beside this one: then the symbols must have other names, and DMARC is its business.
local function is_beside_stock(settings)
    local stock = rspamd_config:get_all_opt('spf')
    if not stock or is_off(stock) then
        return false
    end
    local taken = {SPF_CHECK = true}
    for _, key in ipairs({'allow', 'fail', 'softfail', 'neutral', 'na', 'dnsfail', 'permfail', 'plusall'}) do
        taken[(type(stock.symbols) == 'table' and stock.symbols or SYMBOLS)[key] or SYMBOLS[key]] = true
    end
    for key, name in pairs(settings.symbols) do
        if taken[name] then
            refuse('the module spf has the symbol %s too: either set enabled = false in the section spf ' ..
                    '(local.d/spf.conf), or give %s another name in symbols', name, key)
        end
    end
    return true
end

local settings = read_settings(rspamd_config:get_all_opt(N) or {})
local is_trial = is_beside_stock(settings)
local context = make_context(settings)
local local_and_authed = lua_util.config_check_local_or_authed(rspamd_config, N, false, false)
local whitelist = make_map(settings, 'whitelist', 'SPF: clients that are not checked')
local relays = make_map(settings, 'external_relay', 'SPF: relays of ours')
local options = rspamd_config:get_all_opt('options') or {}
local time_for_task = task_timeout({
    task_timeout = options.task_timeout or TASK_TIMEOUT_S,
    workers = rspamd_config:get_all_opt('worker'),
}, math.huge)

local function choose_way()
    local is_available, why = libspf_rspamd.available()
    if settings.asynchronous == false or is_available then
        return settings.asynchronous ~= false
    end
    if settings.asynchronous == true then
        refuse('asynchronous: checks cannot wait in this rspamd\'s event loop: %s', why)
    end
    rspamd_logger.warnx(rspamd_config, 'libspf: checks cannot wait in this rspamd\'s event loop (%1): each holds ' ..
            'its worker up for at most %2 seconds', why, settings.blocking_timeout)
    return false
end

local is_asynchronous = choose_way()

------------------------------------------------------------------------------------------------------------ questions

-- The client that gave the mail to the outermost of our relays, and its HELO name. Relays' Received fields stand on
-- top, one for each: below the first host that is neither ours nor local anybody may have written them.
local function client_before_relays(task)
    local ip = task:get_from_ip()
    local seen_relay = relays:get_key(ip)
    if not seen_relay and not ip:is_local() then
        return ip, task:get_helo()
    end
    for _, received in ipairs(task:get_received_headers() or {}) do
        local host = received.real_ip
        if not host then
            break
        elseif relays:get_key(host) then
            seen_relay = true
        elseif not host:is_local() then
            if seen_relay then
                return host, received.from_hostname
            end
            break
        end
    end
    lua_util.debugm(N, task, 'no relay of ours in the Received fields: the client is %s', ip)
    return ip, task:get_helo()
end

local function is_address(ip)
    local version = ip and ip:is_valid() and ip:get_version()
    return version == 4 or version == 6
end

local function client(task)
    if relays and is_address(task:get_from_ip()) then
        return client_before_relays(task)
    end
    return task:get_from_ip(), task:get_helo()
end

-- The reverse-path as the client gave it: rspamd takes quotes off, and drops what is no address by its rules.
local function sender(task)
    local from = (task:get_from({'smtp', 'orig'}) or {})[1]
    local text = from and from.raw or tostring(task:get_request_header('From') or '')
    text = text:gsub('^%s*<', ''):gsub('>%s*$', '')
    return text:sub(-TEXT_MAX) -- the domain is at the end
end

-- What the MTA calls itself, if it says so, and not by a word such as "smtpd".
local function receiver(task)
    local name = tostring(task:get_request_header('MTA-Name') or '')
    return settings.context.receiver or name:match('^[%w-]+%.[%w.-]+$')
end

local function seconds_for(task)
    local left = time_for_task - (rspamd_util.get_time() - task:get_timeval(true))
    return math.max(LEAST_S, math.min(settings.timeout, left * SHARE_OF_TIME))
end

-------------------------------------------------------------------------------------------------------------- answers

-- Each result's symbol and what the stock module's first option is: the sign of the mechanism, or a sentence.
local ANSWERS = {
    pass = {symbol = 'allow', sign = '+'},
    fail = {symbol = 'fail', sign = '-'},
    softfail = {symbol = 'softfail', sign = '~'},
    neutral = {symbol = 'neutral', sign = '?'},
    none = {symbol = 'na', text = 'no SPF record'},
    temperror = {symbol = 'dnsfail', text = 'temporary DNS error'},
    permerror = {symbol = 'permfail', text = 'bad SPF record'},
}

-- Whether more is wanted of a term than how it is written: what is included, what macros became, who permits everyone.
local function is_in_trace(term)
    term = term:lower()
    return term:find('^[-+~?]?include:') or term:find('^%+?all$') or term:find('%', 1, true)
end

-- The step in which a mechanism matched, inside of includes; where none does it is ?all. The trace is a large table,
-- made when it is looked at.
local function matching_step(result)
    local matched = {term = result.term or 'all'}
    for _, step in ipairs(result.term and is_in_trace(result.term) and result.trace or {}) do
        if step.outcome == 'match' then
            matched = step
        end
    end
    return matched
end

-- Its mechanism, with macros expanded.
local function mechanism(step)
    local term = step.term:gsub('^[-+~?]', '')
    if not term:find('%%') or not step.target then
        return term
    end
    return term:match('^%a*') .. ':' .. step.target .. (term:match('/[%d/]+$') or '')
end

local function insert(task, prefix, result, message)
    local answer = ANSWERS[result and result.result or 'temperror']
    local step = result and matching_step(result)
    local given = {answer.text or answer.sign .. mechanism(step), result and result.reason or message}
    if result and result.would_be then
        given[3] = 'would be ' .. result.would_be
    end
    task:insert_result(settings.symbols[prefix .. answer.symbol], 1.0, given)
    if prefix == '' and answer.symbol == 'allow' and mechanism(step):lower() == 'all' then
        task:insert_result(settings.symbols.plusall, 1.0, step.domain)
    end
end

local function add_header(task, result)
    local text = result:received_spf('lf'):gsub('^[^:]*:%s*', '')
    task:set_milter_reply({add_headers = {['Received-SPF'] = {value = text, order = 1}}})
end

-- Asks, and calls told(result or nil, message).
local function ask(task, question, told)
    if is_asynchronous then
        question.timeout = seconds_for(task)
        local started, message = libspf_rspamd.start(task, question, told, context)
        if not started then
            told(nil, message)
        end
        return
    end
    question.timeout = math.min(settings.blocking_timeout, seconds_for(task))
    local done, result = pcall(context.check, context, question)
    if done then
        told(result)
    else
        told(nil, tostring(result))
    end
end

local function check(task, ip, helo)
    local from = sender(task)
    local found = {}
    task:cache_set(N, found)

    local function question(identity)
        return {ip = tostring(ip), sender = from, helo = (helo or ''):sub(1, TEXT_MAX), identity = identity,
                        receiver = receiver(task), trace = true, would_be = settings.would_be}
    end
    local function tell(identity, prefix, result, message)
        found[identity] = result
        insert(task, prefix, result, message)
    end

    ask(task, question('mailfrom'), function(result, message)
        tell('mailfrom', '', result, message)
        if result and result.record and not is_trial then
            task:get_mempool():set_variable('spf_record', result.record) -- the module reputation counts by it
        end
        if result and settings.received_spf then
            add_header(task, result)
        end
        if settings.helo and from == '' then
            tell('helo', 'helo_', result, message) -- the null sender is checked as postmaster of the HELO name
        end
    end)
    if settings.helo and from ~= '' then
        ask(task, question('helo'), function(result, message)
            tell('helo', 'helo_', result, message)
        end)
    end
end

local function on_task(task)
    local ip, helo = client(task)
    if not is_address(ip) then
        lua_util.debugm(N, task, 'no address of the client is known')
    elseif whitelist and whitelist:get_key(ip) then
        rspamd_logger.infox(task, 'SPF is not checked for %1, which is in the whitelist', ip)
        return
    elseif lua_util.is_skip_local_or_authed(task, local_and_authed, ip) then
        rspamd_logger.infox(task, 'SPF is not checked for local networks and authenticated users')
        return
    else
        check(task, ip, helo)
    end
    if not is_trial then
        -- The module dmarc counts who has checked: this one and DKIM are two.
        local pool = task:get_mempool()
        pool:set_variable('dmarc_checks', (pool:get_variable('dmarc_checks', 'double') or 0) + 1)
    end
end

------------------------------------------------------------------------------------------------------------- symbols

local check_id = rspamd_config:register_symbol({
    name = settings.symbols.check,
    type = 'callback',
    flags = 'fine,empty',
    groups = {'policies', 'spf'},
    score = 0.0,
    callback = on_task,
    augmentations = {
        string.format('timeout=%f', is_asynchronous and settings.timeout or 2 * settings.blocking_timeout),
    },
})

-- The scores of the other symbols come with rspamd (scores.d/policies_group.conf); these are not known there.
local function set_score(name, description)
    if not rspamd_config:get_metric_symbol(name) then
        rspamd_config:set_metric_symbol({name = name, score = 0.0, group = 'policies', groups = {'policies', 'spf'},
                                                                          description = description})
    end
end

for key, name in pairs(settings.symbols) do
    local result = key:match('^helo_(.*)')
    if key ~= 'check' and (settings.helo or not result) then
        set_score(name, DESCRIPTIONS[result or key]:format(result and 'HELO name' or 'sender'))
        rspamd_config:register_symbol({
            name = name,
            type = 'virtual',
            parent = check_id,
            groups = {'policies', 'spf'},
        })
    end
end
