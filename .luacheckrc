-- SPDX-License-Identifier: MIT
std = "max"
max_line_length = 120
files["plugins/lua/rspamd"] = {read_globals = {"confighelp"}, globals = {"rspamd_config"}}
files["plugins/lua/dovecot"] = {
  read_globals = {"dovecot"},
  globals = {
    "auth_passdb_lookup", "mail_user_created", "dovecot_lua_notify_begin_txn", "dovecot_lua_notify_event_message_new",
    "dovecot_lua_notify_end_txn",
  },
}
-- What tests/lua/host.c adds. Tests read fields for the sake of reading them, and drop values so that they are collected.
files["tests/lua"] = {
  read_globals = {
    "fork", "leave", "wait_for_child", "fail_after", "fail_no_more", "fail_library_after", "fail_library_no_more",
    "readable", "thread",
  },
  ignore = {"231", "241", "311", "331", "431", "531", "631"},
}
